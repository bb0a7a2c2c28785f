// Removes expired rows off the request path: small batches, with the event loop free between them.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Store } from './store.ts';

const BATCH = 200;

/** Sweeps every `intervalMs` until disposed; a batch that fails is tried again next time. */
export function startSweeper(options: { store: Store; logger: Logger; intervalMs?: number }): Disposable {
  const { store, logger, intervalMs = 60_000 } = options;
  const stop = new AbortController();
  void sweepForever();
  return { [Symbol.dispose]: () => stop.abort() };

  async function sweepForever(): Promise<void> {
    while (await paused(intervalMs)) {
      try {
        while ((await store.sweep(BATCH)) === BATCH && (await paused(20)));
      } catch (error) {
        // ended in the middle of a batch: the store may be closed already
        if (stop.signal.aborted) return;
        logger.warn({ err: error }, 'expired rows could not be removed');
      }
    }
  }

  /** False when it was ended meanwhile. */
  function paused(ms: number): Promise<boolean> {
    return pause(ms, true, { signal: stop.signal, ref: false }).catch(() => false);
  }
}
