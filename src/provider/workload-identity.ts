// Workload identity: a service that its platform vouches for needs no secret of ours (RFC 7523 §2.2).
import { meetsTrustRule, trustRules } from '../clients/trust-rules.ts';
import { FetchFailed } from '../outbound/documents.ts';
import { type IssuerKeys, issuerAlgs } from '../outbound/issuer-keys.ts';
import type { Clock } from '../store.ts';
import { findAssertionFault } from './assertion-claims.ts';
import { isSignedWith, type VerifyAssertion } from './client-assertions.ts';

/** Seconds; platforms hand out tokens for minutes to hours. */
const MAX_LIFETIME = 24 * 60 * 60;

export interface WorkloadIdentity {
  keys: IssuerKeys;
  /** ours: what we sign never vouches for a workload */
  issuer: string;
  clockSkew: number;
  clock: Clock;
}

/** Verifies a platform's JWT by the rules of the client; an issuer that the client does not trust is never contacted. */
export function createWorkloadVerifier({ keys, issuer, clockSkew, clock }: WorkloadIdentity): VerifyAssertion {
  return async function verifyWorkload({ text, header, payload }, client, audiences) {
    const rules = trustRules(client.metadata).filter(
      (rule) => rule.issuer === payload['iss'] && rule.issuer !== issuer,
    );
    if (rules.length === 0) return { fault: 'the client does not trust its issuer' };
    if (!issuerAlgs.includes(header.alg)) return { fault: 'alg is not allowed' };
    if (header.typ !== undefined && header.typ.toUpperCase() !== 'JWT') return { fault: 'typ is another' };
    if (payload['iat'] === undefined) return { fault: 'iat is missing' };
    const met = rules.filter((rule) => meetsTrustRule(rule, payload));
    const faults = met.map(({ audience }) =>
      findAssertionFault(payload, {
        issuer: String(payload['iss']),
        audiences: audience === undefined ? audiences : [audience],
        now: clock(),
        clockSkew,
        maxLifetime: MAX_LIFETIME,
      }),
    );
    const rule = met[faults.indexOf(undefined)];
    if (rule === undefined) return { fault: faults[0] ?? 'it meets no rule of the client' };
    const key = await findKey(keys, rule.issuer, header);
    if (typeof key === 'string') return { fault: key };
    if (!(await isSignedWith(text, key, [header.alg]))) return { fault: 'its signature is wrong' };
    const { jti, exp } = payload;
    if (jti === undefined || rule.reusable) return {};
    return { once: { issuer: rule.issuer, jti: String(jti), exp: Number(exp) } };
  };
}

/** The key, or why there is none. */
async function findKey(keys: IssuerKeys, issuer: string, header: { alg: string; kid?: string }) {
  try {
    return (await keys.find(issuer, header)) ?? 'its issuer has no such key';
  } catch (error) {
    if (error instanceof FetchFailed) return `the keys of its issuer could not be had: ${error.message}`;
    throw error;
  }
}
