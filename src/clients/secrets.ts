// Client secrets: making one, the digest that is kept of it, and comparing what a client presents.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ClientRecord, ClientSecret } from '../store.ts';

const maxLength = 1_024;

// Nothing has this digest; it is compared where there is no secret, so that both take the same time.
const noDigest = Buffer.alloc(32);

/** A secret of 32 random bytes, in base64url: safe in a form, a header and an environment variable. */
export function newClientSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a secret: its SHA-256 in base64url. Enough for random secrets, which nobody can guess. */
export function secretDigest(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

function equals(presented: Buffer, digest: string): boolean {
  const expected = Buffer.from(digest, 'base64url');
  return timingSafeEqual(presented, expected.length === presented.length ? expected : noDigest);
}

/** The secrets of the client that are good at `now` (epoch seconds). */
export function liveSecrets(client: ClientRecord | undefined, now: number): ClientSecret[] {
  return (client?.secrets ?? []).filter(({ expiresAt }) => expiresAt === undefined || now < expiresAt);
}

/**
 * Which secret of the client this is at `now`, if any. Every secret is compared, in constant time; an unknown client
 * costs the same as a wrong secret (security.md R54). Control characters, which oidc-provider would pad away, never match.
 */
export function matchingSecret(
  client: ClientRecord | undefined,
  presented: string,
  now: number,
): ClientSecret | undefined {
  const wellFormed = presented !== '' && presented.length <= maxLength && !/\p{Cc}/u.test(presented);
  const digest = hash('sha256', wellFormed ? presented : '', 'buffer');
  const live = liveSecrets(client, now);
  const [match] = live.filter((secret) => equals(digest, secret.digest));
  if (live.length === 0) equals(digest, '');
  return wellFormed ? match : undefined;
}
