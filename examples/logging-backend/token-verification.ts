// Verifies the JWTs that callers present: signed with the shared secret, or with a key that the OpenID Provider publishes.
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import type { LoggingBackendConfig } from './config.ts';

/** Who calls, as the verified token says. */
export interface Caller {
  readonly sub: string;
  /** absent when the token has no `scope`: services that sign their own tokens with the shared secret set none */
  readonly scopes?: ReadonlySet<string>;
}

/** The token is not acceptable. The message is safe to show: details are given only once the signature has verified. */
export class TokenRefused extends Error {}

/** The provider's keys could not be fetched: nothing is known about the token, and trying again later may help. */
export class KeysUnavailable extends Error {}

const clockToleranceSeconds = 15;
const asymmetricAlgs = ['ES256', 'EdDSA', 'RS256', 'PS256'];

/**
 * Verifies one access token (RFC 9068 §4, RFC 8725 §3).
 * @throws TokenRefused, KeysUnavailable
 */
export type TokenVerifier = (token: string) => Promise<Caller>;

/** Keys are fetched at the first token that needs them. */
export function createTokenVerifier({
  audience,
  shared,
  provider,
}: Pick<LoggingBackendConfig, 'audience' | 'shared' | 'provider'>): TokenVerifier {
  const claims = { audience, requiredClaims: ['exp', 'sub'], clockTolerance: clockToleranceSeconds };
  // PyJWT, too, takes the variable's UTF-8 bytes as the key, so that both languages accept each other's tokens.
  const secrets = (shared?.secrets ?? []).map((secret) => new TextEncoder().encode(secret));
  const findKey = provider && createKeyLookup(provider);

  async function verifySharedSecret(token: string): Promise<JWTPayload> {
    for (const secret of secrets) {
      try {
        const options = { ...claims, issuer: shared?.issuer ?? '', algorithms: ['HS256'] };
        const { payload, protectedHeader } = await jwtVerify(token, secret, options);
        requireAccessTokenType(protectedHeader.typ);
        return payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
      }
    }
    throw new TokenRefused('the token cannot be verified');
  }

  async function verifyPublishedKey(token: string): Promise<JWTPayload> {
    if (findKey === undefined || provider === undefined) throw new TokenRefused('the token cannot be verified');
    // The same keys sign ID tokens: only the type "at+jwt" says that a token is meant for a resource server.
    const options = { ...claims, issuer: provider.issuer, algorithms: asymmetricAlgs, typ: 'at+jwt' };
    return (await jwtVerify(token, findKey, options)).payload;
  }

  return async function verifyToken(token) {
    try {
      // The token's "alg" only chooses between two separate worlds. In each of them our configuration says which
      // algorithms and keys are allowed, so a published key can never be taken for a shared secret (RFC 8725 §3.1).
      const { alg } = decodeProtectedHeader(token);
      return parseCaller(await (alg === 'HS256' ? verifySharedSecret(token) : verifyPublishedKey(token)));
    } catch (error) {
      if (error instanceof TokenRefused || error instanceof KeysUnavailable) throw error;
      throw new TokenRefused(describe(error), { cause: error });
    }
  };
}

function requireAccessTokenType(typ: string | undefined): void {
  if (typ !== undefined && !['at+jwt', 'application/at+jwt', 'jwt'].includes(typ.toLowerCase())) {
    throw new TokenRefused('the token is not an access token');
  }
}

function parseCaller({ sub, exp, scope }: JWTPayload): Caller {
  if (typeof sub !== 'string' || sub === '' || sub.length > 255)
    throw new TokenRefused('the token has no usable subject');
  if (!Number.isSafeInteger(exp)) throw new TokenRefused('the token has no usable expiry');
  if (scope === undefined) return { sub };
  if (typeof scope !== 'string') throw new TokenRefused('the token has no usable scope');
  return { sub, scopes: new Set(scope.split(' ')) };
}

// jose checks the signature first: whoever causes one of the claim errors holds a genuine token and may know more.
function describe(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `unexpected or missing "${error.claim}" in the token`;
  return 'the token cannot be verified';
}

/** Looks keys up by `kid`. jose caches them and fetches again for an unknown `kid`, at most every 30 seconds. */
function createKeyLookup({ issuer, jwksUri }: NonNullable<LoggingBackendConfig['provider']>): JWTVerifyGetKey {
  let lookup = jwksUri === undefined ? undefined : createRemoteJWKSet(new URL(jwksUri));
  return async function findKey(header, input) {
    try {
      // Discovered at the first token, not at start: the services of a platform start in any order.
      lookup ??= createRemoteJWKSet(await discoverJwksUri(issuer));
      return await lookup(header, input);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      if (error instanceof errors.JOSENotSupported) throw error;
      throw new KeysUnavailable('the keys of the OpenID Provider cannot be fetched', { cause: error });
    }
  };
}

async function discoverJwksUri(issuer: string): Promise<URL> {
  const url = `${issuer}/.well-known/openid-configuration`;
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const metadata = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
  // A document that speaks for another issuer would lend us that issuer's keys (OpenID Connect Discovery §4.3).
  if (metadata.issuer !== issuer) throw new Error(`${url} speaks for another issuer`);
  return new URL(String(metadata.jwks_uri));
}
