// Delivers log lines to the central log service: off the request path, bounded in memory, patient when it is down.
import type { Clock } from '../store.ts';
import { createDeliveryReport, type DeliveryReport } from './delivery-report.ts';
import type { LogEntry, Logger } from './logger.ts';
import { createSink, type Outcome, type Sink } from './sink.ts';
import { createTokenCache } from './token-cache.ts';

/** A line that the service answers with an error this often is at fault itself and must not hold up the others. */
const maxErrorAnswers = 10;

/** What became of the lines since the start; `queued` includes those on their way now. */
export interface DeliveryStats {
  queued: number;
  delivered: number;
  dropped: number;
}

/** A queue in front of the log service. */
export interface LogDelivery {
  /** Takes a line of plain JSON. Never throws and never waits; a full queue drops its oldest line. */
  readonly push: (entry: LogEntry) => void;
  stats(): DeliveryStats;
  /** Tries to deliver everything that is queued; resolves when that is done or the time is over. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends all work at once; what was not delivered counts as dropped. */
  stop(): void;
}

/** What a delivery needs. */
export interface LogDeliveryOptions {
  /** of the log service; lines go to `<url>/log` */
  url: string;
  /** the name under which this service's lines are kept */
  service: string;
  /** issues a JWT for the log service; asked again 30 s before its `exp` and when the log service refuses it */
  token: () => Promise<string>;
  clock: Clock;
  /** takes the delivery's own troubles, so it must not forward to this delivery */
  logger: Logger;
  /** called for each line that is given up */
  onDrop?: (() => void) | undefined;
  queueLimit?: number;
  /** simultaneous requests */
  concurrency?: number;
  /** for one line, with its answer */
  timeoutMs?: number;
  /** the pause after a failure: doubled from `firstMs` to `longestMs`, shortened at random by up to half */
  pause?: { firstMs: number; longestMs: number };
  fetch?: typeof fetch;
}

interface QueuedLine {
  entry: LogEntry;
  errorAnswers: number;
}

class Delivery implements LogDelivery {
  readonly #sink: Sink;
  readonly #report: DeliveryReport;
  readonly #onDrop: () => void;
  readonly #queueLimit: number;
  readonly #concurrency: number;
  readonly #pause: { firstMs: number; longestMs: number };
  readonly #stopping = new AbortController();
  #queue: QueuedLine[] = [];
  #waiting: (() => void)[] = [];
  #wakeUp: NodeJS.Immediate | undefined;
  #pausing: NodeJS.Timeout | undefined;
  #sending = 0;
  #failures = 0;
  #delivered = 0;
  #dropped = 0;

  constructor({ token, clock, logger, url, service, ...options }: LogDeliveryOptions) {
    const { timeoutMs = 2500, fetch = globalThis.fetch } = options;
    this.#sink = createSink({ url, service, tokens: createTokenCache(token, clock), timeoutMs, fetch });
    this.#report = createDeliveryReport(logger, clock);
    this.#onDrop = options.onDrop ?? (() => {});
    this.#queueLimit = options.queueLimit ?? 1000;
    this.#concurrency = options.concurrency ?? 4;
    this.#pause = options.pause ?? { firstMs: 250, longestMs: 15_000 };
  }

  // A property, so that it can be handed to the logger as it is.
  readonly push = (entry: LogEntry): void => {
    if (this.#stopping.signal.aborted) return;
    this.#queue.push({ entry, errorAnswers: 0 });
    this.#dropOldest();
    // Starting a request costs time, which is not the caller's.
    this.#wakeUp ??= setImmediate(() => this.#sendNext()).unref();
  };

  stats(): DeliveryStats {
    return { queued: this.#queue.length + this.#sending, delivered: this.#delivered, dropped: this.#dropped };
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#failures = 0;
    this.#endPause();
    this.#sendNext();
    if (this.stats().queued === 0) return;
    await new Promise<void>((resolve) => {
      // Not unref'd, unlike all other timers here: it keeps the process alive until this promise is settled.
      const deadline = setTimeout(resolve, deadlineMs);
      this.#waiting.push(() => {
        clearTimeout(deadline);
        resolve();
      });
    });
  }

  stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort(new Error('stopped'));
    this.#endPause();
    clearImmediate(this.#wakeUp);
    // Those under way are aborted and count when they end.
    const undelivered = this.stats().queued;
    for (const _line of this.#queue.splice(0)) this.#drop();
    if (undelivered > 0) this.#report.stopped(undelivered);
    if (this.#sending === 0) this.#settle();
  }

  #drop(): void {
    this.#dropped += 1;
    this.#onDrop();
  }

  #dropOldest(): void {
    while (this.#queue.length > this.#queueLimit) {
      this.#queue.shift();
      this.#drop();
    }
  }

  #sendNext(): void {
    this.#wakeUp = undefined;
    // While the service is in trouble one line at a time finds out whether it is back.
    const slots = this.#failures > 0 ? 1 : this.#concurrency;
    while (!this.#pausing && this.#sending < slots) {
      const line = this.#queue.shift();
      if (!line) break;
      void this.#send(line);
    }
  }

  async #send(line: QueuedLine): Promise<void> {
    this.#sending += 1;
    const outcome = await this.#sink.post(line.entry, this.#stopping.signal);
    this.#sending -= 1;
    this.#conclude(line, outcome);
    this.#sendNext();
    if (this.stats().queued === 0) this.#settle();
  }

  #conclude(line: QueuedLine, outcome: Outcome): void {
    if (outcome.result === 'delivered') {
      this.#delivered += 1;
      this.#resume();
      const announcement = this.#report.success(this.#dropped);
      if (announcement) this.push(announcement);
      return;
    }
    const final = outcome.result === 'refused' || this.#stopping.signal.aborted;
    if (final || (outcome.answered && ++line.errorAnswers >= maxErrorAnswers)) this.#drop();
    else this.#queue.unshift(line);
    this.#dropOldest();
    if (outcome.result === 'failed') this.#startPause();
    else this.#resume();
    if (!this.#stopping.signal.aborted) this.#report.trouble(outcome.reason, this.stats());
  }

  #startPause(): void {
    if (this.#pausing || this.#stopping.signal.aborted) return;
    const { firstMs, longestMs } = this.#pause;
    const ms = Math.min(longestMs, firstMs * 2 ** this.#failures) * (1 - Math.random() / 2);
    this.#failures += 1;
    this.#pausing = setTimeout(() => {
      this.#pausing = undefined;
      this.#sendNext();
    }, ms).unref();
  }

  #endPause(): void {
    clearTimeout(this.#pausing);
    this.#pausing = undefined;
  }

  #resume(): void {
    this.#failures = 0;
    this.#endPause();
  }

  #settle(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Creates the delivery; it sends nothing before the first line and needs `stop` at the end. */
export function createLogDelivery(options: LogDeliveryOptions): LogDelivery {
  return new Delivery(options);
}
