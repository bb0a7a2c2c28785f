// Sweeps a SQLite file in a thread of its own, so that neither deleting nor syncing stops the thread that serves.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type Clock, StoreUnavailable, type Swept } from '../src/store.ts';
import type { Engine } from './engine.ts';
import type { SweepLimits } from './sweeping.ts';

/** What the thread is asked to do (`sweeping-in-thread.ts`). */
export type SweepTask = { do: 'delete'; limits: SweepLimits } | { do: 'take in the log' };

/** What it answers: rows that it deleted, or why it could not. */
export type SweepAnswer = { swept: Swept } | { failed: string; outage: boolean };

export interface SweepingThread extends AsyncDisposable {
  /**
   * Deletes expired rows in one short transaction, then takes what is in the write-ahead log into the file. This
   * process's own writes wait for the transaction, instead of finding the file locked.
   * @throws StoreUnavailable
   */
  sweep(limit: number): Promise<Swept>;
}

/** Starts no thread before it is needed. */
export function createSweepingThread(options: { engine: Engine; file: string; clock: Clock }): SweepingThread {
  const { engine, file, clock } = options;
  let thread: Worker | undefined;

  function start(): Worker {
    // without what this process was told to load or to debug
    const started = new Worker(new URL('./sweeping-in-thread.ts', import.meta.url), {
      workerData: { file },
      execArgv: [],
    });
    started.unref();
    started.on('error', () => undefined); // whoever waits for an answer learns of it
    started.once('exit', () => {
      if (thread === started) thread = undefined;
    });
    return started;
  }

  async function ask(task: SweepTask): Promise<Swept> {
    const { port1, port2 } = new MessageChannel();
    thread ??= start();
    thread.postMessage({ task, port: port2 }, [port2]);
    const answer = await answerAt(port1);
    if ('swept' in answer) return answer.swept;
    throw answer.outage ? new StoreUnavailable(answer.failed) : new Error(answer.failed);
  }

  return {
    async sweep(limit) {
      const now = clock(); // which the caller has just looked at, and trusts
      if (!thread) await ask({ do: 'take in the log' }); // it takes a while to start, which no write should wait for
      const swept = await engine.betweenWrites(() => ask({ do: 'delete', limits: { now, limit } }));
      await engine.betweenWrites(() => ask({ do: 'take in the log' }));
      return swept;
    },
    async [Symbol.asyncDispose]() {
      await thread?.terminate();
    },
  };
}

/** Holds the process while it waits, which the thread does not. */
async function answerAt(port: MessagePort): Promise<SweepAnswer> {
  try {
    return await new Promise((resolve, reject) => {
      port.once('message', resolve);
      port.once('close', () => reject(new StoreUnavailable('the thread that sweeps has ended')));
    });
  } finally {
    port.close();
  }
}
