// Behaviour of sweeps on SQLite: short transactions in a thread of their own, and an outage when they cannot be.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openStore } from '../../adapters/open-store.ts';
import { openSqlite } from '../../adapters/sqlite.ts';
import { deleteExpired } from '../../adapters/sweeping.ts';
import { type Store, StoreUnavailable } from '../../src/store.ts';
import { box, createTemporaryPath } from './fixtures/temporary-database.ts';

const NOW = 1_800_000_000;

describe('Sweeps on SQLite', () => {
  let temporary: ReturnType<typeof createTemporaryPath>;
  let store: Store;

  beforeEach(async () => {
    temporary = createTemporaryPath();
    store = await openStore({ database: { engine: 'sqlite', path: temporary.path }, clock: () => NOW, box });
    await store.migrate();
    await store.artifacts.apply(
      Array.from({ length: 120 }, (_, n) => {
        return { do: 'upsert', model: 'AccessToken', id: `${n}`, payload: {}, expiresIn: -3_600 } as const;
      }),
    );
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    temporary.remove();
  });

  it('stop when their time is up, after one statement at the least, and say that there is more', async () => {
    const engine = await openSqlite({ path: temporary.path, refuseSchema: () => undefined });
    try {
      let ms = 0;
      const slow = () => {
        ms += 10;
        return ms;
      };
      const sweep = () => engine.write((db) => deleteExpired(db, { now: NOW, limit: 1_000, steady: slow }));
      assert.deepEqual(await sweep(), { rows: 50, more: true });
      assert.deepEqual(await sweep(), { rows: 50, more: true });
      assert.deepEqual(await sweep(), { rows: 20, more: true });
      assert.deepEqual(await sweep(), { rows: 0, more: false });
    } finally {
      await engine.close();
    }
  });

  it('leave what expired less than a minute ago to the request that has just found it', async () => {
    await store.artifacts.apply([{ do: 'upsert', model: 'AccessToken', id: 'x', payload: {}, expiresIn: -59 }]);
    let rows = 0;
    for (let more = true; more; ) {
      const swept = await store.sweep(400);
      rows += swept.rows;
      more = swept.more;
    }
    assert.equal(rows, 120);
  });

  it('keep this process from writing for no longer than they write themselves', async () => {
    const [swept] = await Promise.all([
      store.sweep(400),
      ...Array.from({ length: 20 }, (_, n) =>
        store.artifacts.apply([{ do: 'upsert', model: 'Session', id: `${n}`, payload: { n } }]),
      ),
    ]);
    assert.ok(swept.rows > 0);
    assert.deepEqual(await store.artifacts.find('Session', '19'), { n: 19 });
  });

  it('leave one file behind, once the store is closed', async () => {
    await store.sweep(400);
    await store[Symbol.asyncDispose]();
    assert.deepEqual(readdirSync(temporary.folder), ['identity.db']);
  });

  it('are an outage while another program holds the lock, and go on afterwards', async () => {
    const other = new Database(temporary.path);
    try {
      other.exec('begin immediate');
      await assert.rejects(store.sweep(400), StoreUnavailable);
      other.exec('rollback');
      assert.ok((await store.sweep(400)).rows > 0);
    } finally {
      other.close();
    }
  });
});
