// Behaviour at boot when a SQLite file is not the one that ran there last (security requirement R78).
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Engine } from '../../adapters/engine.ts';
import { openStore } from '../../adapters/open-store.ts';
import { createRollbackMarker, type RollbackMarker } from '../../adapters/rollback-marker.ts';
import { openSqlite } from '../../adapters/sqlite.ts';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import type { Store } from '../../src/store.ts';
import { createFolder, startProcess, testEnvironment } from '../support/process.ts';
import { box, createTemporaryPath } from './fixtures/temporary-database.ts';

describe('the rollback marker of a SQLite file', () => {
  let temporary: ReturnType<typeof createTemporaryPath>;
  let path: string;
  let marker: string;
  let copy: string;

  beforeEach(async () => {
    temporary = createTemporaryPath();
    path = temporary.path;
    marker = `${path}.generation`;
    copy = `${temporary.folder}/copy.db`;
  });
  afterEach(() => temporary.remove());

  /** A store as it is when the process may begin to serve. */
  async function boot(): Promise<{ store: Store; found: 'same' | 'rolled-back' }> {
    const store = await openStore({ database: { engine: 'sqlite', path }, clock: () => 1_800_000_000, box });
    await store.migrate();
    return { store, found: await store.recover() };
  }

  /** Boots, lets `work` run, and ends well; answers what the boot found. */
  async function run(work: (store: Store) => Promise<unknown> = async () => {}): Promise<'same' | 'rolled-back'> {
    const { store, found } = await boot();
    await using _ = store;
    await work(store);
    return found;
  }

  const signIn = async (store: Store) => {
    await store.artifacts.apply([
      { do: 'upsert', model: 'Session', id: 's', payload: { uid: 'u' } },
      { do: 'upsert', model: 'AuthorizationCode', id: 'c', payload: { grantId: 'g' }, expiresIn: 600 },
      { do: 'upsert', model: 'RefreshToken', id: 'r', payload: { grantId: 'g' } },
    ]);
  };
  const sweep = (store: Store) => store.sweep(100);
  const facts = () => {
    const db = new Database(path, { readonly: true });
    try {
      const meta = db.prepare<[], { name: string; value: string }>('select * from meta').all();
      const artifacts = db.prepare<[], number>('select count(*) from artifacts').pluck().get();
      return { ...Object.fromEntries(meta.map(({ name, value }) => [name, value])), artifacts };
    } finally {
      db.close();
    }
  };

  it('is made at the first boot, for its owner alone, and says nothing', async () => {
    assert.equal(await run(), 'same');
    assert.equal(statSync(marker).mode & 0o777, 0o600);
  });

  it('lets everything be over restarts and sweeps', async () => {
    await run(signIn);
    for (let boots = 0; boots < 3; boots += 1) assert.equal(await run(sweep), 'same');
    await run(async (store) => {
      assert.ok(await store.artifacts.find('RefreshToken', 'r'));
      assert.ok(await store.artifacts.findByUid('Session', 'u'));
    });
  });

  it('finds a copy from before the last boot, and then removes every artifact and nothing else', async () => {
    await run(async (store) => {
      await signIn(store);
      await store.clients.insert({ clientId: 'web', metadata: {}, audiences: {}, secrets: [], createdAt: 1 });
      await store.keys.insertMissing([{ kid: 'k', alg: 'ES256', jwk: '{}', createdAt: 1, signsAt: 1 }]);
    });
    copyFileSync(path, copy);
    const { epoch } = facts() as { epoch?: string };
    await run((store) => store.artifacts.apply([{ do: 'consume', model: 'AuthorizationCode', id: 'c' }]));
    copyFileSync(copy, path);
    const found = await run(async (store) => {
      for (const [model, id] of [
        ['Session', 's'],
        ['AuthorizationCode', 'c'],
        ['RefreshToken', 'r'],
      ] as const) {
        assert.equal(await store.artifacts.find(model, id), undefined, model);
      }
      assert.equal((await store.clients.list()).length, 1);
      assert.equal((await store.keys.list()).length, 1);
    });
    assert.equal(found, 'rolled-back');
    assert.ok(epoch);
    assert.notEqual((facts() as { epoch?: string }).epoch, epoch);
    assert.equal(await run(), 'same');
  });

  it('finds a copy from before the last sweep', async () => {
    await run(async (store) => {
      await signIn(store);
      const source = new Database(path, { readonly: true });
      await source.backup(copy);
      source.close();
      await sweep(store);
    });
    copyFileSync(copy, path);
    assert.equal(await run(), 'rolled-back');
  });

  it('moves on only when a sweep has reached the end', async () => {
    await run(async (store) => {
      await store.artifacts.apply(
        ['a', 'b', 'c'].map((id) => ({ do: 'upsert', model: 'Session', id, payload: {}, expiresIn: -1_000 })),
      );
      const before = readFileSync(marker, 'utf8');
      assert.deepEqual(await store.sweep(1), { rows: 1, more: true });
      assert.equal(readFileSync(marker, 'utf8'), before);
      while ((await store.sweep(2)).more); // on a busy machine its time is up before it has reached the end
      assert.notEqual(readFileSync(marker, 'utf8'), before);
    });
  });

  const losses: [name: string, lose: () => void][] = [
    ['is missing', () => rmSync(marker)],
    ['is empty', () => writeFileSync(marker, '')],
    ['makes no sense', () => writeFileSync(marker, '"generation"')],
    ['is of another database', () => writeFileSync(marker, '{"current":"7f0a"}')],
  ];
  for (const [name, lose] of losses) {
    it(`takes a database with artifacts for one that was put back when its marker ${name}`, async () => {
      await run(signIn);
      lose();
      assert.equal(await run(), 'rolled-back');
      assert.equal(await run(), 'same');
    });

    it(`makes a new marker in silence when it ${name} and there is nothing to lose`, async () => {
      await run();
      lose();
      assert.equal(await run(), 'same');
      await run(signIn);
      assert.equal(await run(), 'same');
    });
  }

  /** The marker of a process that is killed after its next write to the file and before the commit to the database. */
  async function dieAtCommit(act: (marker: RollbackMarker) => Promise<unknown>): Promise<void> {
    const engine = await openSqlite({ path, refuseSchema: () => {} });
    const write: Engine['write'] = (work) =>
      engine.write(async (db) => {
        await work(db);
        throw new Error('killed');
      });
    try {
      await assert.rejects(act(createRollbackMarker({ ...engine, write }, path)), { message: 'killed' });
    } finally {
      await engine.close();
    }
  }

  it('does not take a crash between its two halves for a rollback', async () => {
    await run(signIn);
    const before = readFileSync(marker, 'utf8');
    for (let crashes = 0; crashes < 3; crashes += 1) await dieAtCommit((one) => one.rotate());
    assert.notEqual(readFileSync(marker, 'utf8'), before);
    assert.equal(await run(), 'same');
    assert.equal(facts().artifacts, 3);
  });

  it('does not forget what it found when the process dies before it has acted', async () => {
    await run(signIn);
    copyFileSync(path, copy);
    await run();
    copyFileSync(copy, path);
    await dieAtCommit((one) => one.recover());
    assert.equal(facts().artifacts, 3);
    assert.equal(await run(), 'rolled-back');
  });

  it('is not moved on by a sweep before the boot has looked at it', async () => {
    await run(signIn);
    copyFileSync(path, copy);
    await run();
    copyFileSync(copy, path);
    {
      await using store = await openStore({ database: { engine: 'sqlite', path }, clock: () => 1_800_000_000, box });
      await store.sweep(100);
    }
    assert.equal(await run(), 'rolled-back');
  });

  it('is looked at by several processes at once, of which one acts', async () => {
    await run(signIn);
    copyFileSync(path, copy);
    await run();
    copyFileSync(copy, path);
    const stores = await Promise.all(
      [1, 2, 3].map(() => openStore({ database: { engine: 'sqlite', path }, clock: () => 1_800_000_000, box })),
    );
    const found = await Promise.all(stores.map((store) => store.recover()));
    assert.deepEqual(found.sort(), ['rolled-back', 'same', 'same']);
    await signIn(stores[0] as Store);
    for (let round = 0; round < 5; round += 1) await Promise.all(stores.map(sweep));
    for (const store of stores) await store[Symbol.asyncDispose]();
    assert.equal(await run(), 'same');
    assert.equal(facts().artifacts, 3);
  });

  it('refuses to boot when it cannot be written, and changes nothing', async () => {
    await run(signIn);
    rmSync(marker);
    mkdirSync(marker);
    const before = facts();
    await assert.rejects(boot(), { name: 'StoreRefused', message: /\.generation cannot be read \(EISDIR\)\. Check/ });
    assert.deepEqual(facts(), before);
  });

  it('makes a real process warn in one line before it listens', async () => {
    using folder = createFolder();
    const env = await testEnvironment();
    const serve = async (): Promise<readonly Record<string, unknown>[]> => {
      await using running = startProcess({ folder, env });
      await running.origin();
      running.kill('SIGTERM');
      await running.exited;
      return running.log;
    };
    await serve();
    {
      const own = createSecretBox([String(env['ENCRYPTION_KEY'])]);
      const database = { engine: 'sqlite', path: folder.database } as const;
      await using store = await openStore({ database, clock: () => 1_800_000_000, box: own });
      await signIn(store);
    }
    copyFileSync(folder.database, copy);
    assert.deepEqual(warnings(await serve()), []);
    copyFileSync(copy, folder.database);
    const log = await serve();
    assert.equal(warnings(log).length, 1);
    assert.match(String(warnings(log)[0]?.['msg']), /every session, code and token in it was removed/);
    assert.ok(log.findIndex(({ msg }) => /put back/.test(String(msg))) < log.findIndex(({ msg }) => msg === 'started'));
  });
});

function warnings(log: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return log.filter(({ level }) => Number(level) >= 40 || level === 'warn');
}
