// The sweeper over a real store: one process at a time, small batches, patience with what fails and clocks that jump.
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { openStore } from '../../adapters/open-store.ts';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import { createLogger } from '../../src/logging/logger.ts';
import { startSweeper } from '../../src/process/sweeper.ts';
import { type Store, StoreUnavailable } from '../../src/store.ts';
import { createFolder, type Folder } from '../support/process.ts';

/** What a test sees of the sweeps of one store: it waits for facts, not for a time. */
class Watch {
  readonly asked: number[] = [];
  readonly answers: number[] = [];
  readonly leases: boolean[] = [];
  readonly store: Store;
  #wakeUp = () => {};

  /** @param sweep takes the place of the store's own */
  constructor(store: Store, sweep = (limit: number) => store.sweep(limit)) {
    this.store = {
      ...store,
      sweep: async (limit) => {
        this.asked.push(limit);
        const answer = await sweep(limit);
        this.answers.push(answer.rows);
        this.#wakeUp();
        return answer;
      },
      takeLease: async (...lease) => {
        const held = await store.takeLease(...lease);
        this.leases.push(held);
        this.#wakeUp();
        return held;
      },
    };
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wakeUp = resolve;
      });
    }
  }

  get swept(): number {
    return this.answers.reduce((sum, answer) => sum + answer, 0);
  }
}

describe('process: the sweeper', () => {
  let folder: Folder;
  let store: Store;
  let now: number;
  let steadyMs: number;
  let log: string[];
  const clock = () => now;

  const open = () =>
    openStore({
      database: { engine: 'sqlite', path: folder.database },
      clock,
      box: createSecretBox(['8TgVn2Xq5Lw9Rz4Kb7Mc1Pd6Hf3Js0Yt-sweep']),
    });

  beforeEach(async () => {
    folder = createFolder();
    now = 1_800_000_000;
    steadyMs = 0;
    log = [];
    store = await open();
    await store.migrate();
    await store.recover();
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const logger = () => createLogger({ level: 'info', destination: { write: (line) => void log.push(line) } });
  const start = (watch: Watch) =>
    startSweeper({ store: watch.store, logger: logger(), clock, steady: () => steadyMs, intervalMs: 1 });

  /** Time passes for both clocks, as it should. */
  function pass(seconds: number): void {
    now += seconds;
    steadyMs += seconds * 1_000;
  }

  async function fill(rows: number, expiresIn = 60): Promise<void> {
    for (let first = 0; first < rows; first += 1_000) {
      const ids = Array.from({ length: Math.min(1_000, rows - first) }, (_, index) => `${expiresIn}: ${first + index}`);
      const payload = { accountId: 'a', clientId: 'c', jwt: 'x'.repeat(400) };
      await store.artifacts.apply(
        ids.map((id) => ({ do: 'upsert', model: 'Session', id, payload: { ...payload, uid: id }, expiresIn }) as const),
      );
    }
  }

  it('removes what has expired within 10 minutes, in batches of at most 400, and leaves the rest', async () => {
    await fill(3_000);
    await fill(1, 600 + 60 + 60);
    pass(600 + 60);
    const watch = new Watch(store);
    using _sweeper = start(watch);
    await watch.until(() => watch.swept === 3_000);
    assert.ok(watch.asked.every((limit) => limit <= 400));
    assert.ok(await store.artifacts.find('Session', '720: 0'));
    assert.equal(await store.artifacts.find('Session', '60: 0'), undefined);
    assert.deepEqual(log, []);
  });

  it('holds up the event loop for no longer than 50 ms', async function () {
    // the machine may stop this process for longer, but not each time
    this.retries(5);
    await fill(2_000);
    pass(660);
    const watch = new Watch(store);
    const delay = monitorEventLoopDelay({ resolution: 2 });
    delay.enable();
    using _sweeper = startSweeper({ store: watch.store, logger: logger(), clock, intervalMs: 1 });
    await watch.until(() => watch.swept === 2_000);
    delay.disable();
    assert.ok(delay.max / 1e6 < 50, `${delay.max / 1e6} ms`);
  });

  it('is one at a time: of two processes one sweeps, until it is gone for 3 minutes', async () => {
    await fill(500);
    await using otherStore = await open();
    const [one, other] = [new Watch(store), new Watch(otherStore)];
    {
      using _one = start(one);
      await one.until(() => one.leases.length >= 1 && one.answers.length >= 1);
      using _other = start(other);
      await other.until(() => other.leases.length >= 3);
      pass(100);
      await other.until(() => other.leases.length >= 6);
      await one.until(() => one.leases.length >= 2);
      assert.ok(one.leases.every(Boolean));
    }
    assert.ok(other.leases.every((held) => !held));
    assert.deepEqual(other.asked, []);
    using _other = start(other);
    pass(180);
    // a batch that the first one had begun when it ended counts as well
    await other.until(() => other.swept > 0 && one.swept + other.swept === 500);
  });

  it('says that a batch failed, and tries again', async () => {
    let failed = false;
    const watch = new Watch(store, async (limit) => {
      if (failed) return store.sweep(limit);
      failed = true;
      throw new StoreUnavailable('the disk is full');
    });
    using _sweeper = start(watch);
    await watch.until(() => watch.answers.length === 1);
    assert.deepEqual(watch.answers, [0]);
    assert.equal(log.length, 1);
    assert.match(String(log[0]), /expired rows could not be removed/);
  });

  for (const seconds of [3_600, -3_600]) {
    it(`warns once when the clock jumps by ${seconds} s, and removes nothing for an hour (R80)`, async () => {
      const watch = new Watch(store);
      let looks = 0;
      const countingClock = () => {
        looks += 1;
        return now;
      };
      const steady = () => steadyMs;
      using _sweeper = startSweeper({
        store: watch.store,
        logger: logger(),
        clock: countingClock,
        steady,
        intervalMs: 1,
      });
      await watch.until(() => watch.answers.length > 2);
      now += seconds;
      while (log.length === 0) await turn();
      const sweeps = watch.asked.length;
      for (const duration of [60, 3_400]) {
        pass(duration);
        for (const until = looks + 5; looks < until; ) await turn();
      }
      assert.equal(watch.asked.length, sweeps);
      pass(200);
      await watch.until(() => watch.answers.length > sweeps);
      const warnings = log.map((line) => JSON.parse(line));
      assert.deepEqual(
        warnings.map(({ level, msg, seconds }) => [level, msg, seconds]),
        [[40, 'the clock jumped: expired rows stay for an hour', seconds]],
      );
    });
  }
});
