// How the primary process looks after its workers: when it replaces one, how patiently, and when it gives up.
import assert from 'node:assert/strict';
import { createLogger } from '../../src/logging/logger.ts';
import { type Exit, startWorkers, type WorkerProcess } from '../../src/process/workers.ts';

/** A process that does what the test says. */
class ScriptedWorker implements WorkerProcess {
  readonly pid: number;
  readonly listening: Promise<boolean>;
  readonly exited: Promise<Exit>;
  asked = 0;
  killed = 0;
  exit: (code: number | null, signal?: string) => void = () => {};
  listen: () => void = () => {};

  constructor(pid: number) {
    this.pid = pid;
    this.exited = new Promise((resolve) => {
      this.exit = (code, signal) => resolve({ code, signal: signal ?? null });
    });
    const listens = new Promise<boolean>((resolve) => {
      this.listen = () => resolve(true);
    });
    this.listening = Promise.race([listens, this.exited.then(() => false)]);
  }

  end(): void {
    this.asked += 1;
  }

  kill(): void {
    this.killed += 1;
  }
}

describe('process: the supervision of workers', () => {
  let forked: ScriptedWorker[];
  let pauses: number[];
  let log: Record<string, unknown>[];
  let steadyMs: number;
  /** Ends the pause that somebody is in. */
  let resume: () => void;

  beforeEach(() => {
    forked = [];
    pauses = [];
    log = [];
    steadyMs = 0;
    resume = () => {};
  });

  const last = (): ScriptedWorker => forked.at(-1) as ScriptedWorker;

  function start(count: number) {
    const starting = startWorkers({
      count,
      logger: createLogger({ level: 'info', destination: { write: (line) => void log.push(JSON.parse(line)) } }),
      fork() {
        forked.push(new ScriptedWorker(100 + forked.length));
        return last();
      },
      pause: (ms, signal) =>
        new Promise<void>((resolve, reject) => {
          pauses.push(ms);
          resume = resolve;
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      steady: () => steadyMs,
    });
    return { starting, first: last() };
  }

  /** Lets everything happen that can. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  async function startAll(count: number) {
    const { starting, first } = start(count);
    first.listen();
    const workers = await starting;
    assert.ok(workers);
    return workers;
  }

  async function crash(worker: ScriptedWorker, afterMs = 10): Promise<void> {
    steadyMs += afterMs;
    worker.exit(null, 'SIGSEGV');
    await settle();
  }

  it('starts one ahead of the others, who follow once it listens', async () => {
    const { starting, first } = start(4);
    await settle();
    assert.equal(forked.length, 1);
    first.listen();
    assert.ok(await starting);
    assert.equal(forked.length, 4);
  });

  it('gives up when that one does not get as far as listening', async () => {
    const { starting, first } = start(4);
    first.exit(1);
    assert.equal(await starting, undefined);
    assert.equal(forked.length, 1);
    assert.deepEqual(pauses, []);
  });

  it('replaces a worker that ends, and says how it ended', async () => {
    await startAll(2);
    await crash(forked[1] as ScriptedWorker);
    assert.equal(forked.length, 2, 'not at once');
    resume();
    await settle();
    assert.equal(forked.length, 3);
    const [{ worker, exitCode, signal, pauseMs, level } = {}] = log;
    assert.deepEqual(
      { worker, exitCode, signal, pauseMs, level },
      { worker: 101, exitCode: null, signal: 'SIGSEGV', pauseMs: 1_000, level: 50 },
    );
    assert.equal(log.length, 1);
  });

  it('pauses for 1 s, 2 s, 4 s and so on to 30 s before it replaces one that never lives for long', async () => {
    await startAll(1);
    for (let crashes = 0; crashes < 7; crashes += 1) {
      await crash(last(), 59_000);
      resume();
      await settle();
    }
    assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    assert.equal(forked.length, 8);
  });

  it('pauses for 1 s again after one that lived for a minute', async () => {
    await startAll(1);
    for (const lifeMs of [10, 10, 60_000, 10]) {
      await crash(last(), lifeMs);
      resume();
      await settle();
    }
    assert.deepEqual(pauses, [1_000, 2_000, 1_000, 2_000]);
  });

  it('asks all to end and waits for the last of them', async () => {
    const workers = await startAll(3);
    let over = false;
    const ending = workers.end().then((well) => {
      over = true;
      return well;
    });
    assert.deepEqual(
      forked.map(({ asked }) => asked),
      [1, 1, 1],
    );
    forked[0]?.exit(0);
    forked[2]?.exit(0);
    await settle();
    assert.equal(over, false);
    forked[1]?.exit(0);
    assert.equal(await ending, true);
    assert.equal(forked.length, 3, 'none is replaced');
    assert.deepEqual(log, []);
  });

  for (const [name, code, signal, well] of [
    ['an exit with 1', 1, undefined, false],
    ['a kill', null, 'SIGKILL', false],
    ['a SIGTERM that came before it could listen for one', null, 'SIGTERM', true],
  ] as const) {
    it(`counts ${name} as ${well ? 'a good' : 'a bad'} end`, async () => {
      const workers = await startAll(2);
      const ending = workers.end();
      forked[0]?.exit(0);
      forked[1]?.exit(code, signal);
      assert.equal(await ending, well);
    });
  }

  it('does not wait for a pause to be over when all are to end', async () => {
    const workers = await startAll(2);
    await crash(forked[0] as ScriptedWorker);
    const ending = workers.end();
    forked[1]?.exit(0);
    assert.equal(await ending, true);
    assert.equal(forked.length, 2);
  });

  it('kills those that are left', async () => {
    const workers = await startAll(2);
    void workers.end();
    forked[0]?.exit(0);
    await settle();
    workers.kill();
    assert.deepEqual(
      forked.map(({ killed }) => killed),
      [0, 1],
    );
  });
});
