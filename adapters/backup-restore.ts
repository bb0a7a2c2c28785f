// Brings the database of a backup back: decrypted beside its place and checked there, then moved in.
import { createHash } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { type BackupManifest, describeDatabase } from './backup.ts';
import { BackupRefused, decryptBackup } from './backup-encryption.ts';
import { openWorkFolder } from './backup-work.ts';
import { markerPath, syncFolder } from './rollback-marker.ts';
import { linkInPlace } from './sqlite-file.ts';

/** The database of a backup, whole and undamaged, in a place of its own that goes when it is disposed of. */
export interface RestoredDatabase extends Disposable {
  /** where it is, to be opened, changed and closed again */
  readonly path: string;
  readonly manifest: BackupManifest;
  /**
   * Puts it, closed, where the database belongs, together with its rollback marker. A database that is there is kept
   * under the name that is answered with; it must not be open anywhere, as far as can be told.
   * @throws BackupRefused
   */
  putInPlace(): string | undefined;
}

/**
 * Decrypts the file and checks that what comes out is what went in: size, SHA-256, `integrity_check`, row counts.
 * @param options `file` and `database`, where it belongs, are paths; any of the encryption keys may open it
 * @throws BackupRefused
 */
export async function openBackup(options: {
  file: string;
  database: string;
  encryptionKeys: readonly string[];
}): Promise<RestoredDatabase> {
  const database = resolve(options.database);
  using opening = new DisposableStack();
  const work = opening.use(openWorkFolder(database));
  const path = join(work.path, 'restored.db');
  const manifest = await decryptInto(path, resolve(options.file), options.encryptionKeys);
  requireSound(path, manifest);
  const opened = opening.move();
  return {
    path,
    manifest,
    putInPlace() {
      const kept = setAside(database);
      linkInPlace(path, database);
      renameSync(markerPath(path), markerPath(database));
      syncFolder(dirname(database));
      return kept;
    },
    [Symbol.dispose]: () => opened.dispose(),
  };
}

async function decryptInto(path: string, file: string, encryptionKeys: readonly string[]): Promise<BackupManifest> {
  await using source = await open(file, 'r');
  await using target = await open(path, 'wx', 0o600);
  const hash = createHash('sha256');
  let bytes = 0;
  const manifest = (await decryptBackup(source, encryptionKeys, async (piece) => {
    hash.update(piece);
    bytes += piece.length;
    await target.appendFile(piece);
  })) as BackupManifest; // made by us: it is authentic
  await target.sync();
  if (hash.digest('hex') !== manifest.sha256 || bytes !== manifest.bytes) {
    throw new BackupRefused('the backup does not hold the database that its manifest names: use another copy');
  }
  return manifest;
}

function requireSound(path: string, manifest: BackupManifest): void {
  const db = new Database(path, { fileMustExist: true });
  try {
    const findings = db.prepare<[], string>('pragma integrity_check(1)').pluck().all().join(' ');
    if (findings !== 'ok') throw new BackupRefused(`the database in the backup is damaged (${findings})`);
    const { rows } = describeDatabase(db);
    const wrong = Object.keys(manifest.rows).find((table) => rows[table] !== manifest.rows[table]);
    if (wrong !== undefined) throw new BackupRefused(`the table ${wrong} in the backup is not what its manifest says`);
  } finally {
    db.close();
  }
}

/** Its log goes along: beside the restored file, SQLite would take it for that file's. */
function setAside(database: string): string | undefined {
  using _alone = existsSync(database) ? holdAlone(database) : undefined;
  const kept = `${database}.replaced-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
  const found = ['', '-wal', '-journal'].filter((suffix) => existsSync(database + suffix));
  for (const suffix of found) renameSync(database + suffix, kept + suffix);
  rmSync(`${database}-shm`, { force: true });
  return found.length > 0 ? kept : undefined;
}

/**
 * A database leaves WAL mode only for a connection that is alone with it; and takes its log in with that. What is too
 * damaged for SQLite is in nobody's use.
 */
function holdAlone(database: string): Disposable {
  const db = new Database(database, { fileMustExist: true, timeout: 200 });
  try {
    db.pragma('journal_mode = DELETE');
    db.exec('begin exclusive');
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === 'SQLITE_BUSY' || code === 'SQLITE_LOCKED') {
      db.close();
      throw new BackupRefused(`${database} is in use: stop the server first`, { cause });
    }
  }
  return { [Symbol.dispose]: () => void db.close() };
}
