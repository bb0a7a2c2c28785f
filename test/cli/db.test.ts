// The story of `identity db backup` and `identity db restore`: beside a running server, and after a loss.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createBackup } from '../../adapters/backup.ts';
import { signProof } from '../../src/cli/db-proof.ts';
import { openConfiguredStore } from '../../src/cli/workspace.ts';
import { parseConfig } from '../../src/config.ts';
import { generateSigningKey } from '../../src/keys/key-generation.ts';
import { createKeyring } from '../../src/keys/keyring.ts';
import { openKeyring } from '../../src/keys/signing-keys.ts';
import type { Store } from '../../src/store.ts';
import { startProcess } from '../support/process.ts';
import { createInstallation, environment, type Installation } from './run.ts';

const clock = () => Math.floor(Date.now() / 1000);
const OTHER_KEY = 'q8Tn4Lw7Jv2Hs5Gd9Fk3Ac6Pb1Xe0Zr-another';

describe('identity db backup and restore', () => {
  let installation: Installation;
  let database: string;
  let backup: string;

  beforeEach(async () => {
    installation = createInstallation();
    database = join(installation.folder, 'data/identity.db');
    backup = join(installation.folder, 'one.backup');
    await installation.run(['user', 'add', 'alice']);
    await onStore(async (store) => {
      await openKeyring({ keys: store.keys, clock });
      await store.artifacts.apply([
        { do: 'upsert', model: 'Session', id: 's', payload: { uid: 'u' } },
        { do: 'upsert', model: 'AuthorizationCode', id: 'c', payload: { grantId: 'g' } },
        { do: 'upsert', model: 'RefreshToken', id: 'r', payload: { grantId: 'g' } },
      ]);
    });
  });
  afterEach(() => installation[Symbol.dispose]());

  async function onStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
    await using store = await openConfiguredStore(parseConfig(environment), clock, installation.folder);
    return await work(store);
  }

  async function done(...argv: string[]) {
    const outcome = await installation.run(argv);
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  }

  async function refused(argv: string[], message: RegExp, env: Record<string, string> = environment) {
    const { code, stdout, stderr } = await installation.run(argv, { env });
    assert.equal(code, 1, stdout);
    assert.equal(stdout, '');
    assert.match(stderr, /^identity: [^\n]+\n$/);
    assert.match(stderr, message);
  }

  const backUp = () => done('db', 'backup', backup);
  const names = () => readdirSync(join(installation.folder, 'data')).filter((name) => !/-(wal|shm)$/.test(name));

  it('brings a lost database back: accounts, clients and keys, but nothing that was issued', async () => {
    await done('resource-server', 'add', 'reports');
    const keys = (await done('key', 'list', '--json')).stdout;
    const made = (await done('db', 'backup', backup, '--json')).json();
    const { rows } = made as { rows: Record<string, number> };
    assert.deepEqual([rows['accounts'], rows['signing_keys'], rows['artifacts']], [1, 4, 3]);
    assert.equal(made['issuer'], environment.JWT_ISSUER);
    rmSync(join(installation.folder, 'data'), { recursive: true });

    const restored = (await done('db', 'restore', backup, '--json')).json();
    assert.deepEqual(
      [restored['restored'], restored['signing_keys'], restored['voided_artifacts'], restored['sha256']],
      [true, 4, 3, made['sha256']],
    );
    assert.deepEqual(names(), ['identity.db', 'identity.db.generation']);
    assert.equal(statSync(database).mode & 0o777, 0o600);
    assert.match((await done('user', 'list')).stdout, /^alice /m);
    assert.match((await done('resource-server', 'list')).stdout, /^reports /m);
    assert.equal((await done('key', 'list', '--json')).stdout, keys);
    await onStore(async (store) => {
      for (const [model, id] of [
        ['Session', 's'],
        ['AuthorizationCode', 'c'],
        ['RefreshToken', 'r'],
      ] as const) {
        assert.equal(await store.artifacts.find(model, id), undefined, model);
      }
      assert.equal(await store.recover(), 'same', 'the next boot has nothing to say');
    });
  });

  it('gives the restored database another epoch', async () => {
    const epoch = () => {
      const db = new Database(database, { readonly: true });
      try {
        return db.prepare("select value from meta where name = 'epoch'").pluck().get();
      } finally {
        db.close();
      }
    };
    await backUp();
    const before = epoch();
    await done('db', 'restore', backup, '--replace');
    assert.ok(before);
    assert.notEqual(epoch(), before);
  });

  it('works beside a running server, which a restore does not replace', async () => {
    const folder = { path: installation.folder, database, [Symbol.dispose]() {} };
    await using running = startProcess({ folder, env: { ...environment, PORT: '0', HOST: '127.0.0.1' } });
    const origin = await running.origin();
    await backUp();
    await refused(['db', 'restore', backup, '--replace'], /identity\.db is in use: stop the server first/);
    assert.equal((await fetch(`${origin}/ready`)).status, 200);
    await done('db', 'restore', backup, '--verify');
    running.kill('SIGTERM');
    assert.equal((await running.exited).code, 0);
    await done('db', 'restore', backup, '--replace');

    await using again = startProcess({ folder, env: { ...environment, PORT: '0', HOST: '127.0.0.1' } });
    assert.equal((await fetch(`${await again.origin()}/ready`)).status, 200);
    assert.ok(!again.stdout.includes('was removed'));
  });

  it('replaces a database only when told to, and keeps it under another name', async () => {
    await backUp();
    await done('user', 'add', 'bob');
    await refused(['db', 'restore', backup], /is there already: stop the server and add --replace/);
    assert.match((await done('user', 'list')).stdout, /^bob /m);
    const { replaced } = (await done('db', 'restore', backup, '--replace', '--json')).json();
    assert.match(String(replaced), /identity\.db\.replaced-\d{8}T\d{6}Z$/);
    assert.doesNotMatch((await done('user', 'list')).stdout, /^bob /m);
    const db = new Database(String(replaced), { readonly: true });
    assert.deepEqual(db.prepare('select username from accounts order by 1').pluck().all(), ['alice', 'bob']);
    db.close();
  });

  it('replaces a database that is damaged beyond opening, with the log of its last moments', async () => {
    await backUp();
    writeFileSync(database, Buffer.alloc(10_000));
    writeFileSync(`${database}-wal`, 'the log of another file');
    await done('db', 'restore', backup, '--replace');
    assert.match((await done('user', 'list')).stdout, /^alice /m);
    assert.equal(names().filter((name) => name.startsWith('identity.db.replaced-')).length, 1);
  });

  it('does not take the log of a database that is gone for its own', async () => {
    await backUp();
    const db = new Database(database);
    db.pragma('wal_autocheckpoint = 0');
    db.exec("update accounts set username = 'mallory'");
    const log = readFileSync(`${database}-wal`);
    db.close();
    rmSync(database);
    writeFileSync(`${database}-wal`, log);
    await done('db', 'restore', backup);
    assert.match((await done('user', 'list')).stdout, /^alice /m);
  });

  it('proves with --verify that it could be restored, and changes nothing', async () => {
    await backUp();
    const before = readFileSync(database);
    const there = names();
    const { stdout } = await done('db', 'restore', backup, '--verify');
    assert.match(stdout, /complete and undamaged, its keys open, and a token of its time verifies/);
    assert.match(stdout, /\(3\) is void/);
    assert.match(stdout, /Nothing was put in place/);
    assert.deepEqual(readFileSync(database), before);
    assert.deepEqual(names(), there);
    assert.equal((await installation.run(['db', 'restore', backup, '--verify', '--replace'])).code, 2);
  });

  it('names the encryption key when it is another one, whether of the file or of the keys in it', async () => {
    await backUp();
    const env = { ...environment, ENCRYPTION_KEY: OTHER_KEY };
    await refused(['db', 'restore', backup, '--verify'], /put the ENCRYPTION_KEY of that time back/, env);
    const both = { ...environment, ENCRYPTION_KEY: `${OTHER_KEY},${environment.ENCRYPTION_KEY}` };
    assert.equal((await installation.run(['db', 'restore', backup, '--verify'], { env: both })).code, 0);
    // the file is made with the new key, the signing keys are still sealed with the old one
    assert.equal((await installation.run(['db', 'backup', backup], { env: both })).code, 0);
    await refused(['db', 'restore', backup, '--verify'], /put the former ENCRYPTION_KEY back/, env);
    assert.equal((await installation.run(['db', 'restore', backup, '--verify'], { env: both })).code, 0);
  });

  it('refuses a backup whose token the keys in it do not verify', async () => {
    const stranger = await createKeyring([await generateSigningKey('ES256', clock())], clock());
    await createBackup({
      database,
      file: backup,
      encryptionKeys: [environment.ENCRYPTION_KEY],
      clock,
      proof: await signProof(stranger, environment.JWT_ISSUER, 'identity-backend', clock()),
    });
    await refused(['db', 'restore', backup, '--verify'], /does not verify with the keys in it \(unverifiable\)/);
  });

  for (const [name, damage] of [
    ['cut off', (bytes: Buffer) => bytes.subarray(0, -100)],
    ['altered', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 5_000), Buffer.alloc(1), bytes.subarray(5_001)])],
    ['not a backup', () => Buffer.from('a letter')],
  ] as const) {
    it(`refuses a file that is ${name}, and leaves the database alone`, async () => {
      await backUp();
      writeFileSync(backup, damage(readFileSync(backup)));
      const before = readFileSync(database);
      await refused(['db', 'restore', backup, '--replace'], new RegExp(name));
      assert.deepEqual(readFileSync(database), before);
      assert.deepEqual(
        names().filter((one) => /work|replaced/.test(one)),
        [],
      );
    });
  }

  it('says so when the backup is of another issuer', async () => {
    await backUp();
    const env = { ...environment, JWT_ISSUER: 'http://localhost:4000', PUBLIC_URL: 'http://localhost:4000' };
    const { code, stderr } = await installation.run(['db', 'restore', backup, '--verify'], { env });
    assert.equal(code, 0);
    assert.match(
      stderr,
      /^warning: the backup is of the issuer http:\/\/localhost:3000, and this one is http:\/\/localhost:4000\n$/,
    );
  });

  it('backs up nothing where there is no database', async () => {
    rmSync(join(installation.folder, 'data'), { recursive: true });
    await refused(['db', 'backup', backup], /there is no database at /);
    assert.equal(existsSync(join(installation.folder, 'data')), false);
  });

  it('names pg_dump and pg_restore for Postgres', async () => {
    const env = { ...environment, DATABASE_URL: 'postgres://db.example/identity' };
    await refused(['db', 'backup', backup], /pg_dump.*docs\/backup\.md/, env);
    await refused(['db', 'restore', backup], /pg_restore.*docs\/backup\.md/, env);
  });
});
