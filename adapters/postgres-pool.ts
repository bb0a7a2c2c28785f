// Connections to Postgres: what the URL asks for, statements prepared by name, and connections that went bad.
import { hash } from 'node:crypto';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { type ClientBase, DatabaseError, Pool, type PoolClient, types } from 'pg';
import { StoreRefused, StoreUnavailable } from '../src/store.ts';
import { endsConnection } from './postgres-errors.ts';

/** How long a connection may take to come up, or to become free, in milliseconds. */
const CONNECT_MS = 2_000;

/** How long the server may take to answer one query of a request. */
const ANSWER_MS = 3_000;

/** Idle connections are closed after this time; one that went silent is noticed by TCP keep-alive. */
const IDLE_MS = 60_000;
const KEEP_ALIVE_MS = 10_000;

const DEFAULT_SIZE = 10;

/** Our texts are a small fixed set; should a variable one ever get in, the server's memory stays bounded. */
const MAX_NAMED_STATEMENTS = 250;

/** A query that found nothing. */
const NO_ROWS = { command: 'SELECT', rowCount: 0, rows: [] } as const;

/** What the URL says to us; all else in it is for the driver (`sslmode`, `sslrootcert`, `host` …). */
export interface PostgresUrl {
  readonly connectionString: string;
  /** most connections of this process */
  readonly poolSize: number;
  /** false where a pooler does not keep prepared statements between transactions */
  readonly prepares: boolean;
}

/**
 * Takes `pool_size` and `prepare` out of the URL. `prefer`, `require` and `verify-ca` become `verify-full`, which is
 * what the driver makes of them today, with a warning that this will weaken one day.
 * @throws StoreRefused
 */
export function parsePostgresUrl(text: string): PostgresUrl {
  const url = new URL(text);
  const size = url.searchParams.get('pool_size') ?? String(DEFAULT_SIZE);
  const prepare = url.searchParams.get('prepare') ?? 'true';
  if (!/^\d{1,3}$/.test(size) || Number(size) < 2) {
    throw new StoreRefused('pool_size in the database URL is not a number from 2 to 999: correct it, or leave it out.');
  }
  if (prepare !== 'true' && prepare !== 'false') {
    throw new StoreRefused('prepare in the database URL is neither true nor false: correct it, or leave it out.');
  }
  url.searchParams.delete('pool_size');
  url.searchParams.delete('prepare');
  const mode = url.searchParams.get('sslmode');
  if (url.searchParams.get('uselibpqcompat') !== 'true' && /^(prefer|require|verify-ca)$/.test(mode ?? '')) {
    url.searchParams.set('sslmode', 'verify-full');
  }
  return { connectionString: url.href, poolSize: Number(size), prepares: prepare === 'true' };
}

/** A pool whose connections all lead to a server that takes writes, and whose losses never end the process. */
export function createPool({ connectionString, poolSize }: PostgresUrl): Pool {
  const pool = new Pool({
    connectionString,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: IDLE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    fallback_application_name: 'identity-backend',
    types: { getTypeParser: parserOf as typeof types.getTypeParser },
    onConnect: requirePrimary,
  });
  // An 'error' without a listener would end the process. Nothing is left to do: the pool has dropped an idle
  // connection, and on a busy one the query is rejected too.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** A `bigint` is a number here: epoch seconds and counts are far below 2^53. */
function parserOf(oid: number, format?: 'text'): unknown {
  return oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format);
}

/** What a standby answers may be old, so that a consumed code looked fresh: not even reads go there. */
async function requirePrimary(client: ClientBase): Promise<void> {
  const question = { text: 'show transaction_read_only', query_timeout: CONNECT_MS };
  const { rows } = await client.query<{ transaction_read_only: string }>(question);
  if (rows[0]?.transaction_read_only === 'on') {
    throw new StoreRefused('the database takes no writes: point the database URL to the primary server.');
  }
}

/**
 * The pool as Kysely wants it. Queries with parameters are prepared once per connection.
 * @param waits without limit for answers, for migrations
 */
export function toKyselyPool(pool: Pool, options: { prepares: boolean; waits?: boolean }): PostgresPool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || !options.prepares || names.size >= MAX_NAMED_STATEMENTS) return known;
    const name = hash('sha256', text, 'base64url').slice(0, 22);
    names.set(text, name);
    return name;
  };
  return {
    options: {},
    end: () => pool.end(),
    async connect() {
      try {
        return toKyselyClient(await pool.connect(), nameOf, options.waits ? 0 : ANSWER_MS);
      } catch (cause) {
        throw new StoreUnavailable('there is no connection to the database', { cause });
      }
    },
  };
}

/** A connection between taking it from the pool and giving it back, or throwing it away when it went bad. */
function toKyselyClient(
  client: PoolClient,
  nameOf: (text: string) => string | undefined,
  timeoutMs: number,
): PostgresPoolClient {
  let bad = false;

  async function query<Row>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>> {
    // whoever rolls back after an outage must not wait for the next timeout
    if (bad) throw new StoreUnavailable('the connection to the database was lost');
    // Postgres has no text with NUL in it and rejects the question whether there is one
    if (text.startsWith('select ') && values.some(hasNul)) return NO_ROWS as never;
    const prepared = values.length > 0 && { values: [...values], name: nameOf(text) };
    try {
      return (await client.query({ text, ...prepared, query_timeout: timeoutMs } as never)) as never;
    } catch (error) {
      bad = isBad(error);
      if (error instanceof DatabaseError || error instanceof TypeError) throw error;
      throw new StoreUnavailable('the connection to the database was lost', { cause: error });
    }
  }

  return {
    query: query as PostgresPoolClient['query'],
    release() {
      client.release(bad || client.getTransactionStatus() !== 'I');
    },
  };
}

/** Whether the connection cannot be used again; a prepared statement that went stale stays so on its connection. */
function isBad(error: unknown): boolean {
  if (error instanceof DatabaseError) return endsConnection(error);
  return !(error instanceof TypeError);
}

function hasNul(value: unknown): boolean {
  return typeof value === 'string' && value.includes('\0');
}
