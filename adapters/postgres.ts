// All that is particular to Postgres: transactions on pooled connections, locks, and when to try again.
import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import { DatabaseError, type Pool } from 'pg';
import { StoreRefused } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { isCollision, isTransient, toOpeningError, toStoreError } from './postgres-errors.ts';
import { createPool, type PostgresUrl, parsePostgresUrl, toKyselyPool } from './postgres-pool.ts';
import { type Isolation, inspectServer } from './postgres-server.ts';
import type { Schema } from './schema.ts';

/** Lost races are run again this many times, and only while the request has waited less than this for them. */
const RETRIES = 3;
const PATIENCE_MS = 2_000;

/** More for collisions: each is with a row that somebody else has committed, so that one rival less is left. */
const COLLISIONS = 12;

/** The pause before the first retry is drawn from zero to this, and doubles: losers should not meet again. */
const PAUSE_MS = 20;

/** In milliseconds, on the server, for the transactions of requests. Longer than its search for deadlocks (1 s). */
const LIMITS = { statement_timeout: 3_000, lock_timeout: 1_500, idle_in_transaction_session_timeout: 5_000 };

/** For a migration, which may have to wait for another process's and may take its time. */
const NO_LIMITS = { statement_timeout: 0, lock_timeout: 0, idle_in_transaction_session_timeout: 60_000 };

const COMMIT = CompiledQuery.raw('commit');
const ROLLBACK = CompiledQuery.raw('rollback');

interface PostgresOptions {
  readonly url: string;
  /** throws StoreRefused for names of migrations that this program does not know */
  readonly refuseSchema: (applied: readonly string[]) => void;
}

/**
 * Connects to the database and checks that it keeps what it acknowledges.
 * @throws StoreRefused, StoreUnavailable
 */
export async function openPostgres({ url, refuseSchema }: PostgresOptions): Promise<Engine> {
  let pool: Pool | undefined;
  try {
    const parsed = parsePostgresUrl(url);
    pool = createPool(parsed);
    const { isolation } = await inspectServer(pool, refuseSchema);
    return createEngine(pool, parsed, isolation);
  } catch (error) {
    await pool?.end();
    throw toOpeningError(error);
  }
}

function createEngine(pool: Pool, { prepares }: PostgresUrl, isolation: Isolation): Engine {
  const db = toKysely(toKyselyPool(pool, { prepares }));
  const patientDb = toKysely(toKyselyPool(pool, { prepares: false, waits: true }));
  const begin = beginWith(isolation, LIMITS);
  const beginPatiently = beginWith(isolation, NO_LIMITS);
  const lock: Engine['lock'] = isolation === 'serializable' ? async () => undefined : takeLocks;

  return {
    groupsWrites: false,
    lock,
    version: () => undefined,
    read: (work) => persistently(() => work(db)),
    write: (work) => persistently(() => db.connection().execute((connection) => transact(connection, begin, work))),
    async exclusively(work) {
      try {
        return await persistently(() =>
          patientDb.connection().execute((connection) =>
            transact(connection, beginPatiently, async (transaction) => {
              await lock(transaction, ['everything']);
              return work(transaction);
            }),
          ),
        );
      } catch (error) {
        throw toPermissionRefusal(error);
      }
    },
    betweenWrites: (work) => work(), // transactions run side by side
    async close() {
      if (!pool.ending) await pool.end();
    },
  };
}

function toKysely(pool: ReturnType<typeof toKyselyPool>): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
}

/** One message to the server. The limits are the transaction's own, because a pooler may give the session to others. */
function beginWith(isolation: Isolation, limits: Record<string, number>): CompiledQuery {
  const settings = Object.entries(limits).map(([name, value]) => `; set local ${name} = ${value}`);
  return CompiledQuery.raw(`begin isolation level ${isolation} read write${settings.join('')}`);
}

async function transact<T>(
  connection: Kysely<Schema>,
  begin: CompiledQuery,
  work: (transaction: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  await connection.executeQuery(begin);
  let answer: T;
  try {
    answer = await work(connection);
  } catch (error) {
    // should this fail, then because the connection did, which the pool throws away
    await connection.executeQuery(ROLLBACK).catch(() => undefined);
    throw error;
  }
  // Whether a COMMIT that got no answer took place, nobody knows: that is an outage, and never run again.
  const [ended] = (await connection.executeQuery<{ command?: string }>(COMMIT as CompiledQuery<{ command?: string }>))
    .rows;
  // Postgres answers ROLLBACK when a statement has failed and the work went on regardless.
  if (ended?.command !== 'COMMIT') throw new Error('nothing was committed: a failure within the work was overlooked');
  return answer;
}

/** Runs the attempt again, from the start, when it merely lost to another transaction. */
async function persistently<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let retries = 0; ; retries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const most = isCollision(error) ? COLLISIONS : RETRIES;
      if (!isTransient(error) || retries >= most || performance.now() > deadline) throw toStoreError(error);
    }
    await setTimeout(Math.random() * PAUSE_MS * 2 ** Math.min(retries, RETRIES));
  }
}

/** Always in the same order, so that two transactions never wait for each other here. */
async function takeLocks(transaction: Kysely<Schema>, names: readonly string[]): Promise<void> {
  const keys = new Set(names.map((name) => createHash('sha256').update(name).digest().readBigInt64BE().toString()));
  for (const key of [...keys].sort()) await sql`select pg_advisory_xact_lock(${key})`.execute(transaction);
}

function toPermissionRefusal(error: unknown): unknown {
  if (!(error instanceof DatabaseError) || error.code !== '42501') return error;
  return new StoreRefused(
    `the role may not change the database (${error.message}). Make it the owner of the database, or grant it CREATE on its schema.`,
    { cause: error },
  );
}
