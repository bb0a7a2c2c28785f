// An outside issuer for tests: a platform such as a CI service, with its metadata and keys behind a `fetch` of its own.
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface OutsideIssuer {
  readonly url: string;
  /** answers requests to the issuer; everything else is refused as a network would */
  readonly fetch: (url: string | URL | Request) => Promise<Response>;
  /** the URLs that were asked for, in order */
  readonly requests: string[];
  /** what the issuer publishes; a test may change it */
  readonly published: { metadata: Record<string, unknown>; keys: JWK[] };
  /** A JWT with these claims on top of `iss`, `iat`, `exp` and `jti`; `undefined` leaves one out. */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export async function createOutsideIssuer(
  url = 'https://token.actions.example',
  alg = 'RS256',
): Promise<OutsideIssuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const keys: JWK[] = [{ ...(await exportJWK(publicKey)), kid: 'outside', alg, use: 'sig' }];
  const published = { metadata: { issuer: url, jwks_uri: `${url}/jwks` } as Record<string, unknown>, keys };
  const requests: string[] = [];
  return {
    url,
    published,
    requests,
    async fetch(target) {
      const asked = String(target instanceof Request ? target.url : target);
      requests.push(asked);
      if (asked === `${url}/.well-known/openid-configuration`) return Response.json(published.metadata);
      if (asked === `${url}/jwks`) return Response.json({ keys: published.keys });
      throw new TypeError('fetch failed');
    },
    sign(claims, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all = { iss: url, iat: now, exp: now + 300, jti: crypto.randomUUID(), ...claims };
      return new SignJWT(all).setProtectedHeader({ alg, kid: 'outside', ...header }).sign(privateKey);
    },
  };
}
