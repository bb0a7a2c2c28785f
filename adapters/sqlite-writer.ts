// Writes to SQLite: one transaction after another, each with the lock from its beginning.
import { setImmediate } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { CompiledQuery, type Kysely } from 'kysely';
import type { Engine } from './engine.ts';
import type { Schema } from './schema.ts';
import { connect } from './sqlite-connections.ts';
import { createQueries } from './sqlite-queries.ts';
import { PATIENCE_MS, patiently, toStoreError } from './sqlite-waiting.ts';

const BEGIN = CompiledQuery.raw('begin immediate');
const COMMIT = CompiledQuery.raw('commit');
const ROLLBACK = CompiledQuery.raw('rollback');

/** The writing half of an engine, over the one connection that writes. */
export function createWriter(connection: Database.Database): Pick<Engine, 'write' | 'betweenWrites'> {
  const queries = createQueries(connection);
  const inTurn = createQueue();
  return {
    async write(work) {
      const deadline = performance.now() + PATIENCE_MS;
      try {
        return await inTurn(() => transact(queries, connection, deadline, work));
      } catch (error) {
        throw toStoreError(error);
      }
    },
    betweenWrites: inTurn,
  };
}

/** Has one job run after another, in the order of arrival. */
function createQueue(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const turn = last.then(job);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/**
 * The write lock is taken at the start: a transaction that read first and then wrote could fail with
 * SQLITE_BUSY_SNAPSHOT, which no waiting cures. From BEGIN to COMMIT nothing gives way to the event loop, so the lock
 * is held no longer than the work takes.
 */
async function transact<T>(
  db: Kysely<Schema>,
  connection: Database.Database,
  deadline: number,
  work: (db: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  await setImmediate(); // a burst of writes leaves room for other events between its transactions
  await patiently(() => db.executeQuery(BEGIN), deadline);
  try {
    const answer = await work(db);
    await db.executeQuery(COMMIT);
    return answer;
  } catch (error) {
    // After some failures, a full disk for one, SQLite has rolled back already.
    if (connection.open && connection.inTransaction) await db.executeQuery(ROLLBACK);
    throw error;
  }
}

/** Another connection to a file that this process has open, for a thread that only writes. */
export function openWriter(file: string): Pick<Engine, 'write'> & {
  /** Takes what is in the log into the file, as far as nobody still reads it. */
  checkpoint(): Promise<void>;
} {
  const connection = connect(file);
  const { write, betweenWrites } = createWriter(connection);
  return {
    write,
    // on its turn: within a transaction SQLite refuses to checkpoint
    checkpoint: () => betweenWrites(() => patiently(() => void connection.pragma('wal_checkpoint(PASSIVE)'))),
  };
}
