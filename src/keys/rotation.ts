// Changes which keys sign: by the schedule, or because an operator says so; safe beside others who do the same.
import type { Clock, KeyChange, Keys, SigningKeyTimes } from '../store.ts';
import { generateSigningKey, type SigningAlg, signingAlgs } from './key-generation.ts';
import { dueChanges, type KeySchedule, keyState, nextKey, SETTLING_SECONDS } from './schedule.ts';

/** No key has this `kid`. */
export class UnknownKey extends Error {
  override name = 'UnknownKey';
}

/** What was done: the keys that were published, and those whose times changed, as they are now. */
export interface Rotation {
  readonly published: readonly SigningKeyTimes[];
  readonly changed: readonly SigningKeyTimes[];
  readonly forgotten: readonly string[];
}

export interface KeyRotation {
  /** Does what is due by the schedule; mostly nothing. */
  advance(): Promise<Rotation>;
  /**
   * Publishes the next key of each algorithm, where none is published yet. `now` lets it sign at once: verifiers that
   * keep the JWKS for a while refuse its tokens until they fetch it again.
   */
  rotate(algs: readonly SigningAlg[], options: { now: boolean }): Promise<Rotation>;
  /**
   * Has the key sign no longer, its successor taking over at once; it stays published until its last token has
   * expired. `now` removes it with all its tokens: for a key that somebody else may know.
   * @throws UnknownKey
   */
  retire(kid: string, options: { now: boolean }): Promise<Rotation>;
}

/** A plan over the keys of one moment: what is there, and what is to become of it. */
interface Draft {
  readonly now: number;
  readonly keys: Map<string, SigningKeyTimes>;
  readonly publish: { alg: SigningAlg; signsAt: number }[];
  readonly remove: string[];
}

/** Over the keys of one store. Every method answers StoreUnavailable when it cannot be asked. */
export function createKeyRotation(options: { keys: Keys; clock: Clock; schedule: KeySchedule }): KeyRotation {
  const { keys, clock, schedule } = options;

  return {
    advance: () =>
      attempt((draft) => {
        const due = dueChanges([...draft.keys.values()], draft.now, schedule);
        for (const alg of known(due.publish)) publishAt(draft, alg, draft.now + schedule.publish);
        draft.remove.push(...due.forget);
      }),
    rotate: (algs, { now }) =>
      attempt((draft) => {
        for (const alg of algs) {
          if (now) takeOver(draft, alg);
          else if (!nextOf(draft, alg)) publishAt(draft, alg, draft.now + schedule.publish);
        }
      }),
    retire: (kid, { now }) => attempt((draft) => retireKey(draft, kid, now)),
  };

  /** Plans anew when somebody else was faster. A key is made outside of the transaction: it takes a while. */
  async function attempt(plan: (draft: Draft) => void): Promise<Rotation> {
    for (;;) {
      const before = await keys.times();
      const now = Math.floor(clock());
      const draft: Draft = { now, keys: new Map(before.map((key) => [key.kid, key])), publish: [], remove: [] };
      plan(draft);
      const insert = await Promise.all(draft.publish.map(({ alg, signsAt }) => generateSigningKey(alg, now, signsAt)));
      const update = before.flatMap((key) => {
        const planned = draft.keys.get(key.kid);
        return planned === undefined || planned === key ? [] : [planned];
      });
      const change: KeyChange = { insert, update, remove: draft.remove };
      const idle = insert.length + update.length + draft.remove.length === 0;
      if (idle || (await keys.change(before, change))) {
        const published = insert.map(({ jwk: _, ...times }) => times);
        return { published, changed: update, forgotten: draft.remove };
      }
    }
  }

  /** A new key that signs from then on, in the place of the present one. */
  function publishAt(draft: Draft, alg: SigningAlg, signsAt: number): void {
    draft.publish.push({ alg, signsAt });
    replaceAt(draft, alg, signsAt);
  }

  /** The next key signs as soon as every process knows that it does; one is made when there is none. */
  function takeOver(draft: Draft, alg: SigningAlg): void {
    const signsAt = draft.now + SETTLING_SECONDS;
    const next = nextOf(draft, alg);
    if (!next) {
      publishAt(draft, alg, signsAt);
    } else if (next.signsAt > signsAt) {
      draft.keys.set(next.kid, { ...next, signsAt });
      replaceAt(draft, alg, signsAt);
    }
  }

  /** Whatever signs with that algorithm stops then, and is removed when its last token has expired. */
  function replaceAt(draft: Draft, alg: string, stopsAt: number): void {
    for (const key of draft.keys.values()) {
      if (key.alg !== alg || keyState(key, draft.now) !== 'signing') continue;
      const removedAt = Math.min(key.removedAt ?? Number.POSITIVE_INFINITY, stopsAt + schedule.retire);
      draft.keys.set(key.kid, { ...key, stopsAt, removedAt });
    }
  }

  function retireKey(draft: Draft, kid: string, now: boolean): void {
    const key = draft.keys.get(kid);
    if (key === undefined) throw new UnknownKey(`there is no key ${kid}`);
    const settled = draft.now + SETTLING_SECONDS;
    switch (keyState(key, draft.now)) {
      case 'next':
        // it has signed nothing; the schedule makes another
        draft.remove.push(kid);
        keepSigning(draft, key);
        return;
      case 'signing': {
        const [alg] = known([key.alg]);
        if (alg) takeOver(draft, alg);
        break;
      }
      default:
    }
    const stopped = draft.keys.get(kid) ?? key;
    if (now && (stopped.removedAt ?? Number.POSITIVE_INFINITY) > settled) {
      draft.keys.set(kid, { ...stopped, removedAt: settled });
    }
  }

  /** The successor is withdrawn, so the present key goes on. */
  function keepSigning(draft: Draft, { alg, signsAt }: SigningKeyTimes): void {
    for (const key of draft.keys.values()) {
      if (key.alg !== alg || key.stopsAt !== signsAt || keyState(key, draft.now) !== 'signing') continue;
      const { stopsAt: _stopsAt, removedAt: _removedAt, ...rest } = key;
      draft.keys.set(key.kid, rest);
    }
  }
}

function nextOf({ keys, now }: Draft, alg: string): SigningKeyTimes | undefined {
  return nextKey([...keys.values()], alg, now);
}

/** Keys of algorithms that this program does not know are left to the version that does. */
function known(algs: readonly string[]): SigningAlg[] {
  return signingAlgs.filter((alg) => algs.includes(alg));
}
