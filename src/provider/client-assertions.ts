// Client authentication by JWTs that only we can verify: signed with a client's secret, or by a platform it runs on.
import type { KeyObject } from 'node:crypto';
import { type CryptoKey, compactVerify, errors as joseErrors } from 'jose';
import type { Context } from 'koa';
import { errors } from 'oidc-provider';
import { signsWithSecret } from '../clients/metadata-rules.ts';
import { liveSecrets } from '../clients/secrets.ts';
import { addressesOf } from '../http/addresses.ts';
import type { Parameters } from '../http/body.ts';
import type { AuditLog } from '../logging/events.ts';
import { CLIENT_ASSERTION, type ClientRecord, type Clock } from '../store.ts';
import { importSharedSecret } from '../tokens/access-token.ts';
import { type CompactJws, parseCompactJws } from '../tokens/compact-jws.ts';
import { findAssertionFault } from './assertion-claims.ts';
import type { RefuseClient } from './client-refusals.ts';
import type { Replays, Statement } from './replays.ts';
import type { Vouchers } from './vouchers.ts';

/** RFC 7523 §2.2. */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** An assertion as it was sent, taken apart. */
export interface Assertion extends CompactJws {
  readonly text: string;
}

/** What a verifier says: whether it authenticates the client, and what has to be remembered so that it does so once. */
export type AssertionVerdict = { readonly fault: string } | { readonly once?: Statement };

/** @param audiences by which an assertion may name us (RFC 7523 §3) */
export type VerifyAssertion = (
  assertion: Assertion,
  client: ClientRecord,
  audiences: readonly string[],
) => Promise<AssertionVerdict>;

export interface ClientAssertions {
  findClient(clientId: string): Promise<ClientRecord | undefined>;
  /** one that a platform signed for the workload that the client is */
  verifyWorkload: VerifyAssertion;
  recordUse(clientId: string, secretName: string): void;
  replays: Replays;
  vouchers: Vouchers;
  refuseClient: RefuseClient;
  audit: AuditLog;
  issuer: string;
  clockSkew: number;
  clock: Clock;
}

/** Seconds that a client may make its own assertion good for. */
const MAX_LIFETIME = 60 * 60;

/** The part of `createProtocolRequests` that authenticates by assertion. */
export function createClientAssertions(options: ClientAssertions) {
  return async function authenticateAssertion(ctx: Context, parameters: Parameters): Promise<Parameters> {
    const { client_assertion: text, client_assertion_type: type, ...rest } = parameters;
    const other = rest['client_secret'] !== undefined || ctx.get('authorization') !== '';
    const jws = typeof text === 'string' && type === assertionType && !other ? parseCompactJws(text) : undefined;
    if (jws === undefined) return parameters;
    const clientId = String(rest['client_id'] ?? jws.payload['sub'] ?? '');
    const client = await options.findClient(clientId);
    const verify = client && verifierFor(client, jws);
    if (client === undefined || verify === undefined) return parameters;

    const audiences = [options.issuer, `${options.issuer}/token`, `${options.issuer}${ctx.path}`];
    const verdict = await verify({ ...jws, text: text as string }, client, audiences);
    if ('fault' in verdict) return refuse(ctx, clientId, verdict.fault);
    if (verdict.once && !(await isFirst(ctx, verdict.once))) return refuseReplay(ctx, clientId);
    options.vouchers.vouch(ctx.req, clientId);
    ctx.req.headers.authorization = `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:vouched-for`).toString('base64')}`;
    return rest;
  };

  /** Undefined: the library's business, or nobody's. */
  function verifierFor(client: ClientRecord, { payload }: CompactJws): VerifyAssertion | undefined {
    if (payload['iss'] !== client.clientId) return options.verifyWorkload;
    return signsWithSecret(client.metadata) ? verifyWithSecret : undefined;
  }

  async function verifyWithSecret(
    { text, header, payload }: Assertion,
    client: ClientRecord,
    audiences: readonly string[],
  ): Promise<AssertionVerdict> {
    if (header.alg !== 'HS256') return { fault: 'alg is not HS256' };
    const secret = await signingSecret(text, client, options.clock());
    if (secret === undefined) return { fault: 'no live secret of the client has signed it' };
    const fault = findAssertionFault(payload, {
      issuer: client.clientId,
      subject: client.clientId,
      audiences,
      now: options.clock(),
      clockSkew: options.clockSkew,
      maxLifetime: MAX_LIFETIME,
    });
    if (fault !== undefined) return { fault };
    const { jti, exp } = payload;
    if (jti === undefined) return { fault: 'jti is missing' };
    options.recordUse(client.clientId, secret);
    return { once: { issuer: client.clientId, jti: String(jti), exp: Number(exp) } };
  }

  function isFirst({ req }: Context, { issuer, jti, exp }: Statement): Promise<boolean> {
    return options.replays.isFirst(req, CLIENT_ASSERTION, { issuer, jti, exp: exp + options.clockSkew });
  }

  function refuse(ctx: Context, clientId: string, reason: string): Promise<never> {
    recordFailure(ctx, clientId, reason);
    return options.refuseClient(ctx, clientId, reason);
  }

  /** Not counted as a failure: whoever sends a genuine assertion again guesses at nothing. */
  function refuseReplay(ctx: Context, clientId: string): never {
    const reason = 'it was used before';
    recordFailure(ctx, clientId, reason);
    throw new errors.InvalidClientAuth(reason);
  }

  function recordFailure(ctx: Context, clientId: string, reason: string): void {
    const requestId = ctx.response.get('x-request-id');
    const facts = { requestId, ...addressesOf(ctx), clientId, error: 'invalid_client', reason };
    options.audit.clientAuthenticationFailed(facts);
  }
}

/** The name of the secret that has signed the assertion. */
async function signingSecret(text: string, client: ClientRecord, now: number): Promise<string | undefined> {
  for (const { name, value } of liveSecrets(client, now)) {
    if (value !== undefined && (await isSignedWith(text, importSharedSecret(value), ['HS256']))) return name;
  }
  return undefined;
}

/** Whether that key has made the signature, by one of these algorithms. */
export async function isSignedWith(text: string, key: CryptoKey | KeyObject, algorithms: string[]): Promise<boolean> {
  try {
    await compactVerify(text, key, { algorithms });
    return true;
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) return false;
    throw error;
  }
}
