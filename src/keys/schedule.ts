// The life of a signing key: published, signing, stopped but still published, removed; all of it told by its times.
import type { SigningKeyTimes } from '../store.ts';

/** How long a key is published before it signs, signs, and stays published afterwards. Seconds. */
export interface KeySchedule {
  readonly publish: number;
  readonly sign: number;
  /** not less than the longest lifetime of a token */
  readonly retire: number;
}

/** `next`: published, to sign later. `signing`. `retired`: still verifies. `removed`: gone from the JWKS. */
export type KeyState = 'next' | 'signing' | 'retired' | 'removed';

/**
 * A change that an operator asks for takes effect so many seconds later: by then every process knows of it, since each
 * looks every `POLL_SECONDS`, and none refuses what another has just signed.
 */
export const SETTLING_SECONDS = 4;
export const POLL_SECONDS = 2;

/** A removed key is still listed so long, in seconds; a clock set wrongly for a while thus loses no key. */
const REMEMBERED = 7 * 86_400;

/**
 * What the key does at that moment, in epoch seconds. No moment is before the key was made: the clock was set back, and
 * the first keys sign all the same.
 */
export function keyState({ createdAt, signsAt, stopsAt, removedAt }: SigningKeyTimes, now: number): KeyState {
  const at = Math.max(createdAt, now);
  if (removedAt !== undefined && removedAt <= at) return 'removed';
  if (stopsAt !== undefined && stopsAt <= at) return 'retired';
  return signsAt <= at ? 'signing' : 'next';
}

/** The keys that are published at that moment: those that sign, then the others, each newest first. */
export function publishedKeys<K extends SigningKeyTimes>(keys: readonly K[], now: number): K[] {
  const inUse = keys.filter((key) => keyState(key, now) !== 'removed');
  const order = (key: K) => (keyState(key, now) === 'signing' ? 0 : 1);
  return inUse.toSorted((a, b) => order(a) - order(b) || b.signsAt - a.signsAt || b.createdAt - a.createdAt);
}

/** The key of an algorithm that is to sign next, if it is published already. */
export function nextKey(keys: readonly SigningKeyTimes[], alg: string, now: number): SigningKeyTimes | undefined {
  return keys.find((key) => key.alg === alg && keyState(key, now) === 'next');
}

/** What the schedule asks for at a moment: algorithms that need a next key, and keys that nothing needs any more. */
export function dueChanges(
  keys: readonly SigningKeyTimes[],
  now: number,
  schedule: KeySchedule,
): { publish: string[]; forget: string[] } {
  const signing = keys.filter((key) => keyState(key, now) === 'signing');
  const publish = signing
    .filter(({ alg, signsAt }) => now >= signsAt + schedule.sign - schedule.publish && !nextKey(keys, alg, now))
    .map(({ alg }) => alg);
  const forget = keys.filter(({ removedAt }) => removedAt !== undefined && removedAt + REMEMBERED <= now);
  return { publish: [...new Set(publish)], forget: forget.map(({ kid }) => kid) };
}
