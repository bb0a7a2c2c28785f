// Behaviour of the SQLite file: how it is made, when it is refused, what a copy of it gives away.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openStore } from '../../adapters/open-store.ts';
import { type ArtifactPayload, type ArtifactWrite, type Store, StoreRefused } from '../../src/store.ts';
import { box, createTemporaryPath } from './fixtures/temporary-database.ts';

const NOBODY = 65_534;

describe('SQLite file', () => {
  let temporary: ReturnType<typeof createTemporaryPath>;
  let path: string;

  beforeEach(() => {
    temporary = createTemporaryPath();
    path = temporary.path;
  });
  afterEach(() => temporary.remove());

  const open = (at = path): Promise<Store> =>
    openStore({ database: { engine: 'sqlite', path: at }, clock: () => 1_800_000_000, box });

  async function createDatabase(): Promise<void> {
    await using store = await open();
    await store.migrate();
    const writes = Array.from({ length: 200 }, (_, n): ArtifactWrite => {
      return { do: 'upsert', model: 'AccessToken', id: `token-${n}`, payload: { n } };
    });
    await store.artifacts.apply(writes);
  }

  const change = (sql: string) => {
    const db = new Database(path);
    db.exec(sql);
    db.close();
  };

  const overwrite = (from: number, length: number) => {
    const bytes = readFileSync(path);
    bytes.fill(0xa5, from, from + length);
    writeFileSync(path, bytes);
  };

  it('is created with its folders, for its owner alone', async () => {
    const deep = `${temporary.folder}/not/there/yet/identity.db`;
    await using store = await open(deep);
    await store.migrate();
    assert.equal(statSync(deep).mode & 0o777, 0o600);
    assert.equal(statSync(`${deep}-wal`).mode & 0o777, 0o600);
    assert.equal(statSync(dirname(deep)).mode & 0o777, 0o700);
  });

  it('is one file again once the store is closed', async () => {
    await createDatabase();
    assert.deepEqual(readdirSync(temporary.folder), ['identity.db']);
  });

  it('stays byte for byte the same when it is migrated again', async () => {
    await createDatabase();
    await using store = await open();
    const bytes = () => Buffer.concat([readFileSync(path), readFileSync(`${path}-wal`)]);
    const before = bytes();
    await store.migrate();
    assert.deepEqual(bytes(), before);
  });

  it('takes in its log when the store is swept', async () => {
    await using store = await open();
    await store.migrate();
    const before = statSync(path).size;
    await store.sweep(10);
    assert.ok(statSync(path).size > before);
  });

  it('opens again as a backup that is not in WAL mode', async () => {
    await createDatabase();
    change('pragma journal_mode = delete');
    await using store = await open();
    assert.deepEqual(await store.artifacts.find('AccessToken', 'token-7'), { n: 7 });
  });

  const refusals: [name: string, damage: () => void | Promise<void>, message: RegExp][] = [
    ['an empty file', () => writeFileSync(path, ''), /is empty, but a database was expected\. Restore/],
    ['a text file', () => writeFileSync(path, 'hello\n'.repeat(1000)), /is not a SQLite database/],
    ['a file shorter than a header', () => writeFileSync(path, 'SQLite format 3\0'), /is not a SQLite database/],
    ['a database without our application id', () => change('create table t (x)'), /of another application/],
    [
      'a database of another application',
      () => change('pragma application_id = 7; create table t (x)'),
      /of another application/,
    ],
    [
      'a newer layout',
      async () => {
        await createDatabase();
        change('pragma user_version = 99');
      },
      /written by a newer version/,
    ],
    [
      'a newer schema',
      async () => {
        await createDatabase();
        change("insert into migrations values ('2999-01-01-later', 1)");
      },
      /migrated by a newer version of this program \(2999-01-01-later\)/,
    ],
    [
      'an overwritten header',
      async () => {
        await createDatabase();
        overwrite(0, 100);
      },
      /is not a SQLite database, or is damaged\. Restore/,
    ],
    [
      'overwritten pages',
      async () => {
        await createDatabase();
        overwrite(8 * 4096, 4 * 4096);
      },
      /is damaged .* Restore/,
    ],
    [
      'an overwritten schema',
      async () => {
        await createDatabase();
        overwrite(100, 3996);
      },
      /is damaged .* Restore/,
    ],
    [
      'a truncated file',
      async () => {
        await createDatabase();
        truncateSync(path, 6 * 4096);
      },
      /is damaged .* Restore/,
    ],
  ];
  for (const [name, damage, message] of refusals) {
    it(`refuses ${name} and leaves it untouched`, async () => {
      await damage();
      const before = readFileSync(path);
      await assert.rejects(open(), (error) => {
        assert.ok(error instanceof StoreRefused);
        assert.match(error.message, message);
        return true;
      });
      assert.deepEqual(readFileSync(path), before);
    });
  }

  it('refuses a folder', async () => {
    mkdirSync(path);
    await assert.rejects(open(), { name: 'StoreRefused', message: /is not a file/ });
  });

  it('refuses a place where no file can be made', async () => {
    writeFileSync(`${temporary.folder}/file`, '');
    await assert.rejects(open(`${temporary.folder}/file/identity.db`), StoreRefused);
  });

  for (const [name, mode] of [
    ['file', { file: 0o444, folder: 0o755 }],
    ['folder', { file: 0o644, folder: 0o555 }],
  ] as const) {
    it(`refuses a ${name} that it may not write to`, async () => {
      await createDatabase();
      const before = readFileSync(path);
      chmodSync(path, mode.file);
      chmodSync(temporary.folder, mode.folder);
      const root = process.geteuid?.() === 0;
      if (root) {
        chownSync(path, NOBODY, NOBODY);
        chownSync(temporary.folder, NOBODY, NOBODY);
        process.seteuid?.(NOBODY); // the modes mean nothing to root
      }
      try {
        await assert.rejects(open(), { name: 'StoreRefused', message: /cannot be written to/ });
      } finally {
        if (root) process.seteuid?.(0);
        chmodSync(temporary.folder, 0o755);
      }
      assert.deepEqual(readFileSync(path), before);
    });
  }

  it('holds no usable secret, in the file or in its log (design rule 7)', async () => {
    const secrets = {
      code: 'code-Qh7Yw2Lr9',
      token: 'token-Zk3Vn8Tb1',
      cookie: 'session-Xp4Mc6Js5',
      uid: 'uid-Rd9Fg2Hq7',
      userCode: 'USER-WDJB-MJHT',
      grant: 'grant-Bn5Kt8Ly3',
      digest: 'digest-Ce1Sw6Vx4',
      privateKey: 'private-Ja7Pz2Ug9',
    };
    const upsert = (model: string, id: string, payload: ArtifactPayload): ArtifactWrite => {
      return { do: 'upsert', model, id, payload: { jti: id, ...payload }, expiresIn: 60 };
    };
    await using store = await open();
    await store.migrate();
    await store.artifacts.apply([
      upsert('Grant', secrets.grant, { clientId: 'plainly-visible' }),
      upsert('AuthorizationCode', secrets.code, { grantId: secrets.grant, sessionUid: secrets.uid }),
      upsert('RefreshToken', secrets.token, { grantId: secrets.grant }),
      upsert('Session', secrets.cookie, { uid: secrets.uid }),
      upsert('DeviceCode', 'd', { userCode: secrets.userCode }),
    ]);
    await store.clients.insert({
      clientId: 'web',
      metadata: {},
      audiences: {},
      secrets: [{ name: 'first', digest: secrets.digest, createdAt: 1 }],
      createdAt: 1,
    });
    await store.keys.insertMissing([
      { kid: 'k', alg: 'ES256', jwk: `{"d":"${secrets.privateKey}"}`, createdAt: 1, signsAt: 1 },
    ]);
    await store.artifacts.apply([{ do: 'revoke', grantId: secrets.grant }]);

    const bytes = Buffer.concat([readFileSync(path), readFileSync(`${path}-wal`)]);
    assert.ok(bytes.includes('plainly-visible'), 'what is written in the clear can be found');
    for (const [name, secret] of Object.entries(secrets)) {
      for (const spelling of [secret, Buffer.from(secret).toString('base64url'), Buffer.from(secret).toString('hex')]) {
        assert.ok(!bytes.includes(spelling), name);
      }
    }
  });
});
