// Races over three stores on one Postgres database, as three processes have them: one winner, and revoked is revoked.
import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { after, before, describe, it } from 'mocha';
import { openStore } from '../../adapters/open-store.ts';
import { openPostgres } from '../../adapters/postgres.ts';
import { AlreadyConsumed, type ArtifactWrite, Conflict, GrantRevoked, type Store } from '../../src/store.ts';
import { type PostgresDatabase, sharedPostgres } from '../support/postgres.ts';
import { startProcess } from './fixtures/second-process.ts';
import { box } from './fixtures/temporary-database.ts';

const NOW = 1_800_000_000;

describe('races on Postgres', () => {
  let database: PostgresDatabase;
  let stores: Store[];

  const open = (parameters = '') =>
    openStore({ database: { engine: 'postgres', url: database.url + parameters }, clock: () => NOW, box });
  /** One of the stores, by turns. */
  const storeOf = (n: number): Store => stores[n % stores.length] as Store;
  const upsert = (model: string, id: string, grantId: string): ArtifactWrite => {
    return { do: 'upsert', model, id, payload: { grantId }, expiresIn: 600 };
  };
  const rowsLeft = () => database.query<{ model: string }>('select model from artifacts');

  before(async () => {
    database = await (await sharedPostgres()).createDatabase();
    stores = await Promise.all([open(), open(), open()]);
    await stores[0]?.migrate();
  });
  after(async () => {
    for (const store of stores) await store[Symbol.asyncDispose]();
    await database.drop();
  });

  it('have one winner of 18 redemptions in each of 20 rounds, and its family is dead', async () => {
    for (let round = 0; round < 20; round += 1) {
      const grant = `grant-${round}`;
      await storeOf(round).artifacts.apply([upsert('Grant', grant, grant), upsert('RefreshToken', grant, grant)]);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 18 }, (_, n) =>
          storeOf(n).artifacts.apply([
            { do: 'consume', model: 'RefreshToken', id: grant },
            upsert('AccessToken', `${grant}-access-${n}`, grant),
            upsert('RefreshToken', `${grant}-refresh-${n}`, grant),
          ]),
        ),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const outcome of outcomes) {
        // a loser that comes late finds its grant revoked before it comes to its token
        if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof AlreadyConsumed, outcome.reason.stack);
      }
      assert.deepEqual(await rowsLeft(), []);
    }
  });

  it('leave nothing alive of a grant whose revocation was answered, whatever was written meanwhile', async () => {
    for (let round = 0; round < 50; round += 1) {
      const grant = `revoked-${round}`;
      const outcomes = await Promise.allSettled([
        ...Array.from({ length: 5 }, (_, n) =>
          storeOf(n).artifacts.apply([upsert('AccessToken', `${grant}-${n}`, grant)]),
        ),
        storeOf(round).artifacts.apply([{ do: 'revoke', grantId: grant }]),
        ...Array.from({ length: 5 }, (_, n) =>
          storeOf(n).artifacts.apply([upsert('RefreshToken', `${grant}-${n}`, grant)]),
        ),
      ]);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof GrantRevoked, outcome.reason.stack);
      }
      assert.deepEqual(await rowsLeft(), []);
    }
  });

  it('let a uid point to one artifact only', async () => {
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          storeOf(n).artifacts.apply([
            { do: 'upsert', model: 'Session', id: `s-${n}`, payload: { uid: `u-${round}` } },
          ]),
        ),
      );
      assert.ok(await storeOf(round).artifacts.findByUid('Session', `u-${round}`));
    }
    await database.query('delete from artifacts');
  });

  it('give a username to one account, whether by insert or by update', async () => {
    const account = (n: number, username: string) => ({ id: `id-${n}`, username, claims: {}, createdAt: 1 });
    for (let n = 0; n < 6; n += 1) await storeOf(n).accounts.insert(account(n, `user-${n}`), [`user-${n}`]);
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 6 }, (_, n) => storeOf(n).accounts.update(account(n, 'root'), ['root'])),
      storeOf(0).accounts.insert(account(9, 'root'), ['root']),
    ]);
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof Conflict, outcome.reason.stack);
    }
  });

  it('make one set of keys out of many first boots', async () => {
    await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        storeOf(n).keys.insertMissing([{ kid: `k-${n}`, alg: 'ES256', jwk: '{}', createdAt: n }]),
      ),
    );
    assert.equal((await storeOf(0).keys.list()).length, 1);
  });

  it('see one deletion of every expired row, by sweepers that meet', async () => {
    const old = Array.from({ length: 100 }, (_, n): ArtifactWrite => {
      return { do: 'upsert', model: 'AccessToken', id: `old-${n}`, payload: {}, expiresIn: -600 };
    });
    await storeOf(0).artifacts.apply(old);
    const swept = await Promise.all(stores.map((store) => store.sweep(1_000)));
    assert.equal(
      swept.reduce((sum, n) => sum + n),
      100,
    );
  });

  it('end for two transactions that wait for each other: both are done', async () => {
    const engine = await openPostgres({ url: database.url, refuseSchema: () => undefined });
    await database.query('create table pair (name text primary key, n int); insert into pair values (1, 0), (2, 0)');
    let first = true;
    const bothHoldOne = Promise.withResolvers<void>();
    const increment = (one: string, other: string) =>
      engine.write(async (transaction) => {
        await sql`update pair set n = n + 1 where name = ${one}`.execute(transaction);
        if (!first) bothHoldOne.resolve();
        first = false;
        await bothHoldOne.promise;
        await sql`update pair set n = n + 1 where name = ${other}`.execute(transaction);
      });
    await Promise.all([increment('1', '2'), increment('2', '1')]);
    assert.deepEqual(await database.query('select n from pair'), [{ n: 2 }, { n: 2 }]);
    await engine.close();
  });

  it('redeem the same codes from three processes: each has exactly one winner, and its family is dead', async () => {
    const codes = Array.from({ length: 15 }, (_, n) => `code-${n}`);
    for (const code of codes) {
      await storeOf(0).artifacts.apply([
        upsert('Grant', `${code}-grant`, `${code}-grant`),
        upsert('AuthorizationCode', code, `${code}-grant`),
      ]);
    }
    await using processes = new AsyncDisposableStack();
    const started = await Promise.all(Array.from({ length: 3 }, () => startProcess('consume', database.url, ...codes)));
    for (const one of started) processes.use(one);
    const won = (await Promise.all(started.map((one) => one.go()))) as string[][];
    assert.deepEqual(won.flat().sort(), [...codes].sort());
    assert.deepEqual(await rowsLeft(), []);
  });
});

