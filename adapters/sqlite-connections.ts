// A connection to a SQLite file, and what of its settings durability rests on.
import Database from 'better-sqlite3';
import { StoreRefused } from '../src/store.ts';

/** How long SQLite itself may wait for a lock, in milliseconds: the event loop stands still meanwhile. */
const BUSY_TIMEOUT_MS = 20;

/** Pages of 4 KiB in the write-ahead log at which a commit checkpoints it after all; sweeps do so long before. */
const CHECKPOINT_PAGES = 4_096;

/** What a log that once grew larger is cut back to. */
const LOG_BYTES = CHECKPOINT_PAGES * 4_096;

/**
 * better-sqlite3 is built to lower `synchronous` to NORMAL in WAL mode, where a power cut takes back what was
 * committed; only a connection that asks for FULL itself keeps it.
 */
export function connect(file: string): Database.Database {
  const connection = new Database(file, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    connection.pragma('synchronous = FULL');
    connection.pragma('foreign_keys = ON');
    connection.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    connection.pragma(`journal_size_limit = ${LOG_BYTES}`);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** @throws StoreRefused */
export function requireWal(connection: Database.Database): void {
  const mode = connection.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') {
    throw new StoreRefused(`${connection.name} is on a file system without shared memory: put it on a local disk.`);
  }
}

/** Commits a write that changes nothing, to learn now, and not in the first request, that the file takes writes. */
export function rewriteHeader(connection: Database.Database): void {
  connection.pragma(`user_version = ${connection.pragma('user_version', { simple: true })}`);
}

/**
 * To be asked only once the log is in use: before that the answer is FULL even where it is about to be NORMAL.
 * @throws StoreRefused
 */
export function requireFullSync(connection: Database.Database): void {
  const level = connection.pragma('synchronous', { simple: true });
  if (level !== 2)
    throw new StoreRefused(`SQLite does not keep synchronous = FULL (it says ${level}): use another build.`);
}
