// The public keys of outside issuers, found by their metadata (OpenID Connect Discovery §4) and kept for a while.
import { type CryptoKey, importJWK, type JWK } from 'jose';
import type { Clock } from '../store.ts';
import { type FetchDocument, FetchFailed } from './documents.ts';

/** Algorithms with which outside issuers may sign: all with a key pair, so that who verifies cannot sign (RFC 8725 §3.1). */
export const issuerAlgs: readonly string[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];

const KEY_TYPES: Record<string, string> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP' };

/** Seconds. */
const MAX_AGE = 10 * 60;
const REFETCH_PAUSE = 60;
const FAILURE_PAUSE = 10;
const MAX_KEYS = 100;

export interface IssuerKeys {
  /**
   * The key of the issuer that this header names, or undefined. Keys are asked for again after 10 minutes, and for an
   * unknown `kid` at most once a minute.
   * @param issuer one that somebody here trusts: never taken from a token
   * @throws FetchFailed
   */
  find(issuer: string, header: { alg: string; kid?: string }): Promise<CryptoKey | undefined>;
}

interface Cached {
  keys: JWK[];
  fetchedAt: number;
  /** not before then again */
  pauseUntil: number;
  pending?: Promise<void> | undefined;
}

export function createIssuerKeys({ fetchDocument, clock }: { fetchDocument: FetchDocument; clock: Clock }): IssuerKeys {
  const cache = new Map<string, Cached>();

  async function refresh(issuer: string, cached: Cached): Promise<void> {
    try {
      cached.keys = await loadKeys(issuer, fetchDocument);
      cached.fetchedAt = clock();
      cached.pauseUntil = clock() + REFETCH_PAUSE;
    } catch (error) {
      cached.pauseUntil = clock() + FAILURE_PAUSE;
      throw error;
    } finally {
      cached.pending = undefined;
    }
  }

  /** Those who ask at once share one answer. */
  function refreshOnce(issuer: string, cached: Cached): Promise<void> {
    cached.pending ??= refresh(issuer, cached);
    return cached.pending;
  }

  return {
    async find(issuer, header) {
      const cached = cache.get(issuer) ?? { keys: [], fetchedAt: Number.NEGATIVE_INFINITY, pauseUntil: 0 };
      cache.set(issuer, cached);
      if (clock() >= cached.fetchedAt + MAX_AGE) {
        if (cached.pending === undefined && clock() < cached.pauseUntil) {
          throw new FetchFailed('the issuer could not be read a moment ago');
        }
        await refreshOnce(issuer, cached);
      }
      const found = findKey(cached.keys, header);
      if (found !== undefined || clock() < cached.pauseUntil) return importKey(found, header.alg);
      await refreshOnce(issuer, cached);
      return importKey(findKey(cached.keys, header), header.alg);
    },
  };
}

async function loadKeys(issuer: string, fetchDocument: FetchDocument): Promise<JWK[]> {
  const metadata = await fetchDocument(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const { issuer: named, jwks_uri: jwksUri } = Object(metadata) as Record<string, unknown>;
  if (named !== issuer) throw new FetchFailed('the metadata is of another issuer');
  if (typeof jwksUri !== 'string') throw new FetchFailed('the metadata names no jwks_uri');
  const { keys } = Object(await fetchDocument(jwksUri)) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw new FetchFailed('the JWKS has no list of keys');
  return keys.filter((key) => typeof key === 'object' && key !== null);
}

/** Without a `kid` the key must be the only one that fits (RFC 7515 §4.1.4). */
function findKey(keys: readonly JWK[], { alg, kid }: { alg: string; kid?: string }): JWK | undefined {
  const fitting = keys.filter(
    (key) =>
      key.kty === KEY_TYPES[alg.slice(0, 2)] &&
      (key.alg === undefined || key.alg === alg) &&
      (key.use === undefined || key.use === 'sig') &&
      (kid === undefined || key.kid === kid),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

async function importKey(jwk: JWK | undefined, alg: string): Promise<CryptoKey | undefined> {
  if (jwk === undefined) return undefined;
  const { d: _, ...publicPart } = jwk;
  try {
    const key = await importJWK(publicPart, alg);
    return key instanceof Uint8Array ? undefined : key;
  } catch {
    return undefined;
  }
}
