// Remembers when each client secret was last used, so that an operator sees when the old one can go.
import type { ClientUses, Clock } from '../store.ts';

/** How exact the time is, in seconds: a secret that is used all the time costs one write in so many. */
const PRECISION = 60 * 60;

/** Most secrets whose last record this process remembers; beyond, it begins anew. */
const MAX_REMEMBERED = 10_000;

/**
 * Records uses without making anybody wait, at most once an hour for each secret and process. What cannot be recorded
 * now is with the next use.
 */
export function createSecretUses(options: {
  uses: Pick<ClientUses, 'recordSecret'>;
  clock: Clock;
}): (clientId: string, name: string) => void {
  const { uses, clock } = options;
  const recorded = new Map<string, number>();

  return function recordUse(clientId, name) {
    const key = JSON.stringify([clientId, name]);
    const now = clock();
    const last = recorded.get(key);
    if (last !== undefined && now < last + PRECISION) return;
    if (recorded.size >= MAX_REMEMBERED) recorded.clear();
    recorded.set(key, now);
    uses.recordSecret(clientId, name, now).catch(() => recorded.delete(key));
  };
}
