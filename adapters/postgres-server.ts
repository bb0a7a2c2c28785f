// The server before it is used: refuses one that would lose data, and learns what its locks are worth.
import { randomInt } from 'node:crypto';
import { DatabaseError, type Pool, type PoolClient } from 'pg';
import { StoreRefused } from '../src/store.ts';

const OLDEST_VERSION = 13;

/** The isolation level at which our transactions are safe on this server. */
export type Isolation = 'read committed' | 'serializable';

interface Settings {
  version: number;
  encoding: string;
  synchronous_commit: string;
  /** empty or null: no standby has to confirm a commit */
  standbys: string | null;
}

/**
 * Checks what must hold of the server and of the schema in it, without writing anything.
 * @param refuseSchema throws StoreRefused for names of migrations that this program does not know
 * @throws StoreRefused, and whatever the driver throws
 */
export async function inspectServer(
  pool: Pool,
  refuseSchema: (applied: readonly string[]) => void,
): Promise<{ isolation: Isolation }> {
  const client = await pool.connect();
  try {
    requireSettings(await readSettings(client));
    refuseSchema(await readAppliedMigrations(client));
    return { isolation: (await hasAdvisoryLocks(client, pool)) ? 'read committed' : 'serializable' };
  } finally {
    client.release(client.getTransactionStatus() !== 'I');
  }
}

async function readSettings(client: PoolClient): Promise<Settings> {
  const { rows } = await client.query<Settings>(
    `select current_setting('server_version_num')::int8 / 10000 as version,
       current_setting('server_encoding') as encoding,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('synchronous_standby_names', true) as standbys`,
  );
  return rows[0] as Settings;
}

function requireSettings({ version, encoding, synchronous_commit, standbys }: Settings): void {
  if (version < OLDEST_VERSION) {
    throw new StoreRefused(`the database is Postgres ${version}: upgrade it to ${OLDEST_VERSION} or newer.`);
  }
  if (encoding !== 'UTF8') {
    throw new StoreRefused(`the database is encoded in ${encoding}: create one with encoding UTF8.`);
  }
  // With standbys that have to confirm, these two acknowledge a commit which a failover may take back.
  const weakWithStandbys = synchronous_commit === 'local' || synchronous_commit === 'remote_write';
  if (synchronous_commit === 'off' || (standbys && weakWithStandbys)) {
    throw new StoreRefused(
      `the database acknowledges commits that a crash may take back (synchronous_commit = ${synchronous_commit}): set it to on for this role (ALTER ROLE … SET synchronous_commit = on).`,
    );
  }
}

async function readAppliedMigrations(client: PoolClient): Promise<string[]> {
  try {
    const { rows } = await client.query<{ name: string }>('select name from migrations');
    return rows.map(({ name }) => name);
  } catch (error) {
    const { code } = error as DatabaseError;
    if (code === '42P01') return []; // undefined_table: nobody has migrated yet
    if (code !== '42703' && code !== '42501') throw error;
    throw new StoreRefused('the database is used by another program: give this service one of its own.', {
      cause: error,
    });
  }
}

/**
 * Some engines accept advisory locks and ignore them, others do not know them. Writes of one grant, which must not
 * overtake its revocation, then need the next best thing: transactions that behave as if they ran one by one.
 */
async function hasAdvisoryLocks(holder: PoolClient, pool: Pool): Promise<boolean> {
  const key = randomInt(2 ** 47);
  const rival = await pool.connect();
  try {
    await holder.query('begin');
    await holder.query(`select pg_advisory_xact_lock(${key})`);
    const { rows } = await rival.query<{ got: boolean }>(`select pg_try_advisory_xact_lock(${key}) as got`);
    return rows[0]?.got === false;
  } catch (error) {
    if (error instanceof DatabaseError && /^(0A000|42883)$/.test(error.code ?? '')) return false;
    throw error;
  } finally {
    rival.release();
    await holder.query('rollback');
  }
}
