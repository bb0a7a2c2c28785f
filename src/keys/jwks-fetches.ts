// Who has fetched the JWKS, and so whether verifiers know the next key before it signs.
import type { Clock, JwksFetch, JwksFetches, SigningKeyTimes } from '../store.ts';
import { POLL_SECONDS } from './schedule.ts';

/** Seconds between two records of the same verifier. */
const RECORD_SECONDS = 60;

/** What is kept until it is written, and of what was written lately: more verifiers than these are not told apart. */
const MOST = 1_000;

const AGENT_LENGTH = 64;

export interface JwksFetchRecorder {
  /** Notes it in memory; nobody waits. */
  note(address: string, agent: string): void;
  /** Writes what is new: each verifier once a minute at most. @throws StoreUnavailable, and tries it again next time */
  write(): Promise<void>;
}

export function createJwksFetchRecorder(fetches: JwksFetches, clock: Clock): JwksFetchRecorder {
  const noted = new Map<string, JwksFetch>();
  const written = new Map<string, number>();

  return {
    note(address, userAgent) {
      const agent = shownAgent(userAgent);
      const verifier = `${address} ${agent}`;
      if (noted.size < MOST || noted.has(verifier))
        noted.set(verifier, { address, agent, lastAt: Math.floor(clock()) });
    },
    async write() {
      const now = clock();
      for (const [verifier, at] of written) if (Math.abs(now - at) >= RECORD_SECONDS) written.delete(verifier);
      const due = [...noted].filter(([verifier]) => !written.has(verifier));
      if (due.length === 0) return;
      await fetches.record(due.map(([, fetch]) => fetch));
      for (const [verifier, fetch] of due) {
        if (noted.get(verifier) === fetch) noted.delete(verifier);
        written.set(verifier, now);
      }
    },
  };
}

/** What a person recognises a program by: printable, and no longer than a line has room for. */
function shownAgent(userAgent: string): string {
  return userAgent.replaceAll(/[^\x20-\x7e]/g, '').slice(0, AGENT_LENGTH) || '-';
}

/** Which verifiers have fetched the JWKS since a key is in it, and which fetched it before but not since. */
export function readiness(key: SigningKeyTimes, fetches: readonly JwksFetch[]) {
  // whoever asked while some process did not have the key yet may have been given the JWKS without it
  const since = key.createdAt + 2 * POLL_SECONDS;
  return {
    ready: fetches.filter(({ lastAt }) => lastAt >= since),
    waiting: fetches.filter(({ lastAt }) => lastAt < since),
  };
}
