// Races over three stores on one Postgres database, as three processes have them: one winner, and revoked is revoked.
import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { after, afterEach, before, describe, it } from 'mocha';
import { openStore } from '../../adapters/open-store.ts';
import { openPostgres } from '../../adapters/postgres.ts';
import {
  AlreadyConsumed,
  type ArtifactWrite,
  Conflict,
  GrantRevoked,
  type Store,
  StoreUnavailable,
} from '../../src/store.ts';
import { type PostgresDatabase, sharedPostgres } from '../support/postgres.ts';
import { startProcess } from './fixtures/second-process.ts';
import { box } from './fixtures/temporary-database.ts';

const NOW = 1_800_000_000;

/** As on an engine where they do nothing: a function of ours is found before the server's. */
const IGNORE_ADVISORY_LOCKS =
  'create function public.pg_try_advisory_xact_lock(bigint) returns boolean language sql as $$ select true $$';
const OURS_FIRST = '?options=-csearch_path%3Dpublic,pg_catalog';

const upsert = (model: string, id: string, grantId: string): ArtifactWrite => {
  return { do: 'upsert', model, id, payload: { grantId }, expiresIn: 600 };
};

/** Three stores on one new database. */
function useStores(prepare?: string, parameters = '') {
  let stores: Store[] = [];
  const used = {
    database: undefined as unknown as PostgresDatabase,
    url: '',
    /** one of the stores, by turns */
    store: (n: number): Store => stores[n % stores.length] as Store,
    rowsLeft: () => used.database.query('select model from artifacts'),
  };
  before(async () => {
    used.database = await (await sharedPostgres()).createDatabase();
    used.url = used.database.url + parameters;
    if (prepare) await used.database.query(prepare);
    const open = () => openStore({ database: { engine: 'postgres', url: used.url }, clock: () => NOW, box });
    stores = await Promise.all([open(), open(), open()]);
    await stores[0]?.migrate();
  });
  after(async () => {
    for (const store of stores) await store[Symbol.asyncDispose]();
    await used.database.drop();
  });
  return used;
}

for (const { how, prepare, parameters, rounds, rivals } of [
  { how: 'advisory locks', prepare: undefined, parameters: '', rounds: 20, rivals: 18 },
  {
    how: 'serializable transactions',
    prepare: IGNORE_ADVISORY_LOCKS,
    parameters: OURS_FIRST,
    rounds: 10,
    rivals: 6,
  },
]) {
  describe(`races on Postgres with ${how}`, () => {
    const on = useStores(prepare, parameters);

    /** Serializable transactions may also lose so often that they give up. */
    const isLoss = (reason: unknown, expected: typeof AlreadyConsumed | typeof GrantRevoked | typeof Conflict) =>
      reason instanceof expected || (prepare !== undefined && reason instanceof StoreUnavailable);

    it(`have one winner of ${rivals} redemptions in each of ${rounds} rounds, and its family is dead`, async () => {
      for (let round = 0; round < rounds; round += 1) {
        const grant = `grant-${round}`;
        await on.store(round).artifacts.apply([upsert('Grant', grant, grant), upsert('RefreshToken', grant, grant)]);
        const outcomes = await Promise.allSettled(
          Array.from({ length: rivals }, (_, n) =>
            on
              .store(n)
              .artifacts.apply([
                { do: 'consume', model: 'RefreshToken', id: grant },
                upsert('AccessToken', `${grant}-access-${n}`, grant),
                upsert('RefreshToken', `${grant}-refresh-${n}`, grant),
              ]),
          ),
        );
        assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') assert.ok(isLoss(outcome.reason, AlreadyConsumed), outcome.reason.stack);
        }
        assert.deepEqual(await on.rowsLeft(), []);
      }
    });

    it('leave nothing alive of a grant whose revocation was answered, whatever was written meanwhile', async () => {
      for (let round = 0; round < rounds; round += 1) {
        const grant = `revoked-${round}`;
        const outcomes = await Promise.allSettled([
          ...Array.from({ length: 5 }, (_, n) =>
            on.store(n).artifacts.apply([upsert('AccessToken', `${grant}-${n}`, grant)]),
          ),
          on.store(round).artifacts.apply([{ do: 'revoke', grantId: grant }]),
          ...Array.from({ length: 5 }, (_, n) =>
            on.store(n).artifacts.apply([upsert('RefreshToken', `${grant}-${n}`, grant)]),
          ),
        ]);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') assert.ok(isLoss(outcome.reason, GrantRevoked), outcome.reason.stack);
        }
        assert.deepEqual(await on.rowsLeft(), []);
      }
    });

    it('give a username to one account, whether by insert or by update', async () => {
      const account = (n: number, username: string) => ({ id: `id-${n}`, username, claims: {}, createdAt: 1 });
      for (let n = 0; n < 6; n += 1) await on.store(n).accounts.insert(account(n, `user-${n}`), [`user-${n}`]);
      const outcomes = await Promise.allSettled([
        ...Array.from({ length: 6 }, (_, n) => on.store(n).accounts.update(account(n, 'root'), ['root'])),
        on.store(0).accounts.insert(account(9, 'root'), ['root']),
      ]);
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') assert.ok(isLoss(outcome.reason, Conflict), outcome.reason.stack);
      }
    });

    it('make one set of keys out of many first boots', async () => {
      await Promise.all(
        Array.from({ length: 12 }, (_, n) =>
          on.store(n).keys.insertMissing([{ kid: `k-${n}`, alg: 'ES256', jwk: '{}', createdAt: n, signsAt: n }]),
        ),
      );
      assert.equal((await on.store(0).keys.list()).length, 1);
    });
  });
}

