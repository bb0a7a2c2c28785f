// What is remembered of reads, and that nobody is told what was true before a commit.
import assert from 'node:assert/strict';
import { stat } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { describe, it } from 'mocha';
import { rememberReads } from '../../adapters/read-memory.ts';
import { openSqlite } from '../../adapters/sqlite.ts';
import type { ClientRecord, Store } from '../../src/store.ts';
import { box, createManualClock, createTemporaryPath, postgres, sqlite } from './fixtures/temporary-database.ts';

/** A search that answers with the number of the read, on a database of versions that the test sets. */
function countedReads(limit?: number) {
  const state: { version: number | undefined; reads: number; failing: boolean } = {
    version: 1,
    reads: 0,
    failing: false,
  };
  const find = rememberReads(
    { version: () => state.version },
    async () => {
      state.reads += 1;
      if (state.failing) throw new Error('no database');
      return state.reads;
    },
    limit,
  );
  return { state, find };
}

describe('remembered reads', () => {
  it('are made once for each key and version', async () => {
    const { state, find } = countedReads();
    assert.deepEqual([await find('a'), await find('a'), await find('b'), await find('a')], [1, 1, 2, 1]);
    state.version = 2;
    assert.deepEqual([await find('a'), await find('b'), await find('a')], [3, 4, 3]);
  });

  it('are made every time where the database has no versions, and forgotten when it had', async () => {
    const { state, find } = countedReads();
    assert.equal(await find('a'), 1);
    state.version = undefined;
    assert.deepEqual([await find('a'), await find('a')], [2, 3]);
  });

  it('are tried again when they failed', async () => {
    const { state, find } = countedReads();
    state.failing = true;
    await assert.rejects(find('a'), /no database/);
    state.failing = false;
    await nextTurn();
    assert.equal(await find('a'), 2);
  });

  it('are no more than so many', async () => {
    const { find } = countedReads(2);
    assert.deepEqual([await find('a'), await find('b'), await find('c'), await find('a')], [1, 2, 3, 4]);
  });
});

const client = (name: string): ClientRecord => ({
  clientId: 'one',
  metadata: { client_name: name },
  audiences: {},
  secrets: [],
  createdAt: 1,
});
const resourceServer = { audience: 'one', scope: '', alg: 'ES256', createdAt: 1 } as const;

/** A change, what can be seen of it, and what that is before and after. */
const changes: readonly [
  name: string,
  change: (store: Store) => Promise<unknown>,
  see: (store: Store) => Promise<unknown>,
  before: unknown,
  after: unknown,
][] = [
  [
    'a changed client',
    (store) => store.clients.update(client('after')),
    async (store) => (await store.clients.find('one'))?.metadata['client_name'],
    'before',
    'after',
  ],
  [
    'a removed client',
    (store) => store.clients.remove('one'),
    async (store) => (await store.clients.find('one')) !== undefined,
    true,
    false,
  ],
  [
    'a removed resource server',
    (store) => store.resourceServers.remove('one'),
    async (store) => (await store.resourceServers.find('one')) !== undefined,
    true,
    false,
  ],
  [
    'a revoked token',
    (store) => store.artifacts.apply([{ do: 'deny', jti: 'one', expiresAt: 2_000_000_000 }]),
    (store) => store.revokedTokens.has('one'),
    false,
    true,
  ],
];

for (const engine of [sqlite, postgres]) {
  describe(`reads that every request makes, on ${engine.name}`, () => {
    for (const [name, change, see, before, after] of changes) {
      it(`see ${name} at once, in the store that changed it and in another one (security.md R11)`, async () => {
        const database = await engine.createDatabase();
        try {
          const clock = createManualClock().read;
          await using own = await database.open({ clock, box });
          await using other = await database.open({ clock, box });
          await own.migrate();
          await own.clients.insert(client('before'));
          await own.resourceServers.insert(resourceServer);
          for (const store of [own, other, own, other]) assert.equal(await see(store), before);
          await change(own);
          assert.deepEqual([await see(own), await see(other)], [after, after]);
        } finally {
          await database.drop();
        }
      });
    }
  });
}

describe('the version of a SQLite file', () => {
  const asked: [string, (ask: () => void) => void][] = [
    ['once others have answered', (ask) => setImmediate(ask)],
    ['by a timer', (ask) => setTimeout(ask, 1)],
    ['when something has arrived', (ask) => void stat('.', ask)],
  ];
  for (const [when, callLater] of asked) {
    it(`is asked anew for what arrives after a commit of somebody else, though it was asked before it ${when}`, async () => {
      const { path, remove } = createTemporaryPath();
      const engine = await openSqlite({ path, refuseSchema: () => undefined });
      const other = new Database(path);
      try {
        other.exec('create table things (thing)');
        const before = await new Promise((resolve) => callLater(() => resolve(engine.version())));
        const [later] = await new Promise<[number | undefined]>((resolve) => {
          callLater(() => {
            assert.equal(engine.version(), before);
            other.exec('insert into things values (1)');
            stat('.', () => resolve([engine.version()]));
            busyFor(20); // it is there when the event loop looks next
          });
        });
        assert.notEqual(later, before);
      } finally {
        other.close();
        await engine.close();
        remove();
      }
    });
  }
});

function busyFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('reads that every request makes', () => {
  it('fail once the store is closed, though their answers are known', async () => {
    const database = await sqlite.createDatabase();
    const store = await database.open({ clock: createManualClock().read, box });
    await store.migrate();
    await store.clients.insert(client('before'));
    assert.ok(await store.clients.find('one'));
    await store[Symbol.asyncDispose]();
    await nextTurn();
    await assert.rejects(store.clients.find('one'), { name: 'StoreUnavailable' });
    await database.drop();
  });
});
