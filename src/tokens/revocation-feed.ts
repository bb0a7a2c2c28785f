// The revocation feed: a short signed list with which services that verify JWTs locally can honour revocation.
import { hash, type KeyObject } from 'node:crypto';
import { CompactSign } from 'jose';
import type { Clock, RevokedTokens } from '../store.ts';
import { backdatingSeconds } from './access-token.ts';

/** The `typ` of the feed, and its media type without `application/`: it passes for no other kind of token. */
export const revocationFeedType = 'revocations+jwt';

/** The most entries of a feed, about 300 KB. */
export const maxRevocations = 5_000;

/** How long a feed may be relied upon, in seconds, by a reader that cannot reach the issuer. */
const lifetime = 300;

/** Readers get a new feed at least this often, in seconds, so that an unchanged list does not run out on them. */
const period = 60;

/** One state of the feed. */
export interface RevocationFeed {
  /** compact JWS; claims `iss`, `iat`, `exp`, `revoked` (hashes of `jti`, newest first) and `complete` */
  readonly jwt: string;
  /** weak (RFC 9110 §8.8.1): each process signs its own, and says the same */
  readonly etag: string;
}

/** @param options `signingKey` is asked anew for each feed, since keys are rotated */
export function createRevocationFeed(options: {
  revokedTokens: Pick<RevokedTokens, 'list'>;
  signingKey: () => { kid: string; alg: string; key: KeyObject };
  issuer: string;
  clock: Clock;
}): () => Promise<RevocationFeed> {
  const { revokedTokens, signingKey, issuer, clock } = options;
  let made: { at: number; feed: Promise<RevocationFeed> } | undefined;

  /** Anybody may ask, so whoever asks within the same second shares one signature. */
  return async function readFeed() {
    const at = Math.floor(clock());
    if (made?.at !== at) made = { at, feed: makeFeed(at) };
    try {
      return await made.feed;
    } catch (error) {
      made = undefined;
      throw error;
    }
  };

  async function makeFeed(now: number): Promise<RevocationFeed> {
    const tokens = await revokedTokens.list(maxRevocations + 1);
    const revoked = tokens.slice(0, maxRevocations).map(({ jtiHash }) => jtiHash);
    const complete = tokens.length <= maxRevocations;
    const { alg, kid, key } = signingKey();
    const claims = { iss: issuer, iat: now - backdatingSeconds, exp: now + lifetime, complete, revoked };
    const jwt = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg, typ: revocationFeedType, kid })
      .sign(key);
    const contents = hash('sha256', [kid, complete, ...revoked].join(), 'base64url').slice(0, 16);
    return { jwt, etag: `W/"${Math.floor(now / period)}-${contents}"` };
  }
}
