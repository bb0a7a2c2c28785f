// The ways in which a database is out.
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import Database from 'better-sqlite3';
import { sharedPostgres } from '../../support/postgres.ts';
import type { Outage } from '../outages.ts';
import type { Fleet } from './deployment.ts';

const run = promisify(execFile);

/** Another program holds SQLite's write lock. */
export function foreignLock({ deployment }: Fleet, ms: number): Outage {
  const { location } = deployment.database;
  const db = new Database(location.engine === 'sqlite' ? location.path : '', { timeout: 5_000 });
  return {
    ms,
    readsWork: true,
    begin: async () => void db.exec('begin immediate'),
    async end() {
      db.exec('rollback');
      db.close();
    },
  };
}

/**
 * No file of the process may grow beyond what its write-ahead log already is (RLIMIT_FSIZE, which every user may lower
 * and raise again): to SQLite that is a disk on which nothing more can be written. It needs no small file system, and
 * no privilege.
 */
export function fullDisk({ deployment, servers }: Fleet, ms: number): Outage {
  const { location } = deployment.database;
  const log = `${location.engine === 'sqlite' ? location.path : ''}-wal`;
  const limit = (bytes: number | 'unlimited') =>
    Promise.all(servers.map(({ process }) => run('prlimit', [`--pid=${process.pid}`, `--fsize=${bytes}:`])));
  return {
    ms,
    readsWork: true,
    begin: async () => void (await limit(statSync(log).size)),
    end: async () => void (await limit('unlimited')),
  };
}

/** Whether the program that sets limits of running processes is there (util-linux). */
export async function hasPrlimit(): Promise<boolean> {
  return run('prlimit', ['--version']).then(
    () => true,
    () => false,
  );
}

/** Postgres breaks off every connection and every transaction, and starts again. */
export function postgresRestart(): Outage {
  return {
    ms: 0,
    readsWork: false,
    losesCommits: true,
    begin: async () => (await sharedPostgres()).restart(),
    end: async () => undefined,
  };
}
