// SQLite as an engine: who reads and who writes when, what waits for locks, and what errors mean.
import { resolve } from 'node:path';
import { setImmediate as runAfterThisTurn } from 'node:timers';
import { setImmediate, setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { CompiledQuery, type Kysely } from 'kysely';
import { StoreRefused, StoreUnavailable } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { type MountProbe, refuseNetworkMount } from './network-mounts.ts';
import type { Schema } from './schema.ts';
import { connect, requireFullSync, requireWal, rewriteHeader } from './sqlite-connections.ts';
import { createFileIfMissing, inspectFile } from './sqlite-file.ts';
import { createQueries, createReads } from './sqlite-queries.ts';

/** How long a read or a write waits for others in all, without holding up the event loop. */
const PATIENCE_MS = 2_000;

/** Pauses between two attempts are drawn from this range, so that two waiting processes do not march in step. */
const PAUSE_MS = { min: 10, max: 50 };

const BEGIN = CompiledQuery.raw('begin immediate');
const COMMIT = CompiledQuery.raw('commit');
const ROLLBACK = CompiledQuery.raw('rollback');

/** What an operator, or time, can mend: everything else that SQLite reports is a defect. */
const OUTAGES = /^SQLITE_(BUSY|LOCKED|PROTOCOL|FULL|IOERR|READONLY|CANTOPEN)(_|$)/;

interface SqliteOptions {
  readonly path: string;
  /** throws StoreRefused for names of migrations that this program does not know */
  readonly refuseSchema: (applied: readonly string[]) => void;
  /** what a test puts in the place of this machine's file systems */
  readonly mounts?: MountProbe;
}

/**
 * Opens the file with two connections. One writes, one transaction after another. The other one only reads, and answers
 * while a transaction is open: in WAL mode it sees the last commit and nothing else, so reads neither wait for a write
 * transaction nor see inside one.
 * @throws StoreRefused, StoreUnavailable
 */
export async function openSqlite({ path, refuseSchema, mounts }: SqliteOptions): Promise<Engine> {
  const file = resolve(path);
  refuseNetworkMount(file, mounts);
  createFileIfMissing(file);
  const opened: Database.Database[] = [];
  try {
    await patiently(() => inspectFile(file, refuseSchema));
    const writer = await patiently(() => connect(file));
    opened.push(writer);
    await patiently(() => requireWal(writer));
    await patiently(() => rewriteHeader(writer));
    const reader = await patiently(() => connect(file));
    opened.push(reader);
    reader.pragma('query_only = ON');
    reader.pragma('schema_version');
    for (const connection of opened) requireFullSync(connection);
    return createEngine(writer, reader);
  } catch (error) {
    for (const connection of opened) connection.close();
    throw toOpeningError(error, file);
  }
}

function createEngine(writerConnection: Database.Database, readerConnection: Database.Database): Engine {
  const writer = createWriter(writerConnection);
  const reads = createReads(writerConnection, readerConnection);
  const version = createVersion(readerConnection);
  const write: Engine['write'] = (work) => writer.write(work).finally(version.forget);
  return {
    groupsWrites: true,
    version: version.ask,
    read: (work) => patiently(() => work(reads)),
    write,
    exclusively: write,
    lock: async () => undefined, // whoever writes is alone already
    betweenWrites: writer.betweenWrites,
    async close() {
      readerConnection.close();
      emptyLog(writerConnection);
      writerConnection.close();
    },
  };
}

/**
 * SQLite counts the commits of all other connections, which is what everybody who writes has, this process included
 * (https://sqlite.org/pragma.html#pragma_data_version). Requests that are read in one turn of the event loop arrived before
 * it, so that one answer is good for all of them.
 */
function createVersion(connection: Database.Database): { ask: Engine['version']; forget: () => void } {
  const statement = connection.prepare<[], number>('pragma data_version').pluck();
  let known: number | undefined;
  const forget = () => {
    known = undefined;
  };
  return {
    forget,
    ask() {
      if (known !== undefined) return known;
      try {
        known = statement.get();
      } catch {
        return undefined; // whoever reads instead learns why
      }
      runAfterThisTurn(forget);
      return known;
    },
  };
}

/** The writing half of an engine. */
function createWriter(connection: Database.Database): Pick<Engine, 'write' | 'betweenWrites'> {
  const queries = createQueries(connection);
  const inTurn = createTurns();
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

/** One job after another, in the order of arrival: there is one connection that writes. */
function createTurns(): <T>(job: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (job) => {
    const turn = last.then(job);
    last = turn.catch(() => undefined);
    return turn;
  };
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

/**
 * The last connection to close does so itself. Where another process has the file open too, the file should be complete
 * all the same, for whoever copies it once this one has ended.
 */
function emptyLog(connection: Database.Database): void {
  try {
    if (connection.open) connection.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // what is committed is in the log, and whoever opens the file next finds it there
  }
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

/**
 * Tries again while another process holds the lock, until `deadline` (by `performance.now()`).
 * Whoever comes after the deadline, having queued behind others, is turned away without an attempt: each would stop
 * the event loop for a while, and there may be many.
 * @throws StoreUnavailable
 */
async function patiently<T>(
  attempt: () => T | Promise<T>,
  deadline: number = performance.now() + PATIENCE_MS,
): Promise<T> {
  let lastError: unknown;
  while (performance.now() < deadline) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error)) throw toStoreError(error);
      lastError = error;
    }
    await setTimeout(PAUSE_MS.min + Math.random() * (PAUSE_MS.max - PAUSE_MS.min));
  }
  throw new StoreUnavailable('the database is busy', { cause: lastError });
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED|PROTOCOL)(_|$)/.test(error.code);
}

function toStoreError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError) || !OUTAGES.test(error.code)) return error;
  return new StoreUnavailable(`the database cannot be used now (${error.code})`, { cause: error });
}

/** A file that cannot be written when it is opened is for the operator to mend, not for a client to try again. */
function toOpeningError(error: unknown, file: string): unknown {
  const { cause } = error as { cause?: unknown };
  if (!(cause instanceof Database.SqliteError) || !/^SQLITE_(READONLY|CANTOPEN)(_|$)/.test(cause.code)) return error;
  return new StoreRefused(`${file} cannot be written to (${cause.code}). Check its owner and mode, and its folder's.`, {
    cause,
  });
}
