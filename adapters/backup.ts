// Copies a SQLite database, while it is in use, into one encrypted file.
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import type { Clock } from '../src/store.ts';
import { BackupRefused, encryptBackup, isBackup } from './backup-encryption.ts';
import { openWorkFolder } from './backup-work.ts';
import { syncFolder } from './rollback-marker.ts';

/** What a backup says of itself, inside its encryption. */
export interface BackupManifest {
  /** epoch seconds */
  readonly createdAt: number;
  /** names of the migrations that the database had */
  readonly migrations: readonly string[];
  /** how many rows each table had */
  readonly rows: Readonly<Record<string, number>>;
  /** size and SHA-256 (hexadecimal) of the database file */
  readonly bytes: number;
  readonly sha256: string;
  /** something signed with a key in the database, for whoever restores it to verify */
  readonly proof: BackupProof;
}

/** A token that was good when the backup was made, and its `iss`. */
export interface BackupProof {
  readonly issuer: string;
  readonly token: string;
}

/** Pages of 4 KiB that are copied between two turns of the event loop. */
const STEP_PAGES = 1_024;

/**
 * Takes the database as it is at one moment; those who write to it do not wait. Somebody must have it open already.
 * The file appears under its name once it is complete, readable by its owner only, and replaces an earlier backup.
 * @param options `database` and `file` are paths; the first of the encryption keys encrypts
 * @throws BackupRefused, and errors of the file system as they come
 */
export async function createBackup(options: {
  database: string;
  file: string;
  encryptionKeys: readonly string[];
  clock: Clock;
  proof: BackupProof;
}): Promise<BackupManifest> {
  const { encryptionKeys, clock, proof } = options;
  const file = resolve(options.file);
  refuseOtherFile(file);
  using work = openWorkFolder(resolve(options.database));
  const copy = join(work.path, 'copy.db');
  const createdAt = Math.floor(clock());
  const facts = await copyDatabase(resolve(options.database), copy);

  const hash = createHash('sha256');
  let bytes = 0;
  return await writeInPlace(file, (draft) =>
    encryptBackup(draft, encryptionKeys, read(), () => {
      return { createdAt, ...facts, bytes, sha256: hash.digest('hex'), proof };
    }),
  );

  async function* read(): AsyncGenerator<Buffer> {
    for await (const piece of createReadStream(copy, { highWaterMark: 1024 * 1024 })) {
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  }
}

/**
 * SQLite's online backup starts over whenever another process commits; but not within a read transaction, to which the
 * database is what it was at its first read.
 */
async function copyDatabase(database: string, copy: string): Promise<Pick<BackupManifest, 'migrations' | 'rows'>> {
  const source = new Database(database, { readonly: true, fileMustExist: true, timeout: 2_000 });
  try {
    source.exec('begin');
    const facts = describeDatabase(source);
    await source.backup(copy, { progress: () => STEP_PAGES });
    source.exec('commit');
    return facts;
  } finally {
    source.close();
  }
}

/** What the manifest says of a database. */
export function describeDatabase(db: Database.Database): Pick<BackupManifest, 'migrations' | 'rows'> {
  const tables = db
    .prepare<[], string>(
      "select name from sqlite_master where type = 'table' and name not like 'sqlite~_%' escape '~' order by name",
    )
    .pluck()
    .all();
  const count = (table: string) => db.prepare<[], number>(`select count(*) from "${table}"`).pluck().get() ?? 0;
  return {
    migrations: db.prepare<[], string>('select name from migrations order by name').pluck().all(),
    rows: Object.fromEntries(tables.map((table) => [table, count(table)])),
  };
}

/** A slip of the finger must not cost a file, least of all the database. */
function refuseOtherFile(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    const beginning = Buffer.alloc(32);
    readSync(file, beginning);
    if (!isBackup(beginning))
      throw new BackupRefused(`${path} is there already and is not a backup: choose another name`);
  } finally {
    closeSync(file);
  }
}

/** What is left of the draft when the process is killed is encrypted, and goes at the next backup to the same name. */
async function writeInPlace<T>(path: string, write: (draft: FileHandle) => Promise<T>): Promise<T> {
  const partial = `${path}.partial`;
  try {
    rmSync(partial, { force: true });
    const answer = await writeDurably(partial, write);
    renameSync(partial, path);
    syncFolder(dirname(path));
    return answer;
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

async function writeDurably<T>(path: string, write: (draft: FileHandle) => Promise<T>): Promise<T> {
  await using draft = await open(path, 'wx', 0o600);
  const answer = await write(draft);
  await draft.sync();
  return answer;
}
