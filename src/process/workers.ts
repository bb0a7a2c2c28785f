// The worker processes of one machine: starts them, puts another one in the place of each that ends, and ends them all.
import cluster, { type Worker } from 'node:cluster';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';

/** The pause before a worker is replaced: doubled each time from the first to the longest. */
const PAUSE_MS = { first: 1_000, longest: 30_000 };

/** A worker that lived this long was well: the pause is short again. */
const WELL_MS = 60_000;

/** How a process ended; one that could not even be started has neither. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One process, as its primary process sees it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** whether it listens; false when it ended first */
  readonly listening: Promise<boolean>;
  readonly exited: Promise<Exit>;
  /** Asks it to end: it answers what is in flight first. */
  end(): void;
  kill(): void;
}

export interface Workers {
  /** Asks all of them to end, and waits for it. True when each ended well. */
  end(): Promise<boolean>;
  /** Ends all of them at once. */
  kill(): void;
}

interface WorkersOptions {
  readonly count: number;
  readonly logger: Logger;
  readonly fork: () => WorkerProcess;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** milliseconds since some moment */
  readonly steady?: () => number;
}

/**
 * Starts the workers, one ahead of the others: what keeps that one from listening would keep all of them. Undefined when
 * something did; that worker has said what on standard error.
 */
export async function startWorkers(options: WorkersOptions): Promise<Workers | undefined> {
  const { count, logger, fork, pause = pauseFor, steady = () => performance.now() } = options;
  const ending = new AbortController();
  const living = new Set<WorkerProcess>();

  function start(): WorkerProcess {
    const worker = fork();
    living.add(worker);
    void worker.exited.then(() => living.delete(worker));
    return worker;
  }

  /** One worker after the other, until all are asked to end; whether the last one ended well. */
  async function keepOne(first: WorkerProcess): Promise<boolean> {
    let pauseMs = PAUSE_MS.first;
    for (let worker = first; ; worker = start()) {
      const startedAt = steady();
      const exit = await worker.exited;
      if (ending.signal.aborted) return endedWell(exit);
      if (steady() - startedAt >= WELL_MS) pauseMs = PAUSE_MS.first;
      const { code: exitCode, signal } = exit;
      logger.error(
        { worker: worker.pid, exitCode, signal, pauseMs },
        'a worker ended by itself: another one takes its place',
      );
      await pause(pauseMs, ending.signal).catch(() => undefined);
      if (ending.signal.aborted) return true;
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS.longest);
    }
  }

  const first = start();
  if (!(await first.listening)) return undefined;
  const all = [first, ...Array.from({ length: count - 1 }, start)].map(keepOne);

  return {
    async end() {
      ending.abort();
      for (const worker of living) worker.end();
      return (await Promise.all(all)).every(Boolean);
    },
    kill() {
      for (const worker of living) worker.kill();
    },
  };
}

/** A signal that was sent to the whole group of processes ends a worker that has not begun to listen for it. */
function endedWell({ code, signal }: Exit): boolean {
  return code === 0 || signal === 'SIGTERM' || signal === 'SIGINT';
}

function pauseFor(ms: number, signal: AbortSignal): Promise<unknown> {
  return setTimeout(ms, undefined, { signal });
}

/** Starts this file as a worker, with one argument; what it listens on is shared with the others. */
export function forkWorker(file: string, argument: string): WorkerProcess {
  cluster.setupPrimary({ exec: file, args: [argument] });
  const worker = cluster.fork();
  const exited = exitOf(worker);
  return {
    pid: worker.process.pid,
    listening: new Promise((resolve) => {
      worker.once('listening', () => resolve(true));
      void exited.then(() => resolve(false));
    }),
    exited,
    end: () => void worker.process.kill('SIGTERM'),
    kill: () => void worker.process.kill('SIGKILL'),
  };
}

function exitOf(worker: Worker): Promise<Exit> {
  return new Promise((resolve) => {
    worker.once('exit', (code: number | null, signal: string | null) => resolve({ code, signal }));
    // also emitted when a connection cannot be handed to a worker that is about to exit: that one exits all the same
    worker.on('error', () => {
      if (worker.process.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}
