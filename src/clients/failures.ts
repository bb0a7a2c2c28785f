// Slows down who guesses at a client: after so many failures in a minute, a failure says to come back later.
import { createHash } from 'node:crypto';
import type { ClientUses, Clock } from '../store.ts';

/** Failures of one client in one period that are answered as what they are (security.md R54). */
const MAX_FAILURES = 20;
/** seconds */
const PERIOD = 60;

/**
 * Client ids share this many rows, so that inventing ids fills no disk. Two that share one only share the answer to a
 * wrong secret.
 */
const BUCKETS = 65_536;

/** Counts failures, together with every process on this store. */
export interface ClientFailures {
  /**
   * Counts one failed attempt for this client, whether or not there is such a client. Answers after how many seconds to
   * come back, or undefined while there were few. The right secret is never asked to wait: else anybody could lock a
   * client out.
   * @throws StoreUnavailable
   */
  count(clientId: string): Promise<number | undefined>;
}

export function createClientFailures(options: {
  uses: Pick<ClientUses, 'countFailure' | 'failures'>;
  clock: Clock;
}): ClientFailures {
  const { uses, clock } = options;
  return {
    async count(clientId) {
      const now = clock();
      const period = Math.floor(now / PERIOD);
      const bucket = bucketOf(clientId);
      // beyond the limit nothing more is written: a flood of guesses costs reads
      const before = await uses.failures(bucket, period);
      const failures = before > MAX_FAILURES ? before : await uses.countFailure(bucket, period);
      return failures > MAX_FAILURES ? (period + 1) * PERIOD - now : undefined;
    },
  };
}

function bucketOf(clientId: string): number {
  return createHash('sha256').update(clientId).digest().readUInt32BE() % BUCKETS;
}
