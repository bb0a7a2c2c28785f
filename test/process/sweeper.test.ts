// The sweeper over a real store: small batches, and patience with a store that fails.
import assert from 'node:assert/strict';
import { openStore } from '../../adapters/open-store.ts';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import { createLogger } from '../../src/logging/logger.ts';
import { type Store, StoreUnavailable } from '../../src/store.ts';
import { startSweeper } from '../../src/sweeper.ts';
import { createFolder, type Folder } from '../support/process.ts';

describe('process: the sweeper', () => {
  let folder: Folder;
  let store: Store;
  let now: number;
  let log: string[];

  beforeEach(async () => {
    folder = createFolder();
    now = 1_800_000_000;
    log = [];
    store = await openStore({
      database: { engine: 'sqlite', path: folder.database },
      clock: () => now,
      box: createSecretBox(['8TgVn2Xq5Lw9Rz4Kb7Mc1Pd6Hf3Js0Yt-sweep']),
    });
    await store.migrate();
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const logger = () => createLogger({ level: 'info', destination: { write: (line) => void log.push(line) } });

  /** The store, and a promise of what its first sweeps answered. */
  function watched(count: number, sweep: (limit: number) => Promise<number>) {
    const answers: number[] = [];
    let done = () => {};
    const seen = new Promise<number[]>((resolve) => {
      done = () => resolve(answers);
    });
    const watchedStore: Store = {
      ...store,
      async sweep(limit) {
        const answer = await sweep(limit);
        answers.push(answer);
        if (answers.length === count) done();
        return answer;
      },
    };
    return { watchedStore, seen };
  }

  it('removes what has expired in batches of at most 200, and leaves the rest', async () => {
    const upsert = (id: string, expiresIn: number) =>
      ({ do: 'upsert', model: 'Session', id, payload: { uid: `uid of ${id}` }, expiresIn }) as const;
    await store.artifacts.apply(Array.from({ length: 450 }, (_, index) => upsert(`short ${index}`, 60)));
    await store.artifacts.apply([upsert('long', 360_000)]);
    now += 90_000;
    const { watchedStore, seen } = watched(3, (limit) => store.sweep(limit));
    using _sweeper = startSweeper({ store: watchedStore, logger: logger(), intervalMs: 1 });
    assert.deepEqual(await seen, [200, 200, 50]);
    assert.ok(await store.artifacts.find('Session', 'long'));
    assert.deepEqual(log, []);
  });

  it('says that a batch failed, and tries again', async () => {
    let failed = false;
    const { watchedStore, seen } = watched(1, async (limit) => {
      if (failed) return store.sweep(limit);
      failed = true;
      throw new StoreUnavailable('the disk is full');
    });
    using _sweeper = startSweeper({ store: watchedStore, logger: logger(), intervalMs: 1 });
    assert.deepEqual(await seen, [0]);
    assert.equal(log.length, 1);
    assert.match(String(log[0]), /expired rows could not be removed/);
  });
});
