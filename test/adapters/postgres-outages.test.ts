// Behaviour when Postgres goes away, comes back, hangs or loses a commit: unavailable, never worse, and healthy again.
import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Engine } from '../../adapters/engine.ts';
import { openStore } from '../../adapters/open-store.ts';
import { openPostgres } from '../../adapters/postgres.ts';
import { type ArtifactWrite, type Store, StoreUnavailable } from '../../src/store.ts';
import { type PostgresDatabase, type PostgresServer, sharedPostgres } from '../support/postgres.ts';
import { box } from './fixtures/temporary-database.ts';

const write: ArtifactWrite = { do: 'upsert', model: 'AccessToken', id: 't', payload: { a: 1 } };

describe('Postgres outages', () => {
  let server: PostgresServer;
  let database: PostgresDatabase;
  let store: Store;

  beforeEach(async () => {
    server = await sharedPostgres();
    database = await server.createDatabase();
    store = await openStore({ database: { engine: 'postgres', url: database.url }, clock: () => 1, box });
    await store.migrate();
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await database.drop();
  });

  /** What a store does all day; each call ends well or says that the store is unavailable. */
  async function work(): Promise<{ done: number; unavailable: number }> {
    const outcomes = await Promise.allSettled([
      store.artifacts.apply([write]),
      store.artifacts.find('AccessToken', 't'),
      store.clients.find('web'),
      store.probe(),
      ...Array.from({ length: 20 }, () => store.artifacts.apply([write])),
    ]);
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    for (const failure of failures) assert.ok(failure instanceof StoreUnavailable, String(failure?.stack));
    return { done: outcomes.length - failures.length, unavailable: failures.length };
  }

  it('takes a restart between two queries for what it is', async () => {
    await work();
    await server.restart();
    await work();
    assert.equal((await work()).unavailable, 0);
    assert.deepEqual(await store.artifacts.find('AccessToken', 't'), { a: 1 }, 'what was acknowledged is there');
  });

  it('survives a restart in the middle of its work, and is healthy within 5 s', async () => {
    let restarted = false;
    const restarting = server.restart().finally(() => {
      restarted = true;
    });
    while (!restarted) await work();
    await restarting;
    const began = performance.now();
    while ((await work()).unavailable > 0) assert.ok(performance.now() - began < 5_000);
  });

  it('is unavailable at once while the server is down, and serves again when it is back', async () => {
    await server.stop();
    try {
      const began = performance.now();
      assert.deepEqual(await work(), { done: 0, unavailable: 24 });
      assert.ok(performance.now() - began < 2_000);
    } finally {
      await server.start();
    }
    assert.equal((await work()).unavailable, 0);
  });

  it('survives pg_terminate_backend on every connection, idle or busy', async () => {
    for (let round = 0; round < 10; round += 1) {
      const working = work();
      await database.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      await working;
    }
    await work();
    assert.equal((await work()).unavailable, 0);
  });

  it('waits no longer than 5 s for a server that hangs, and uses none of those connections again', async () => {
    const locked = database.query('begin; lock table artifacts in access exclusive mode; select pg_sleep(5); commit');
    while ((await database.query("select 1 from pg_locks where mode = 'AccessExclusiveLock'")).length === 0);
    const began = performance.now();
    const outcomes = await Promise.allSettled([
      store.artifacts.find('AccessToken', 't'),
      store.artifacts.apply([write]),
      ...Array.from({ length: 15 }, () => store.artifacts.find('AccessToken', 't')),
    ]);
    assert.ok(performance.now() - began < 5_000);
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable);
    }
    await locked;
    assert.equal((await work()).unavailable, 0);
  });

  describe('within a transaction', () => {
    let engine: Engine;
    beforeEach(async () => {
      engine = await openPostgres({ url: database.url, refuseSchema: () => undefined });
      await database.query('create table notes (n int primary key); create sequence attempts');
    });
    afterEach(() => engine.close());

    const insert = (n: number) => (transaction: Parameters<Parameters<Engine['write']>[0]>[0]) =>
      sql`insert into notes values (${n}) `.execute(transaction);
    const notes = () => database.query<{ n: number }>('select n from notes order by n');

    /** Has the server run `body` at every insert; deferred: when the transaction commits. */
    const atInsert = (body: string, deferred = false) =>
      database.query(`create function act() returns trigger language plpgsql as $$ begin ${body} return new; end $$;
        create ${deferred ? 'constraint trigger act after' : 'trigger act before'} insert on notes
        ${deferred ? 'deferrable initially deferred' : ''} for each row execute function act()`);

    it('never runs a commit again that got no answer', async () => {
      await atInsert('perform pg_terminate_backend(pg_backend_pid());', true);
      let runs = 0;
      const writing = engine.write((transaction) => {
        runs += 1;
        return insert(1)(transaction);
      });
      await assert.rejects(writing, StoreUnavailable);
      assert.equal(runs, 1);
    });

    for (const [name, state, deferred] of [
      ['a serialization failure', '40001', false],
      ['a serialization failure at the commit', '40001', true],
      ['a deadlock', '40P01', false],
      ['a lock that is not free', '55P03', false],
    ] as const) {
      it(`runs again after ${name}, up to three times`, async () => {
        await atInsert(
          `if nextval('attempts') % 4 <> 0 then raise 'lost' using errcode = '${state}'; end if;`,
          deferred,
        );
        await engine.write(insert(1));
        assert.deepEqual(await notes(), [{ n: 1 }]);
        await database.query(
          `create or replace function act() returns trigger language plpgsql as $$ begin
             perform nextval('attempts'); raise 'lost' using errcode = '${state}'; end $$`,
        );
        await assert.rejects(engine.write(insert(2)), { name: 'StoreUnavailable' });
        assert.deepEqual(await database.query('select last_value::int as n from attempts'), [{ n: 8 }]);
        assert.deepEqual(await notes(), [{ n: 1 }]);
      });
    }

    it('calls a full disk an outage', async () => {
      await atInsert("raise 'could not extend file' using errcode = 'disk_full';");
      await assert.rejects(engine.write(insert(1)), { name: 'StoreUnavailable', message: /53100/ });
    });

    it('passes a defect on as it is, and gives the connection back in order', async () => {
      for (let n = 0; n < 15; n += 1) {
        await assert.rejects(
          engine.write((transaction) => sql`select 1 / 0`.execute(transaction)),
          { code: '22012' },
        );
      }
      await engine.write(insert(1));
    });

    it('does not take a transaction for committed in which a failure was overlooked', async () => {
      const overlooking = engine.write(async (transaction) => {
        await insert(1)(transaction);
        await sql`select 1 / 0`.execute(transaction).catch(() => undefined);
      });
      await assert.rejects(overlooking, /nothing was committed/);
      assert.deepEqual(await notes(), []);
    });

    it('rolls back what a process was at that went silent, and frees its locks', async () => {
      const silent = engine.write(async (transaction) => {
        await insert(1)(transaction);
        await sql`set local idle_in_transaction_session_timeout = 200`.execute(transaction);
        while ((await database.query("select 1 from pg_stat_activity where state like 'idle in%'")).length > 0);
      });
      await assert.rejects(silent, StoreUnavailable);
      assert.deepEqual(await notes(), []);
      await engine.write(insert(1));
    });
  });
});
