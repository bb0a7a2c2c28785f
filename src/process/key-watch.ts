// Keeps the signing keys of a running process up to date, and the schedule of all processes going.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createKeyRotation } from '../keys/rotation.ts';
import { type KeySchedule, POLL_SECONDS } from '../keys/schedule.ts';
import type { WatchedKeys } from '../keys/signing-keys.ts';
import type { Clock, Store } from '../store.ts';
import { watchClock } from './clock-jumps.ts';

/** How often the time of what is known is looked at: all processes follow the time to within this. */
const TICK_MS = 250;

/** How often each thing is done. */
const EVERY_MS = { refresh: POLL_SECONDS * 1_000, writeFetches: 10_000, advance: 60_000 };

/** Another process keeps the schedule, at the latest this many seconds after the one that did has gone. */
const LEASE_SECONDS = 180;

/** Seconds for which nothing is done by the schedule after the clock has jumped: it may be put right again. */
const DISTRUST_MS = 3_600_000;

interface KeyWatchOptions {
  readonly keys: WatchedKeys;
  readonly store: Store;
  readonly schedule: KeySchedule;
  readonly logger: Logger;
  readonly clock: Clock;
  /** milliseconds since some moment */
  readonly steady?: () => number;
}

/** Watches until disposed. What fails is said once, and tried again. */
export function startKeyWatch(options: KeyWatchOptions): Disposable {
  const { keys, store, logger, clock, steady = () => performance.now() } = options;
  const rotation = createKeyRotation({ keys: store.keys, clock, schedule: options.schedule });
  const holder = randomUUID();
  const jumpOf = watchClock(clock, () => steady() / 1000);
  const stop = new AbortController();
  const failing = new Set<string>();
  let trustedFrom = steady();
  void watch();
  return { [Symbol.dispose]: () => stop.abort() };

  async function watch(): Promise<void> {
    const next = { refresh: steady(), writeFetches: steady() + EVERY_MS.writeFetches, advance: steady() };
    while (await paused()) {
      if (keys.isDue() || steady() >= next.refresh) {
        next.refresh = steady() + EVERY_MS.refresh;
        await attempt('changed signing keys could not be taken up', () => keys.refresh());
      }
      if (steady() >= next.writeFetches) {
        next.writeFetches = steady() + EVERY_MS.writeFetches;
        await attempt('fetches of the JWKS could not be written down', () => keys.writeFetches());
      }
      if (steady() >= next.advance) {
        next.advance = steady() + EVERY_MS.advance;
        await attempt('the schedule of the signing keys could not be kept', advance);
      }
    }
  }

  async function advance(): Promise<void> {
    if (jumpOf() !== 0) trustedFrom = steady() + DISTRUST_MS;
    if (steady() < trustedFrom || !(await store.takeLease('keys', holder, LEASE_SECONDS))) return;
    const done = await rotation.advance();
    if (done.published.length + done.forgotten.length > 0) keys.noteRotation(done);
  }

  async function attempt(failure: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      failing.delete(failure);
    } catch (error) {
      // ended in the middle of it: the store may be closed already
      if (stop.signal.aborted || failing.has(failure)) return;
      failing.add(failure);
      logger.error({ err: error }, failure);
    }
  }

  /** False when it was ended meanwhile. */
  function paused(): Promise<boolean> {
    return pause(TICK_MS, true, { signal: stop.signal, ref: false }).catch(() => false);
  }
}
