// Brings the signing keys from the store into use, and makes the first ones.
import type { Clock, Keys, SigningKey, SigningKeyTimes } from '../store.ts';
import { generateSigningKey, signingAlgs } from './key-generation.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import type { Rotation } from './rotation.ts';
import { keyState, publishedKeys } from './schedule.ts';

/**
 * The keyring of this installation as it is now, with a key of every algorithm: what is missing is generated and stored
 * first. Processes that boot at once on an empty store end up with the same keys, since each uses what the store kept.
 *
 * A stored key that does not unseal is an error and stays where it is: a new one beside it would silently void every
 * token and confuse every client that caches `/jwks` (security.md R57).
 * @throws UnsealFailed naming ENCRYPTION_KEY, StoreUnavailable, Error when a stored key is damaged
 */
export async function openKeyring(options: { keys: Keys; clock: Clock }): Promise<Keyring> {
  return createKeyring(await ensureKeys(options), options.clock());
}

/** A keyring that becomes another when keys change or their time comes; what it answers is always of one moment. */
export interface LiveKeyring extends Keyring {
  /**
   * Takes up what has changed in the store or by the time, and says whether anything has.
   * @param prepare is given the new keyring before anybody else is; when it throws, everything stays as it was
   * @throws UnsealFailed, StoreUnavailable, Error when a stored key is damaged
   */
  refresh(prepare: (next: Keyring) => void): Promise<boolean>;
  /** Whether the time has come for what is known: costs nothing to ask. */
  isDue(): boolean;
}

/** The keys that a process works with. */
export interface WatchedKeys {
  /** Whether the time has come for something that is known: costs nothing to ask. */
  isDue(): boolean;
  /** Takes up what has changed. */
  refresh(): Promise<unknown>;
  /** Writes down who fetched the JWKS. */
  writeFetches(): Promise<void>;
  /** Is told what the schedule has done. */
  noteRotation(rotation: Rotation): void;
}

/** Like `openKeyring`, for a process that goes on. */
export async function openLiveKeyring(options: { keys: Keys; clock: Clock }): Promise<LiveKeyring> {
  const { keys, clock } = options;
  const stored = await ensureKeys(options);
  const openedAt = clock();
  let keyring = await createKeyring(stored, openedAt);
  let times: readonly SigningKeyTimes[] = stored;
  let view = viewOf(stored, openedAt);

  return {
    get privateJwks() {
      return keyring.privateJwks;
    },
    get publicJwks() {
      return keyring.publicJwks;
    },
    signingKey: (alg) => keyring.signingKey(alg),
    verificationKey: (kid) => keyring.verificationKey(kid),
    isDue: () => viewOf(times, clock()) !== view,
    async refresh(prepare) {
      times = await keys.times();
      if (viewOf(times, clock()) === view) return false;
      const listed = await keys.list();
      const now = clock();
      const next = await createKeyring(listed, now);
      prepare(next);
      keyring = next;
      times = listed;
      view = viewOf(listed, now);
      return true;
    },
  };
}

/** Two moments with the same view have the same keyring. */
function viewOf(times: readonly SigningKeyTimes[], now: number): string {
  return publishedKeys(times, now)
    .map((key) => `${key.kid} ${keyState(key, now)}`)
    .join('\n');
}

async function ensureKeys({ keys, clock }: { keys: Keys; clock: Clock }): Promise<SigningKey[]> {
  const stored = await keys.list();
  const missing = missingAlgs(stored);
  if (missing.length === 0) return stored;
  const now = Math.floor(clock());
  await keys.insertMissing(await Promise.all(missing.map((alg) => generateSigningKey(alg, now))));
  return keys.list();
}

function missingAlgs(stored: readonly SigningKey[]) {
  return signingAlgs.filter((alg) => !stored.some((key) => key.alg === alg));
}