describe('races on Postgres', () => {
  const on = useStores();
  afterEach(() => on.database.query('delete from artifacts'));

  it('let a uid point to one artifact only, whoever writes it', async () => {
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 9 }, (_, n) =>
          on
            .store(n)
            .artifacts.apply([{ do: 'upsert', model: 'Session', id: `s-${n}`, payload: { uid: `u-${round}` } }]),
        ),
      );
      assert.ok(await on.store(round).artifacts.findByUid('Session', `u-${round}`));
      const named = await on.database.query('select count(*)::int as n from artifacts where uid_hash is not null');
      assert.deepEqual(named, [{ n: 1 }]);
    }
  });

  it('see one deletion of every expired row, by sweepers that meet', async () => {
    const old = Array.from({ length: 100 }, (_, n): ArtifactWrite => {
      return { do: 'upsert', model: 'AccessToken', id: `old-${n}`, payload: {}, expiresIn: -600 };
    });
    await on.store(0).artifacts.apply(old);
    let deleted = 0;
    const sweepAll = async (store: Store) => {
      for (let more = true; more; ) {
        const swept = await store.sweep(1_000);
        deleted += swept.rows;
        more = swept.more;
      }
    };
    await Promise.all([0, 1, 2].map((n) => sweepAll(on.store(n))));
    assert.equal(deleted, 100);
  });

  it('end for two transactions that wait for each other: both are done', async () => {
    const engine = await openPostgres({ url: on.url, refuseSchema: () => undefined });
    await on.database.query('create table pair (name text primary key, n int); insert into pair values (1, 0), (2, 0)');
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
    assert.deepEqual(await on.database.query('select n from pair'), [{ n: 2 }, { n: 2 }]);
    await engine.close();
  });

  it('end for a transaction that collides again and again, once nobody is left to collide with', async () => {
    const engine = await openPostgres({ url: on.url, refuseSchema: () => undefined });
    await on.database.query('create table taken (name text primary key); insert into taken values (0)');
    let attempts = 0;
    await engine.write(async (transaction) => {
      const name = String(attempts < 8 ? 0 : 1);
      attempts += 1;
      await sql`insert into taken values (${name})`.execute(transaction);
    });
    assert.equal(attempts, 9);
    await engine.close();
  });

  it('redeem the same codes from three processes: each has exactly one winner, and its family is dead', async () => {
    const codes = Array.from({ length: 15 }, (_, n) => `code-${n}`);
    for (const code of codes) {
      await on
        .store(0)
        .artifacts.apply([
          upsert('Grant', `${code}-grant`, `${code}-grant`),
          upsert('AuthorizationCode', code, `${code}-grant`),
        ]);
    }
    await using processes = new AsyncDisposableStack();
    const started = await Promise.all(Array.from({ length: 3 }, () => startProcess('consume', on.url, ...codes)));
    for (const one of started) processes.use(one);
    const won = (await Promise.all(started.map((one) => one.go()))) as string[][];
    assert.deepEqual(won.flat().sort(), [...codes].sort());
    assert.deepEqual(await on.rowsLeft(), []);
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
