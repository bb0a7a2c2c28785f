// Keeps audit events in the store: off the request path, in batches, bounded in memory, patient when the store is down.
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditEvent, AuditEvents } from '../store.ts';
import type { Logger } from './logger.ts';

/** Where events go to be kept. Disposing it tries once more to write what is queued. */
export interface AuditTrail extends AsyncDisposable {
  /** Takes an event; never throws and never waits. With a full queue the event is counted as lost. */
  readonly record: (event: AuditEvent) => void;
}

export interface AuditTrailOptions {
  append: AuditEvents['append'];
  /** makes the event that tells how many were lost */
  lossOf: (lost: number) => AuditEvent;
  logger: Logger;
  queueLimit?: number;
  /** most events in one transaction */
  batch?: number;
  /** how long the first event of a batch waits for others */
  gatherMs?: number;
  /** how long to wait after the store failed */
  retryMs?: number;
}

/**
 * An event is in the store about `gatherMs` after it happened; a process that is killed loses what it has not written
 * yet. While the store is down events queue up to the limit, and then later ones are lost: their number is logged, and
 * recorded as an event of its own as soon as the store is back.
 */
export function createAuditTrail(options: AuditTrailOptions): AuditTrail {
  const { append, lossOf, logger, queueLimit = 10_000, batch = 256, gatherMs = 250, retryMs = 1_000 } = options;
  const ending = new AbortController();
  let queue: AuditEvent[] = [];
  let lost = 0;
  let failing = false;
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (queue.length > 0 || lost > 0) {
      // a transaction costs much more than an event: what can wait waits for company
      if (queue.length < batch) await waitFor(gatherMs);
      if (await writeBatch()) continue;
      if (ending.signal.aborted) return;
      await waitFor(retryMs);
    }
  }

  async function writeBatch(): Promise<boolean> {
    const events = queue.slice(0, batch);
    const lostNow = queue.length <= batch ? lost : 0;
    try {
      await append(lostNow > 0 ? [...events, lossOf(lostNow)] : events);
    } catch (error) {
      if (!failing) logger.error({ err: error }, 'audit events cannot be kept now: they wait in memory');
      failing = true;
      return false;
    }
    queue = queue.slice(events.length);
    lost -= lostNow;
    if (failing || lostNow > 0) logger.warn({ lost: lostNow }, 'audit events are kept again');
    failing = false;
    return true;
  }

  function waitFor(ms: number): Promise<void> {
    return pause(ms, undefined, { signal: ending.signal, ref: false }).catch(() => undefined);
  }

  function start(): void {
    writing ??= writeAll().finally(() => {
      writing = undefined;
    });
  }

  return {
    record(event) {
      if (queue.length < queueLimit) queue.push(event);
      else lost += 1;
      if (!ending.signal.aborted) start();
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      await writing;
      if (queue.length > 0) await writeBatch();
      if (queue.length > 0) logger.error({ lost: queue.length + lost }, 'audit events were lost: the store is down');
    },
  };
}
