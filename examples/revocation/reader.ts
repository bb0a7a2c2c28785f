// Asks the issuer's revocation feed about a token that verified locally; docs/revocation.md says how to use it.
import { createHash } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';

type Feed = { exp: number; complete: boolean; revoked: string[] };

/** Tells whether the token with this `jti` was revoked. Rejects when that cannot be known: answer 503 then. */
export function createRevocationReader(issuer: string): (jti: string) => Promise<boolean> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
  const rules = { issuer, typ: 'revocations+jwt', algorithms: ['ES256'], requiredClaims: ['exp'] };
  let feed: Feed = { exp: 0, complete: true, revoked: [] };
  let [etag, askedAt, update] = ['', 0, Promise.resolve()];

  async function ask(): Promise<void> {
    const request = { headers: { 'If-None-Match': etag }, signal: AbortSignal.timeout(2000) };
    const answer = await fetch(`${issuer}/revocations`, request);
    if (answer.status === 304) return;
    feed = (await jwtVerify<Feed>(await answer.text(), keys, rules)).payload;
    etag = answer.headers.get('ETag') ?? '';
  }

  return async function isRevoked(jti) {
    if (Date.now() - askedAt > 5000) [askedAt, update] = [Date.now(), ask().catch(() => undefined)];
    await update;
    if (feed.exp < Date.now() / 1000) throw new Error('the revocation feed cannot be read');
    if (feed.revoked.includes(createHash('sha256').update(jti).digest('base64url'))) return true;
    if (!feed.complete) throw new Error('the list of revoked tokens is cut short: ask /introspect');
    return false;
  };
}
