// Sends letters in the background: whoever asks for one never waits for the mail server, and never learns what it said.
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Deliver, DeliveryFailed, type Letter } from './delivery.ts';

/**
 * A queue in memory. A letter that a mail server does not take now is tried again; one that a process takes with it is
 * lost, which is why nothing may hang on it: whoever waits for a letter can ask for another.
 */
export interface Mailer {
  /** false: there is no mail here, and `send` does nothing */
  readonly isConfigured: boolean;
  /** Resolves once the letter is queued. Never throws. */
  send(letter: Letter): Promise<void>;
  /**
   * The same for a letter that is still to be written: `write` runs in the background as well, so that the time of an
   * answer does not tell what it finds; without a letter nothing is sent.
   */
  sendLater(write: () => Promise<Letter | undefined>): void;
  /**
   * The same at a time that nobody can foresee, in the order in which they came: what is asked for next would have to wait
   * for the work, and so tell whether there was any.
   */
  sendUnseen(write: () => Promise<Letter | undefined>): void;
  /** Sends what is queued, each letter in one last attempt, and ends. What takes longer is lost, and that is logged. */
  drain(timeoutMs: number): Promise<void>;
}

interface Options {
  /** absent: there is no mail */
  deliver?: Deliver | undefined;
  logger: Pick<Logger, 'warn' | 'error'>;
  /** the pauses between attempts */
  retryMs?: readonly number[];
  /** most letters that wait; more are lost, and that is logged */
  queueLimit?: number;
  /** most connections at once */
  concurrency?: number;
}

interface Queued {
  letter: Letter;
  /** attempts that failed */
  failures: number;
}

/** How long a letter is put off at most, to be unseen: many other things happen in that time, and nobody misses it. */
const UNSEEN_MS = 500;

/** Letters are sent in the order in which they came, apart from those that are tried again. */
export function createMailer({
  deliver,
  logger,
  retryMs = [5_000, 30_000, 120_000],
  queueLimit = 1_000,
  concurrency = 2,
}: Options): Mailer {
  const queue: Queued[] = [];
  const paused = new Map<Queued, NodeJS.Timeout>();
  const writing = new Set<Promise<void>>();
  let sending = 0;
  let draining = false;
  /** when the last of the unseen letters may be written */
  let lastTurn: Promise<unknown> = Promise.resolve();
  let onIdle = () => {};

  function enqueue(queued: Queued): void {
    if (queue.length + paused.size >= queueLimit) {
      logger.error('a letter is lost: too many are waiting');
      return;
    }
    queue.push(queued);
    work();
  }

  function work(): void {
    while (deliver && sending < concurrency) {
      const queued = queue.shift();
      if (!queued) break;
      sending += 1;
      void attempt(deliver, queued).finally(() => {
        sending -= 1;
        work();
      });
    }
    if (sending === 0 && queue.length === 0) onIdle();
  }

  async function attempt(deliverTo: Deliver, queued: Queued): Promise<void> {
    try {
      await deliverTo(queued.letter);
    } catch (error) {
      const pauseMs = retryMs[queued.failures];
      const isFinal = (error instanceof DeliveryFailed && error.permanent) || pauseMs === undefined || draining;
      if (isFinal) {
        const reason = error instanceof Error ? error.message : String(error);
        logger.warn({ reason, attempts: queued.failures + 1 }, 'a letter could not be sent');
        return;
      }
      queued.failures += 1;
      paused.set(queued, setTimeout(() => resume(queued), pauseMs).unref());
    }
  }

  function resume(queued: Queued): void {
    clearTimeout(paused.get(queued));
    paused.delete(queued);
    queue.push(queued);
    work();
  }

  async function settle(): Promise<void> {
    await Promise.all(writing);
    draining = true;
    for (const queued of [...paused.keys()]) resume(queued);
    if (sending === 0 && queue.length === 0) return;
    await new Promise<void>((resolve) => {
      onIdle = resolve;
    });
  }

  function sendLater(write: () => Promise<Letter | undefined>): void {
    if (!deliver) return;
    const written = write()
      .then((letter) => letter && enqueue({ letter, failures: 0 }))
      .catch((error: unknown) => logger.error({ err: error }, 'a letter could not be written'))
      .finally(() => writing.delete(written)) as Promise<void>;
    writing.add(written);
  }

  return {
    isConfigured: deliver !== undefined,
    async send(letter) {
      if (deliver) enqueue({ letter, failures: 0 });
    },
    sendLater,
    sendUnseen(write) {
      if (!deliver) return;
      const turn = Promise.all([lastTurn, pause(randomInt(UNSEEN_MS))]);
      lastTurn = turn;
      sendLater(() => turn.then(write));
    },
    async drain(timeoutMs) {
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, timeoutMs);
      });
      await Promise.race([settle(), deadline]);
      clearTimeout(timer);
      const lost = queue.length + sending + writing.size;
      queue.length = 0;
      if (lost > 0) logger.warn({ count: lost }, 'letters are lost: the process ends before they are sent');
    },
  };
}
