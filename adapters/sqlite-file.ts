// The SQLite file before it is opened for writing: creates a missing one, refuses one that is not ours to touch.
import { randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { StoreRefused } from '../src/store.ts';
import { hasMarker, markerPath } from './rollback-marker.ts';

/** `PRAGMA application_id` of our files: "idbe" in ASCII. */
const APPLICATION_ID = 0x69646265;

/** `PRAGMA user_version`: the way a file is laid out outside of its schema. A larger one is from a newer program. */
const LAYOUT_VERSION = 1;

const NO_HARD_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** The file's marker says that there was data. */
function restoreOrStartAnew(path: string): string {
  return `Restore it from a backup, or move ${markerPath(path)} away to start with an empty database.`;
}

const RESTORE = 'Restore it from a backup, or move it away to start with an empty database.';

/**
 * Creates the file, and folders above it, unless it is there; readable by its owner only.
 * It is made under another name and linked into place, so that no process ever sees half of it.
 * @throws StoreRefused
 */
export function createFileIfMissing(path: string): void {
  const expected = hasMarker(path); // asked first: another process may make both meanwhile
  if (statSync(path, { throwIfNoEntry: false })) return;
  if (expected) throw new StoreRefused(`${path} is missing, but a database was expected. ${restoreOrStartAnew(path)}`);
  const draft = `${path}.${randomUUID()}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(draft, 'wx', 0o600));
    try {
      writeEmptyDatabase(draft);
      linkInPlace(draft, path);
    } finally {
      rmSync(draft, { force: true });
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return; // made by another process meanwhile, or inspected next
    throw new StoreRefused(`${path} cannot be created (${reason(cause)}). Check the folder and who may write to it.`, {
      cause,
    });
  }
}

/** Gives the file another name, on the same disk. Fails with EEXIST when that is taken. */
export function linkInPlace(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!NO_HARD_LINKS.has((error as NodeJS.ErrnoException).code)) throw error;
    copyFileSync(draft, path, constants.COPYFILE_EXCL);
  }
}

function writeEmptyDatabase(path: string): void {
  const db = new Database(path, { fileMustExist: true });
  try {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${LAYOUT_VERSION}`);
  } finally {
    db.close();
  }
}

/**
 * Looks at an existing file without writing to it. A file that is not ours is not even opened as a database, because
 * opening may replay somebody else's journal.
 * @param refuseSchema throws StoreRefused for names of migrations that this program does not know
 * @throws StoreRefused
 */
export function inspectFile(path: string, refuseSchema: (applied: readonly string[]) => void): void {
  const expected = hasMarker(path);
  inspectHeader(path);
  requireWritable(path);
  try {
    const db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      const applied = readAppliedMigrations(db);
      refuseSchema(applied);
      if (expected && applied.length === 0) {
        throw new StoreRefused(`${path} holds no tables, but data was expected. ${restoreOrStartAnew(path)}`);
      }
      requireSound(db, path);
    } finally {
      db.close();
    }
  } catch (cause) {
    const code = (cause as { code?: string }).code;
    if (code !== 'SQLITE_CORRUPT' && code !== 'SQLITE_NOTADB') throw cause;
    throw new StoreRefused(`${path} is damaged (${reason(cause)}). ${RESTORE}`, { cause });
  }
}

/** Reads the 100 bytes that every SQLite file begins with (sqlite.org/fileformat2.html §1.3). */
function inspectHeader(path: string): void {
  const header = readHeader(path);
  if (header.length === 0) {
    throw new StoreRefused(`${path} is empty, but a database was expected. ${RESTORE}`);
  }
  if (header.length < 100 || header.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    throw new StoreRefused(`${path} is not a SQLite database, or is damaged. ${RESTORE}`);
  }
  if (header.readUInt32BE(68) !== APPLICATION_ID) {
    throw new StoreRefused(`${path} is the database of another application. Configure another path.`);
  }
  if (header.readUInt32BE(60) > LAYOUT_VERSION) {
    throw new StoreRefused(
      `${path} was written by a newer version of this program: run that version, or restore a backup from before the upgrade.`,
    );
  }
}

function readHeader(path: string): Buffer {
  try {
    if (!statSync(path).isFile()) throw new StoreRefused(`${path} is not a file. Configure another path.`);
    const header = Buffer.alloc(100);
    const file = openSync(path, 'r');
    try {
      return header.subarray(0, readSync(file, header, 0, header.length, 0));
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof StoreRefused) throw cause;
    throw new StoreRefused(`${path} cannot be read (${reason(cause)}). Check its owner and mode.`, { cause });
  }
}

/** The folder too: SQLite keeps the write-ahead log beside the file. */
function requireWritable(path: string): void {
  for (const place of [path, dirname(path)]) {
    try {
      accessSync(place, constants.R_OK | constants.W_OK);
    } catch (cause) {
      throw new StoreRefused(`${place} cannot be written to (${reason(cause)}). Check its owner and mode.`, { cause });
    }
  }
}

function readAppliedMigrations(db: Database.Database): string[] {
  const table = db.prepare("select 1 from sqlite_master where type = 'table' and name = 'migrations'").get();
  return table ? db.prepare<[], string>('select name from migrations').pluck().all() : [];
}

function requireSound(db: Database.Database, path: string): void {
  const findings = db.prepare<[], string>('pragma quick_check(1)').pluck().all().join(' ');
  if (findings !== 'ok') throw new StoreRefused(`${path} is damaged (${findings.replaceAll('\n', ' ')}). ${RESTORE}`);
}

function reason(cause: unknown): string {
  const { code, message } = cause as { code?: string; message?: string };
  return code ?? message ?? 'unknown reason';
}
