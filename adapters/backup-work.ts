// The folder beside a database in which a backup or a restore keeps its unencrypted copy while it runs.
import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { BackupRefused } from './backup-encryption.ts';

const LOCK = 'lock';

/** A folder that is empty at first, and removed with everything in it when it is disposed of. */
export interface WorkFolder extends Disposable {
  readonly path: string;
}

/**
 * Open to its owner alone, and on the disk of the database, where the same data lies unencrypted anyway. What a process
 * that was killed has left there goes now. Its lock is one of the operating system's, which ends with its process.
 * @throws BackupRefused when another process has it
 */
export function openWorkFolder(database: string): WorkFolder {
  const path = `${database}.backup-work`;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  const lock = takeLock(join(path, LOCK));
  for (const name of readdirSync(path)) {
    if (name !== LOCK) rmSync(join(path, name), { recursive: true, force: true });
  }
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
      lock.close();
    },
  };
}

/** SQLite's way to the locks of the operating system, which Node does not offer; the file stays empty. */
function takeLock(path: string): Database.Database {
  const lock = new Database(path, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
    return lock;
  } catch (cause) {
    lock.close();
    throw new BackupRefused('another backup or restore of this database is running', { cause });
  }
}
