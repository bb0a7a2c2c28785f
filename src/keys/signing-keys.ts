// Brings the signing keys from the store into use, and makes the first ones.
import type { Clock, Keys, SigningKey } from '../store.ts';
import { generateSigningKey, signingAlgs } from './key-generation.ts';
import { createKeyring, type Keyring } from './keyring.ts';

/**
 * The keyring of this installation, with a key of every algorithm: what is missing is generated and stored first.
 * Processes that boot at once on an empty store end up with the same keys, since each uses what the store kept.
 *
 * A stored key that does not unseal is an error and stays where it is: a new one beside it would silently void every
 * token and confuse every client that caches `/jwks` (security.md R57).
 * @throws UnsealFailed naming ENCRYPTION_KEY, StoreUnavailable, Error when a stored key is damaged
 */
export async function openKeyring(options: { keys: Keys; clock: Clock }): Promise<Keyring> {
  const { keys, clock } = options;
  const stored = await keys.list();
  const missing = missingAlgs(stored);
  if (missing.length === 0) return createKeyring(stored);

  const now = Math.floor(clock());
  await keys.insertMissing(await Promise.all(missing.map((alg) => generateSigningKey(alg, now))));
  return createKeyring(await keys.list());
}

function missingAlgs(stored: readonly SigningKey[]) {
  return signingAlgs.filter((alg) => !stored.some((key) => key.alg === alg));
}
