// Behaviour of backups of a SQLite database in use, and of what they leave on the disk.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { type BackupManifest, createBackup } from '../../adapters/backup.ts';
import { openBackup } from '../../adapters/backup-restore.ts';
import { openWorkFolder } from '../../adapters/backup-work.ts';
import { openStore } from '../../adapters/open-store.ts';
import { migrationNames } from '../../adapters/schema-migrations.ts';
import type { ArtifactWrite, Store } from '../../src/store.ts';
import { box, createTemporaryPath, ENCRYPTION_KEY } from './fixtures/temporary-database.ts';

const NOW = 1_800_000_000;
const proof = { issuer: 'https://id.example.com', token: 'a.b.c' };

describe('a backup of a SQLite database', () => {
  let temporary: ReturnType<typeof createTemporaryPath>;
  let database: string;
  let file: string;
  let store: Store;

  beforeEach(async () => {
    temporary = createTemporaryPath();
    database = temporary.path;
    file = `${temporary.folder}/one.backup`;
    store = await openStore({ database: { engine: 'sqlite', path: database }, clock: () => NOW, box });
    await store.migrate();
    await store.accounts.insert(
      { id: 'a', username: 'alice', claims: { email: 'alice@example.com' }, createdAt: 1 },
      [],
    );
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    temporary.remove();
  });

  const backUp = (): Promise<BackupManifest> =>
    createBackup({ database, file, encryptionKeys: [ENCRYPTION_KEY], clock: () => NOW, proof });
  const pair = (n: number): ArtifactWrite[] =>
    ['AccessToken', 'RefreshToken'].map((model) => {
      return { do: 'upsert', model, id: `${n}`, payload: { filling: 'x'.repeat(2_000) } };
    });
  const names = () => readdirSync(temporary.folder).filter((name) => !/-(wal|shm)$/.test(name));

  it('is one file for its owner alone, which says what is in it', async () => {
    const manifest = await backUp();
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(names(), ['identity.db', 'one.backup']);
    assert.equal(manifest.createdAt, NOW);
    assert.deepEqual(manifest.migrations, [...migrationNames].sort());
    assert.equal(manifest.rows['accounts'], 1);
    assert.equal(manifest.rows['artifacts'], 0);
    assert.ok(!readFileSync(file).includes('alice'));
    using restored = await openBackup({ file, database, encryptionKeys: [ENCRYPTION_KEY] });
    assert.deepEqual(restored.manifest, manifest);
    assert.equal(statSync(restored.path).size, manifest.bytes);
    assert.equal(statSync(restored.path).mode & 0o777, 0o600);
  });

  it('is one moment of a database that other connections go on writing to', async () => {
    for (let n = 0; n < 500; n += 1) await store.artifacts.apply(pair(n));
    let written = 500;
    let going = true;
    const load = (async () => {
      for (; going; written += 1) await store.artifacts.apply(pair(written));
    })();
    const before = written;
    const manifest = await backUp();
    const during = written - before;
    going = false;
    await load;
    assert.ok(during > 0, 'the load went on');
    using restored = await openBackup({ file, database, encryptionKeys: [ENCRYPTION_KEY] });
    const db = new Database(restored.path, { readonly: true });
    const count = (model: string) =>
      db.prepare<[string], number>('select count(*) from artifacts where model = ?').pluck().get(model) ?? 0;
    const counts = [count('AccessToken'), count('RefreshToken')];
    db.close();
    assert.equal(counts[0], counts[1]);
    assert.equal(counts[0], Number(manifest.rows['artifacts']) / 2);
    assert.ok(Number(counts[0]) >= before && Number(counts[0]) <= before + during + 1);
  });

  it('replaces an earlier backup, and no other file', async () => {
    await backUp();
    const first = readFileSync(file);
    await backUp();
    assert.notDeepEqual(readFileSync(file), first);
    const letter = `${temporary.folder}/letter`;
    writeFileSync(letter, 'dear reader');
    symlinkSync(database, `${temporary.folder}/link`);
    for (const other of [letter, database, `${database}-wal`, `${temporary.folder}/link`]) {
      const before = readFileSync(other);
      file = other;
      await assert.rejects(backUp(), { name: 'BackupRefused', message: /not a backup: choose another name/ }, other);
      assert.deepEqual(readFileSync(other), before);
    }
  });

  it('leaves nothing behind when it fails', async () => {
    mkdirSync(`${file}.partial`); // in the way of the draft
    await assert.rejects(backUp());
    assert.deepEqual(names(), ['identity.db', 'one.backup.partial']);
  });

  it('does not run beside another one of the same database', async () => {
    using _ = openWorkFolder(database);
    await assert.rejects(backUp(), { name: 'BackupRefused', message: /another backup or restore .* is running/ });
    assert.equal(existsSync(file), false);
  });

  it('killed at its very end, leaves its copy beside the database for its owner alone, until the next one', async () => {
    const options = { database, file, encryptionKeys: [ENCRYPTION_KEY], proof };
    // the proof is looked at last, when everything is written but for the manifest
    const script = `
      const { createBackup } = await import(${JSON.stringify(pathToFileURL(`${import.meta.dirname}/../../adapters/backup.ts`))});
      const proof = { toJSON() { process.kill(process.pid, 'SIGKILL'); for (;;); } };
      await createBackup({ ...${JSON.stringify(options)}, clock: () => 1, proof });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGKILL');
    assert.deepEqual(names(), ['identity.db', 'identity.db.backup-work', 'one.backup.partial']);
    assert.equal(statSync(`${database}.backup-work`).mode & 0o777, 0o700);
    assert.ok(readFileSync(`${database}.backup-work/copy.db`).includes('alice'), 'this is the copy');
    assert.ok(statSync(`${file}.partial`).size > 10_000, 'it had been written');
    assert.ok(!readFileSync(`${file}.partial`).includes('alice'));
    await backUp();
    assert.deepEqual(names(), ['identity.db', 'one.backup']);
  });

  it('is decrypted where a restore was killed before', async () => {
    const { bytes } = await backUp();
    mkdirSync(`${database}.backup-work`);
    writeFileSync(`${database}.backup-work/restored.db`, 'the first half');
    using restored = await openBackup({ file, database, encryptionKeys: [ENCRYPTION_KEY] });
    assert.equal(statSync(restored.path).size, bytes);
  });
});
