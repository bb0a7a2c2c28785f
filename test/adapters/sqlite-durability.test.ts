// Behaviour of SQLite commits: on disk when they are acknowledged, and an outage when they cannot be.
import assert from 'node:assert/strict';
import { closeSync, fdatasyncSync, openSync, statSync, writeSync } from 'node:fs';
import Database from 'better-sqlite3';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Engine } from '../../adapters/engine.ts';
import { openStore } from '../../adapters/open-store.ts';
import { openSqlite } from '../../adapters/sqlite.ts';
import { StoreUnavailable } from '../../src/store.ts';
import { box, createTemporaryPath } from './fixtures/temporary-database.ts';

const FULL = 2;
const NORMAL = 1;
const COMMITS = 50;

describe('SQLite durability', () => {
  let temporary: ReturnType<typeof createTemporaryPath>;

  beforeEach(() => {
    temporary = createTemporaryPath();
  });
  afterEach(() => temporary.remove());

  const openEngine = () => openSqlite({ path: temporary.path, refuseSchema: () => undefined });

  /** Of both connections: the one that only reads answers while a transaction is open. */
  async function readPragma(engine: Engine, name: string): Promise<[writer: unknown, reader: unknown]> {
    const query = sql<Record<string, unknown>>`pragma ${sql.raw(name)}`;
    const answers = await engine.write(async (db) => [
      await query.execute(db),
      await engine.read((reads) => query.execute(reads)),
    ]);
    const [ofWriter, ofReader] = answers.map(({ rows: [row] }) => Object.values(row ?? {})[0]);
    return [ofWriter, ofReader];
  }

  it('keeps synchronous = FULL on both connections, after writes and after the file is opened again', async () => {
    for (let opening = 0; opening < 2; opening += 1) {
      const engine = await openEngine();
      try {
        await engine.write((db) => sql`create table if not exists t (x)`.execute(db));
        for (let n = 0; n < 3; n += 1) {
          await engine.write((db) => sql`insert into t values (1)`.execute(db));
          await engine.read((db) => sql`select * from t`.execute(db));
          assert.deepEqual(await readPragma(engine, 'synchronous'), [FULL, FULL]);
        }
        assert.deepEqual(await readPragma(engine, 'journal_mode'), ['wal', 'wal']);
        assert.deepEqual(await readPragma(engine, 'foreign_keys'), [1, 1]);
        assert.deepEqual(await readPragma(engine, 'query_only'), [0, 1]);
      } finally {
        await engine.close();
      }
    }
  });

  it('has a reason to: a connection that does not ask gets NORMAL', () => {
    const db = new Database(temporary.path);
    db.pragma('journal_mode = WAL');
    db.exec('create table t (x)');
    assert.equal(db.pragma('synchronous', { simple: true }), NORMAL);
    db.close();
  });

  // A thread that waits for the disk gives up its processor, and the kernel counts that. A commit which only writes
  // into the page cache never waits. So at least one voluntary context switch per commit means that each commit
  // waited for the disk; a connection in NORMAL, counted beside it, shows that nothing else makes them.
  it('waits for the disk in every commit', async function () {
    const file = openSync(`${temporary.folder}/calibration`, 'w');
    const bySync = await countSwitches(async () => {
      for (let n = 0; n < COMMITS; n += 1) {
        writeSync(file, 'x'.repeat(4096));
        fdatasyncSync(file);
      }
    });
    closeSync(file);
    if (bySync < COMMITS) this.skip(); // a file system in memory: there is no disk to wait for

    const lax = new Database(`${temporary.folder}/lax.db`);
    lax.pragma('journal_mode = WAL');
    lax.pragma('synchronous = NORMAL');
    lax.exec('create table t (x)');
    const insert = lax.prepare('insert into t values (1)');
    const byNormal = await countSwitches(async () => {
      for (let n = 0; n < COMMITS; n += 1) insert.run();
    });
    lax.close();

    await using store = await openStore({ database: { engine: 'sqlite', path: temporary.path }, clock: () => 0, box });
    await store.migrate();
    const byStore = await countSwitches(async () => {
      for (let n = 0; n < COMMITS; n += 1) {
        await store.artifacts.apply([{ do: 'upsert', model: 'AccessToken', id: `t${n}`, payload: { n } }]);
      }
    });
    assert.ok(byNormal < COMMITS / 2, `${byNormal} switches in ${COMMITS} commits under NORMAL`);
    assert.ok(byStore >= COMMITS, `${byStore} switches in ${COMMITS} commits of the store`);
  });

  it('takes a full disk for an outage, keeps what it has, and goes on when there is room', async () => {
    const engine = await openEngine();
    try {
      await engine.write((db) => sql`create table t (x)`.execute(db));
      const fill = () => engine.write((db) => sql`insert into t values (zeroblob(100000))`.execute(db));
      await fill();
      const { rows } = await engine.read((db) => sql<{ page_count: number }>`pragma page_count`.execute(db));
      await engine.write((db) => sql.raw(`pragma max_page_count = ${rows[0]?.page_count}`).execute(db));
      await assert.rejects(fill(), (error) => {
        assert.ok(error instanceof StoreUnavailable);
        assert.equal((error.cause as { code?: string }).code, 'SQLITE_FULL');
        return true;
      });
      const count = await engine.read((db) => sql<{ n: number }>`select count(*) as n from t`.execute(db));
      assert.equal(count.rows[0]?.n, 1);
      await engine.write((db) => sql`pragma max_page_count = 100000`.execute(db));
      await fill();
    } finally {
      await engine.close();
    }
  });

  it('rolls a transaction back when its work fails, and lets the next one through', async () => {
    const engine = await openEngine();
    try {
      await engine.write((db) => sql`create table t (x)`.execute(db));
      const failing = engine.write(async (db) => {
        await sql`insert into t values (1)`.execute(db);
        throw new Error('work failed');
      });
      await assert.rejects(failing, /work failed/);
      await engine.write((db) => sql`insert into t values (2)`.execute(db));
      const { rows } = await engine.read((db) => sql<{ x: number }>`select x from t`.execute(db));
      assert.deepEqual(rows, [{ x: 2 }]);
    } finally {
      await engine.close();
    }
  });

  it('shows reads the last commit while a transaction is under way', async () => {
    const engine = await openEngine();
    const count = () => engine.read((db) => sql`select x from t`.execute(db).then(({ rows }) => rows.length));
    try {
      await engine.write((db) => sql`create table t (x)`.execute(db));
      const during = await engine.write(async (db) => {
        await sql`insert into t values (1)`.execute(db);
        return count();
      });
      assert.equal(during, 0);
      assert.equal(await count(), 1);
    } finally {
      await engine.close();
    }
  });

  it('leaves a complete file when it closes, even if another process still has it open', async () => {
    const engine = await openEngine();
    const other = new Database(temporary.path);
    try {
      await engine.write((db) => sql`create table t (x)`.execute(db));
      other.pragma('user_version'); // opens the file for real
      assert.notEqual(statSync(`${temporary.path}-wal`).size, 0);
      await engine.close();
      assert.equal(statSync(`${temporary.path}-wal`).size, 0);
    } finally {
      await engine.close();
      other.close();
    }
  });

  it('does not write where only reads are asked for, whether or not a transaction is open', async () => {
    const engine = await openEngine();
    const refuses = () =>
      assert.rejects(
        engine.read((db) => sql`create table t (x)`.execute(db)),
        (error) => error instanceof StoreUnavailable && (error.cause as { code?: string }).code === 'SQLITE_READONLY',
      );
    try {
      await refuses();
      await engine.write(refuses);
    } finally {
      await engine.close();
    }
  });
});

async function countSwitches(work: () => Promise<void>): Promise<number> {
  const before = process.resourceUsage().voluntaryContextSwitches;
  await work();
  return process.resourceUsage().voluntaryContextSwitches - before;
}