describe('prepared statements on Postgres', () => {
  let database: PostgresDatabase;
  before(async () => {
    database = await (await sharedPostgres()).createDatabase();
  });
  after(() => database.drop());

  for (const [prepare, expected] of [
    ['true', 1],
    ['false', 0],
  ] as const) {
    it(`are ${expected ? '' : 'not '}kept by a connection with prepare=${prepare}`, async () => {
      const engine = await openPostgres({ url: `${database.url}?prepare=${prepare}`, refuseSchema: () => undefined });
      const { rows } = await engine.write(async (transaction) => {
        for (let n = 0; n < 3; n += 1) await sql`select ${n}::int8 as n`.execute(transaction);
        return sql<{ n: number }>`select count(*) as n from pg_prepared_statements`.execute(transaction);
      });
      assert.deepEqual(rows, [{ n: expected }]);
      await engine.close();
    });
  }

  it('follow when a newer version of this program adds a column', async () => {
    await using store = await openStore({
      database: { engine: 'postgres', url: database.url },
      clock: () => NOW,
      box,
    });
    await store.migrate();
    const web = { clientId: 'web', metadata: {}, audiences: {}, secrets: [], createdAt: 1 };
    await store.clients.insert(web);
    assert.deepEqual(await store.clients.find('web'), web);
    await database.query('alter table clients add column colour text');
    assert.deepEqual(await store.clients.find('web'), web);
  });
});
