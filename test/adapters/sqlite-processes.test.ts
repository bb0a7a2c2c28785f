// Behaviour of several processes on one SQLite file: first boots, races for a code, locks held by others.
import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openStore } from '../../adapters/open-store.ts';
import { migrationNames } from '../../adapters/schema-migrations.ts';
import { type ArtifactWrite, type Store, StoreUnavailable } from '../../src/store.ts';
import { startProcess } from './fixtures/second-process.ts';
import { box, createTemporaryPath } from './fixtures/temporary-database.ts';

const write: ArtifactWrite = { do: 'upsert', model: 'AccessToken', id: 't', payload: {} };

describe('several processes on one SQLite file', () => {
  let temporary: ReturnType<typeof createTemporaryPath>;
  let path: string;

  beforeEach(() => {
    temporary = createTemporaryPath();
    path = temporary.path;
  });
  afterEach(() => temporary.remove());

  const open = (): Promise<Store> =>
    openStore({ database: { engine: 'sqlite', path }, clock: () => 1_800_000_000, box });

  it('create and migrate it at once, and make one database', async () => {
    await using stack = new AsyncDisposableStack();
    const processes = await Promise.all(Array.from({ length: 4 }, () => startProcess('migrate', path)));
    for (const one of processes) stack.use(one);
    await Promise.all(processes.map((one) => one.go()));
    const db = new Database(path, { readonly: true });
    assert.deepEqual(db.prepare('select count(*) as n from migrations').get(), { n: migrationNames.length });
    assert.deepEqual(db.prepare("select count(*) as n from meta where name = 'epoch'").get(), { n: 1 });
    db.close();
  });

  it('redeem the same codes: each has exactly one winner, and its family is dead', async () => {
    const codes = Array.from({ length: 25 }, (_, n) => `code-${n}`);
    await using store = await open();
    await store.migrate();
    for (const code of codes) {
      await store.artifacts.apply([
        { do: 'upsert', model: 'Grant', id: `${code}-grant`, payload: {} },
        { do: 'upsert', model: 'AuthorizationCode', id: code, payload: { grantId: `${code}-grant` } },
      ]);
    }
    await using one = await startProcess('consume', path, ...codes);
    await using other = await startProcess('consume', path, ...codes);
    const won = (await Promise.all([one.go(), other.go()])) as string[][];
    assert.deepEqual(won.flat().sort(), [...codes].sort());
    for (const code of codes) {
      assert.equal(await store.artifacts.find('Grant', `${code}-grant`), undefined);
      assert.equal(await store.artifacts.find('AuthorizationCode', code), undefined);
    }
    const db = new Database(path, { readonly: true });
    assert.deepEqual(db.prepare('select count(*) as n from artifacts').get(), { n: 0 });
    db.close();
  });

  it('write late, without holding up the event loop, when another one had the lock for 1.5 s', async () => {
    await using store = await open();
    await store.migrate();
    await using locker = await startProcess('lock', path);
    const loop = watchEventLoop();
    const began = performance.now();
    const writing = store.artifacts.apply([write]).then(() => performance.now() - began);
    const release = new Promise((resolve) => setTimeout(resolve, 1_500)).then(() => locker.go());
    assert.equal(await store.artifacts.find('AccessToken', 't'), undefined, 'reads go on');
    const waited = await writing;
    await release;
    assert.ok(waited >= 1_400, `wrote after ${waited} ms`);
    assert.ok(loop.stop() < 250, 'the event loop goes on');
    assert.ok(await store.artifacts.find('AccessToken', 't'));
  });

  it('say that the store is unavailable, all within 2.5 s, when the lock stays', async () => {
    await using store = await open();
    await store.migrate();
    await using locker = await startProcess('lock', path);
    const loop = watchEventLoop();
    const began = performance.now();
    const outcomes = await Promise.allSettled([
      store.probe(),
      ...Array.from({ length: 20 }, () => store.artifacts.apply([write])),
    ]);
    const waited = performance.now() - began;
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable);
    }
    assert.ok(waited > 1_500 && waited < 2_500, `refused after ${waited} ms`);
    assert.ok(loop.stop() < 250, 'the event loop goes on');
    await locker.go();
    await store.artifacts.apply([write]);
  });
});

/** Measures the longest time, in milliseconds, between two turns of the event loop. */
function watchEventLoop(): { stop(): number } {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 5);
  return {
    stop() {
      clearInterval(timer);
      return longest;
    },
  };
}
