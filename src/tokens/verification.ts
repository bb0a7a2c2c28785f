// Decides whether a token is a good access token of ours for an audience: authenticates first, explains after.
import type { Keyring } from '../keys/keyring.ts';
import type { Clock, ResourceServer } from '../store.ts';
import { type Issuers, importSharedSecret, maxLifetime } from './access-token.ts';
import { createAuthenticTokens, type VerificationKey } from './authentic-tokens.ts';
import { findBrokenRule, type Refusal, refuse, type VerifiedClaims } from './claim-rules.ts';
import type { CompactJws, JwsHeader } from './compact-jws.ts';

/** The answer to "is this token good for that audience?", in wire names. */
export type Verification = { readonly valid: true; readonly claims: VerifiedClaims } | Refusal;

export interface Verifier {
  /**
   * Verifies a JWT access token (RFC 9068 §4): one that this installation issued, or one that a service signed itself
   * with the shared secret. When shape, key or signature is not ours, the refusal is the same whatever the cause.
   * @param audience the name of the resource server that was shown the token, never taken from the token; not empty
   * @throws StoreUnavailable
   */
  verify(token: string, audience: string): Promise<Verification>;
  /**
   * The same for the audience that the token names, of which there must be one: for whoever answers for the issuer, who
   * then decides who may know. Nobody should accept a token by this.
   * @throws StoreUnavailable
   */
  inspect(token: string): Promise<Verification>;
}

export interface VerifierOptions extends Issuers {
  readonly keyring: Pick<Keyring, 'verificationKey'>;
  /** every secret with which HS256 tokens may be signed */
  readonly sharedSecrets: readonly string[];
  /** leeway in seconds */
  readonly clockSkew: number;
  readonly clock: Clock;
  readonly findResourceServer: (audience: string) => Promise<ResourceServer | undefined>;
  /** asked last, of a token that is good otherwise */
  readonly isRevoked: (jti: string) => Promise<boolean>;
}

const unverifiable: Refusal = Object.freeze({ valid: false, error: 'invalid_token', reason: 'unverifiable' });

export function createVerifier(options: VerifierOptions): Verifier {
  const { keyring, clockSkew, clock, findResourceServer, isRevoked } = options;
  const sharedSecrets = options.sharedSecrets.map((secret) => ({
    alg: 'HS256' as const,
    key: importSharedSecret(secret),
  }));
  const readAuthentic = createAuthenticTokens({ keysFor });

  /** The key decides the algorithm, never the token (RFC 8725 §3.1). */
  function keysFor({ alg, kid }: JwsHeader): readonly VerificationKey[] {
    const named = kid === undefined ? undefined : keyring.verificationKey(kid);
    if (named !== undefined) return named.alg === alg ? [named] : [];
    return alg === 'HS256' ? sharedSecrets : [];
  }

  async function check(token: string, audienceOf: (jws: CompactJws) => string): Promise<Verification> {
    const jws = readAuthentic(token);
    if (jws === undefined) return unverifiable;

    const audience = audienceOf(jws);
    const expectations = { audience, issuers: options, now: clock(), clockSkew, maxLifetime };
    const refusal =
      findBrokenRule(jws, expectations) ?? checkResourceServer(jws, audience, await findResourceServer(audience));
    if (refusal !== undefined) return refusal;

    const claims = jws.payload as VerifiedClaims;
    const { jti } = claims;
    if (typeof jti === 'string' && (await isRevoked(jti))) {
      return refuse('revoked', 'jti', 'a token that is not revoked', jti);
    }
    return { valid: true, claims };
  }

  return {
    verify: (token, audience) => check(token, () => audience),
    inspect: (token) => check(token, soleAudience),
  };
}

/** Empty, which no audience is, when there is none or more than one. */
function soleAudience({ payload: { aud } }: CompactJws): string {
  const [audience, ...others] = [aud].flat();
  return typeof audience === 'string' && others.length === 0 ? audience : '';
}

/**
 * Whoever knows the shared secret can sign anything with it, so HS256 is good only where the resource server is
 * registered for it. Any key pair of ours is good everywhere: a resource server may have been registered anew since.
 */
function checkResourceServer(
  { header }: CompactJws,
  audience: string,
  resourceServer: ResourceServer | undefined,
): Refusal | undefined {
  if (resourceServer === undefined) return refuse('audience', 'aud', 'a registered resource server', audience);
  if (header.alg !== 'HS256' || resourceServer.alg === 'HS256') return undefined;
  return refuse('algorithm', 'alg', resourceServer.alg, header.alg);
}
