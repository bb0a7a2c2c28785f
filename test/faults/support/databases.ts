// The databases that the fault stories run on, and what stands in them when nobody is asked but the database.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { DatabaseLocation } from '../../../adapters/open-store.ts';
import { sharedPostgres } from '../../support/postgres.ts';
import type { Row } from './ledger.ts';

/** An empty database of some engine. */
export interface FaultDatabase extends AsyncDisposable {
  readonly location: DatabaseLocation;
  /** as `DATABASE_URL` names it */
  readonly url: string;
  /** Its artifacts and tombstones as committed; throws when SQLite calls the file damaged. */
  inspect(): Promise<Inspection>;
}

export interface Inspection {
  readonly artifacts: readonly Row[];
  /** hashes of the grants that were revoked */
  readonly tombstones: ReadonlySet<string>;
}

export interface FaultEngine {
  readonly name: string;
  createDatabase(): Promise<FaultDatabase>;
}

/** In one statement, so that it is of one moment. */
const EVERYTHING = `
  select model, id_hash, grant_hash, consumed_at from artifacts
  union all select 'tombstone', '', grant_hash, null from revoked_grants`;

/** Connections of the database that are at work, apart from the one that asks. */
const BUSY = `
  select pid from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'`;

export const sqlite: FaultEngine = {
  name: 'SQLite',
  async createDatabase() {
    const folder = mkdtempSync(join(tmpdir(), 'identity-faults-'));
    const path = join(folder, 'identity.db');
    return {
      location: { engine: 'sqlite', path },
      url: `sqlite:${path}`,
      // A connection that only reads leaves the log as it is: recovering from it stays for the program to do.
      inspect: async () => inspectFile(path, { readonly: true }),
      [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};

export const postgres: FaultEngine = {
  name: 'Postgres',
  async createDatabase() {
    const server = await sharedPostgres();
    const { url, query, drop } = await server.createDatabase();
    return {
      location: { engine: 'postgres', url },
      url,
      async inspect() {
        // the server goes on for a moment with what a killed client had asked for
        while ((await query(BUSY)).length > 0);
        return inspectionOf(await query<Row>(EVERYTHING));
      },
      [Symbol.asyncDispose]: drop,
    };
  },
};

/**
 * Copies the file and its write-ahead log as they are at this moment, without asking SQLite, and looks into the copy.
 * @param keep how many bytes of the log are copied, given how many there are
 */
export function inspectCopy(path: string, keep: (logBytes: number) => number = (bytes) => bytes): Inspection {
  const folder = mkdtempSync(join(tmpdir(), 'identity-copy-'));
  try {
    const copy = join(folder, 'copy.db');
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    truncateSync(`${copy}-wal`, keep(statSync(`${copy}-wal`).size));
    return inspectFile(copy);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function inspectFile(path: string, options?: Database.Options): Inspection {
  const db = new Database(path, { timeout: 2_000, ...options });
  try {
    assert.deepEqual(db.prepare('pragma integrity_check').pluck().all(), ['ok']);
    return inspectionOf(db.prepare<[], Row>(EVERYTHING).all());
  } finally {
    db.close();
  }
}

function inspectionOf(rows: readonly Row[]): Inspection {
  const { true: tombstones = [], false: artifacts = [] } = Object.groupBy(rows, ({ model }) =>
    String(model === 'tombstone'),
  );
  return { artifacts, tombstones: new Set(tombstones.map(({ grant_hash }) => String(grant_hash))) };
}
