// What a boot refuses of a SQLite file, by the real process and for every file system: exit 1, the file untouched.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { openStore } from '../../adapters/open-store.ts';
import { openSqlite } from '../../adapters/sqlite.ts';
import { createFolder, type Env, type Folder, startProcess, testEnvironment } from '../support/process.ts';
import { box, createTemporaryPath } from './fixtures/temporary-database.ts';

const NOBODY = 65_534;
const YEARS_AGO = 1_500_000_000;

describe('refusals at boot of a SQLite file', () => {
  let template: ReturnType<typeof createTemporaryPath>;
  let env: Env;
  let folder: Folder;

  before(async () => {
    env = await testEnvironment();
    template = createTemporaryPath();
    await using store = await openStore({
      database: { engine: 'sqlite', path: template.path },
      clock: () => 1_800_000_000,
      box,
    });
    await store.migrate();
    for (let n = 0; n < 100; n += 1) {
      await store.artifacts.apply([{ do: 'upsert', model: 'Session', id: `session-${n}`, payload: { n } }]);
    }
  });
  after(() => template.remove());
  beforeEach(() => {
    folder = createFolder();
    mkdirSync(dirname(folder.database), { mode: 0o700 });
    copyFileSync(template.path, folder.database);
  });
  afterEach(() => folder[Symbol.dispose]());

  const change = (sql: string) => {
    const db = new Database(folder.database);
    db.exec(sql);
    db.close();
  };
  const overwrite = (from: number, length: number) => {
    const bytes = readFileSync(folder.database);
    bytes.fill(0xa5, from, from + length);
    writeFileSync(folder.database, bytes);
  };
  const emptyTables = () => {
    rmSync(folder.database);
    change('pragma application_id = 1768186469; pragma user_version = 1; pragma journal_mode = wal');
    writeFileSync(`${folder.database}.generation`, '{"current":"7f0a"}');
  };

  /** What holds data beside it: an empty log and its index may stay behind when SQLite has only read. */
  const data = () => {
    const above = dirname(folder.database);
    return readdirSync(above).filter((name) => !name.endsWith('-shm') && statSync(`${above}/${name}`).size > 0);
  };

  const cases: [name: string, damage: () => void, message: RegExp][] = [
    ['damaged pages', () => overwrite(8 * 4096, 4 * 4096), /is damaged .* Restore it from a backup/],
    [
      'a zeroed header',
      () => writeFileSync(folder.database, Buffer.alloc(8192)),
      /not a SQLite database, or is damaged/,
    ],
    ['an empty file', () => writeFileSync(folder.database, ''), /is empty, but a database was expected\. Restore/],
    ['no tables where data was', emptyTables, /holds no tables, but data was expected\. Restore/],
    ['another application’s database', () => change('pragma application_id = 7'), /of another application/],
    ['a newer layout', () => change('pragma user_version = 9'), /newer version of this program: run that version/],
    ['a newer schema', () => change("insert into migrations values ('2999-01-01-later', 1)"), /migrated by a newer/],
  ];
  for (const [name, damage, message] of cases) {
    it(`exits with 1 on ${name}, and touches nothing`, async () => {
      damage();
      utimesSync(folder.database, YEARS_AGO, YEARS_AGO);
      const bytes = readFileSync(folder.database);
      const names = data();
      await using running = startProcess({ folder, env });
      assert.equal((await running.exited).code, 1);
      assert.equal(running.stdout, '');
      assert.match(running.stderr, /^[^\n]+\n$/);
      assert.match(running.stderr, message);
      assert.deepEqual(readFileSync(folder.database), bytes);
      assert.equal(statSync(folder.database).mtimeMs, YEARS_AGO * 1000);
      assert.deepEqual(data(), names);
    });
  }

  it('exits with 1 when the database is gone and its marker says that it was there', async () => {
    rmSync(folder.database);
    writeFileSync(`${folder.database}.generation`, '{"current":"7f0a"}');
    await using running = startProcess({ folder, env });
    assert.equal((await running.exited).code, 1);
    assert.match(
      running.stderr,
      /^\S+ is missing, but a database was expected\. Restore it .*\.generation away to start/,
    );
    assert.equal(existsSync(folder.database), false);
  });

  for (const [name, file, above] of [
    ['file', 0o444, 0o755],
    ['folder', 0o644, 0o555],
  ] as const) {
    it(`refuses a ${name} that is read-only, and touches nothing`, async () => {
      utimesSync(folder.database, YEARS_AGO, YEARS_AGO);
      chmodSync(folder.path, 0o755);
      chmodSync(folder.database, file);
      chmodSync(dirname(folder.database), above);
      const root = process.geteuid?.() === 0;
      if (root) {
        for (const path of [folder.database, dirname(folder.database)]) chownSync(path, NOBODY, NOBODY);
        process.seteuid?.(NOBODY); // the modes mean nothing to root
      }
      try {
        const opening = openSqlite({ path: folder.database, refuseSchema: () => {} });
        await assert.rejects(opening, {
          name: 'StoreRefused',
          message: /cannot be written to \(.*\)\. Check its owner/,
        });
      } finally {
        if (root) process.seteuid?.(0);
        chmodSync(dirname(folder.database), 0o755);
      }
      assert.equal(statSync(folder.database).mtimeMs, YEARS_AGO * 1000);
      assert.deepEqual(readFileSync(folder.database), readFileSync(template.path));
      assert.deepEqual(data(), ['identity.db']);
    });
  }

  const fuse = 0x65735546;
  const open = (type: number, mounts = '', path = folder.database) =>
    openSqlite({ path, refuseSchema: () => {}, mounts: { magicOf: () => type, mounts: () => mounts } });

  for (const [name, type] of [
    ['NFS', 0x6969],
    ['SMB', 0xfe534d42],
    ['CIFS', 0xff534d42],
    ['9p', 0x01021997],
    ['Ceph', 0x00c36400],
    ['AFS', 0x5346414f],
    ['Lustre', 0x0bd00bd0],
    ['FUSE', fuse],
  ] as const) {
    it(`refuses ${name}, and touches nothing`, async () => {
      utimesSync(folder.database, YEARS_AGO, YEARS_AGO);
      await assert.rejects(open(type), (error: Error) => {
        assert.equal(error.name, 'StoreRefused');
        assert.match(
          error.message,
          new RegExp(`network file system \\(${name}\\).*: put the database on a local disk`),
        );
        return true;
      });
      assert.equal(statSync(folder.database).mtimeMs, YEARS_AGO * 1000);
      assert.deepEqual(data(), ['identity.db']);
    });
  }

  it('creates nothing on a network file system', async () => {
    await assert.rejects(open(0x6969, '', `${folder.path}/new/folder/identity.db`), { name: 'StoreRefused' });
    assert.equal(existsSync(`${folder.path}/new`), false);
  });

  for (const [name, type] of [
    ['ext4', 0xef53],
    ['XFS', 0x58465342],
    ['Btrfs', 0x9123683e],
    ['ZFS', 0x2fc12fc1],
    ['tmpfs', 0x01021994],
    ['overlayfs', 0x794c7630],
    ['a file system that says nothing', 0],
  ] as const) {
    it(`opens on ${name}`, async () => {
      await (await open(type)).close();
    });
  }

  const mount = (point: string, type: string) => `36 35 98:0 / ${point} rw,noatime master:1 - ${type} source rw`;
  it('tells a FUSE program that uses the network from one that does not, by the innermost mount', async () => {
    const inner = `${folder.path}/data`;
    const table = (...lines: string[]) => `${lines.join('\n')}\n`;
    await assert.rejects(open(fuse, table(mount('/', 'ext4'), mount(inner, 'fuse.sshfs'))), { message: /fuse\.sshfs/ });
    await assert.rejects(open(fuse, table(mount(inner, 'fuse.s3fs'), mount('/', 'fuseblk'))), {
      message: /fuse\.s3fs/,
    });
    await assert.rejects(open(fuse, table(mount(inner, 'fuseblk'), mount(inner, 'fuse.sshfs'))), { message: /sshfs/ });
    await assert.rejects(open(fuse, table(mount('/', 'virtiofs'), mount(`${inner}base`, 'fuseblk'))), {
      message: /virtiofs/,
    });
    await (await open(fuse, table(mount('/', 'fuse.sshfs'), mount(inner, 'fuse.fuse-overlayfs')))).close();
    await (await open(fuse, table(mount('/', 'fuse.sshfs'), mount(inner, 'fuseblk')))).close();
  });

  it('looks at the file behind a symbolic link', async () => {
    const link = `${folder.path}/link.db`;
    symlinkSync(folder.database, link);
    const asked: string[] = [];
    const mounts = {
      magicOf(path: string) {
        asked.push(path);
        return 0x6969;
      },
      mounts: () => '',
    };
    await assert.rejects(openSqlite({ path: link, refuseSchema: () => {}, mounts }), { name: 'StoreRefused' });
    assert.deepEqual(asked, [folder.database]);
  });

  it('finds the disk of this machine local', async () => {
    await (await openSqlite({ path: folder.database, refuseSchema: () => {} })).close();
  });
});
