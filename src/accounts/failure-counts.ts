// Failed attempts in a row, counted under keys: a few are free, then each one waits for longer, and there is an end.
import type { Clock, RateLimits } from '../store.ts';
import { consumes, StoredRateLimiter } from './stored-rate-limiter.ts';

/** Failures in a row that cost nothing yet: people mistype. */
export const FREE_FAILURES = 5;
/** Seconds to wait after the next failure; twice as long after each further one. */
const FIRST_DELAY = 30;
const LONGEST_DELAY = 60 * 60;

/** seconds */
const DAY = 24 * 60 * 60;

/** What is counted together. */
export interface Counter {
  key: string;
  /** failures in a row after which no attempt is considered any more */
  max: number;
  /** seconds after which the count begins anew; 0: never */
  duration: number;
}

/** An attempt that may be made; it has to be ended. */
export interface Attempt {
  /** `broken`: it came to nothing through no fault of whoever made it */
  end(outcome: 'failed' | 'succeeded' | 'broken'): Promise<void>;
}

export interface FailureCounts {
  /** Undefined when the attempt may not be made now. */
  begin(counter: Counter): Promise<Attempt | undefined>;
  /** Notes an attempt that was not made: as much work as a failure is. */
  ignore(key: string): Promise<void>;
  countOf(key: string): Promise<number>;
  /** `waits`: seconds until the next attempt may be made. */
  stateOf(key: string): Promise<{ count: number; ignored: number; waits: number }>;
  /** @param count as it was found: without many failures there is less to forget */
  clear(key: string, count: number): Promise<void>;
}

/** @param parts.nameOf what a key is called in the table */
export function createFailureCounts(parts: {
  rateLimits: RateLimits;
  clock: Clock;
  nameOf(key: string): string;
}): FailureCounts {
  const failures = new StoredRateLimiter({ ...parts, keyPrefix: 'failures', points: 0, duration: 0 });
  const ignored = new StoredRateLimiter({ ...parts, keyPrefix: 'ignored', points: 0, duration: DAY });
  /** Open, one attempt passes it and closes it for the delay. */
  const gates = new StoredRateLimiter({ ...parts, keyPrefix: 'gate', points: 1, duration: FIRST_DELAY });
  /** Attempts that this process is making, of those that are free: they are written when they have failed. */
  const underWay = new Map<string, number>();

  async function countOf(key: string): Promise<number> {
    return (await failures.get(key))?.consumedPoints ?? 0;
  }

  function beginFree({ key, duration }: Counter): Attempt {
    underWay.set(key, (underWay.get(key) ?? 0) + 1);
    return {
      async end(outcome) {
        try {
          if (outcome === 'failed') await failures.penalty(key, 1, { customDuration: duration });
        } finally {
          const others = (underWay.get(key) ?? 0) - 1;
          if (others > 0) underWay.set(key, others);
          else underWay.delete(key);
        }
      },
    };
  }

  /** Counted as failed from its beginning, so that simultaneous attempts, of all processes, are no way around. */
  async function beginCounted({ key, max, duration }: Counter, before: number): Promise<Attempt | undefined> {
    if (before >= max || (await gates.get(key))) return undefined;
    const { consumedPoints } = await failures.penalty(key, 1, { customDuration: duration });
    const takeBack = async () => void (await failures.reward(key, 1, { customDuration: duration }));
    const count = consumedPoints + (underWay.get(key) ?? 0);
    // simultaneous attempts must not lengthen the delay by their number
    const failed = Math.min(count, Math.max(before, FREE_FAILURES) + 1);
    const passes = count <= FREE_FAILURES || (count <= max && (await consumes(gates, key, delayAfter(failed))));
    if (!passes) {
      await takeBack();
      return undefined;
    }
    return {
      async end(outcome) {
        if (outcome === 'broken') await Promise.all([takeBack(), gates.delete(key)]);
      },
    };
  }

  return {
    countOf,
    async begin(counter) {
      const before = await countOf(counter.key);
      const together = before + (underWay.get(counter.key) ?? 0);
      return together < FREE_FAILURES ? beginFree(counter) : beginCounted(counter, before);
    },
    async ignore(key) {
      await ignored.penalty(key);
    },
    async stateOf(key) {
      const [count, closed, inVain] = await Promise.all([countOf(key), gates.get(key), ignored.get(key)]);
      const waits = Math.ceil((closed?.msBeforeNext ?? 0) / 1000);
      return { count: Math.max(count, 0), ignored: inVain?.consumedPoints ?? 0, waits };
    },
    async clear(key, count) {
      const counts = count > FREE_FAILURES ? [failures, gates, ignored] : [failures];
      await Promise.all(counts.map((one) => one.delete(key)));
    },
  };
}

function delayAfter(failed: number): number {
  return Math.min(FIRST_DELAY * 2 ** (failed - FREE_FAILURES - 1), LONGEST_DELAY);
}
