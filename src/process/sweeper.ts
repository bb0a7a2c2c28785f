// Removes expired rows off the request path: by one process at a time, in small batches with the event loop free between.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Clock, Store } from '../store.ts';
import { watchClock } from './clock-jumps.ts';

/** Most rows in a batch; how many there is time for, the store knows. */
const BATCH = 400;

/** Between batches. */
const BREATH_MS = 10;

/** Another process takes over, at the latest this many seconds after the one that sweeps has gone. */
const LEASE_SECONDS = 180;
const RENEWAL_MS = 30_000;

/**
 * After the clock jumped, nothing is swept for as long as a clock set wrongly may stand: a proof or an assertion that
 * was seen before and whose record is gone would be new again, once the clock is put right.
 */
const DISTRUST_MS = 3_600_000;

interface SweeperOptions {
  readonly store: Store;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly intervalMs?: number;
  /** milliseconds since some moment */
  readonly steady?: () => number;
}

/** Sweeps every `intervalMs` until disposed, and warns of clocks that jump; a batch that fails is tried again next time. */
export function startSweeper(options: SweeperOptions): Disposable {
  const { store, logger, clock, intervalMs = 60_000, steady = () => performance.now() } = options;
  const holder = randomUUID();
  const jumpOf = watchClock(clock, () => steady() / 1000);
  const stop = new AbortController();
  let trustedFrom = steady();
  let renewFrom = steady();
  void sweepForever();
  return { [Symbol.dispose]: () => stop.abort() };

  async function sweepForever(): Promise<void> {
    while (await paused(intervalMs)) {
      if (!isClockTrusted()) continue;
      try {
        await sweepAll();
      } catch (error) {
        // ended in the middle of a batch: the store may be closed already
        if (stop.signal.aborted) return;
        logger.warn({ err: error }, 'expired rows could not be removed');
      }
    }
  }

  async function sweepAll(): Promise<void> {
    // the clock is looked at right before each batch: it may have jumped while the one before was under way
    while ((await holdsLease()) && isClockTrusted()) {
      const { more } = await store.sweep(BATCH);
      if (!more || !(await paused(BREATH_MS))) return;
    }
  }

  function isClockTrusted(): boolean {
    const jump = jumpOf();
    if (jump !== 0) {
      logger.warn({ seconds: jump }, 'the clock jumped: expired rows stay for an hour');
      trustedFrom = steady() + DISTRUST_MS;
    }
    return steady() >= trustedFrom;
  }

  async function holdsLease(): Promise<boolean> {
    if (steady() < renewFrom) return true;
    const held = await store.takeLease('sweep', holder, LEASE_SECONDS);
    renewFrom = held ? steady() + RENEWAL_MS : steady();
    return held;
  }

  /** False when it was ended meanwhile. */
  function paused(ms: number): Promise<boolean> {
    return pause(ms, true, { signal: stop.signal, ref: false }).catch(() => false);
  }
}
