// What every JWT access token of ours has in common (RFC 9068), whoever issues it.
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Keyring } from '../keys/keyring.ts';
import type { AccessTokenAlg } from '../store.ts';
import { signCompactJws } from './jws-signature.ts';

/** The `typ` of our access tokens (RFC 9068 §2.1): what tells them from ID tokens and logout tokens. */
export const accessTokenType = 'at+jwt';

/** How far `iat` and `nbf` are set back, in seconds: a strict verifier whose clock is slow accepts a fresh token. */
export const backdatingSeconds = 5;

/** The longest lifetime of an access token, in seconds. */
export const maxLifetime = 86_400;

/** The claims of an access token in wire names (RFC 9068 §2.2). One audience: a token for two could be replayed. */
export interface AccessTokenClaims {
  iss: string;
  sub: string;
  aud: string;
  client_id: string;
  scope?: string;
  jti: string;
  iat: number;
  nbf: number;
  exp: number;
}

/** The two names under which tokens are issued; equal unless `JWT_ISSUER` is a plain name. */
export interface Issuers {
  readonly issuer: string;
  readonly sharedSecretIssuer: string;
}

/** A key that signs access tokens. Without `kid` it is the shared secret, which nobody looks up. */
export interface AccessTokenKey {
  readonly kid?: string;
  readonly alg: AccessTokenAlg;
  readonly key: KeyObject;
}

/**
 * The time claims of a token that is good for `lifetime` seconds from now; only `iat` and `nbf` are back-dated, so
 * `expires_in` is `lifetime`.
 * @param now epoch seconds
 */
export function accessTokenTimes(now: number, lifetime: number): { iat: number; nbf: number; exp: number } {
  const seconds = Math.floor(now);
  const iat = seconds - backdatingSeconds;
  return { iat, nbf: iat, exp: seconds + lifetime };
}

/** The `iss` of a token signed with that algorithm. */
export function issuerFor(alg: string, issuers: Issuers): string {
  return alg === 'HS256' ? issuers.sharedSecretIssuer : issuers.issuer;
}

/**
 * The shared secret as an HS256 key (RFC 7518 §3.2). Its bytes are the UTF-8 of the string, not what the string might
 * encode: PyJWT, given the same string, makes the same key.
 */
export function importSharedSecret(secret: string): KeyObject {
  return createSecretKey(secret, 'utf8');
}

/** The key that signs for a resource server of that algorithm. @throws Error when the keyring has none */
export function accessTokenKey(
  alg: AccessTokenAlg,
  sources: { keyring: Keyring; sharedSecret: KeyObject },
): AccessTokenKey {
  return alg === 'HS256' ? { alg, key: sources.sharedSecret } : sources.keyring.signingKey(alg);
}

/** The token in compact serialization (RFC 7515 §7.1). */
export function signAccessToken(claims: AccessTokenClaims, { alg, kid, key }: AccessTokenKey): Promise<string> {
  const header = { typ: accessTokenType, ...(kid !== undefined && { kid }) };
  return signCompactJws(JSON.stringify(claims), { alg, key, header });
}
