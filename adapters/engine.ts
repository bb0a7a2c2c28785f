// The seam between the tables and a database engine: all that `sqlite.ts` and `postgres.ts` must provide.
import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** One connected database. Every rejection that means "not now" is a StoreUnavailable with its cause. */
export interface Engine {
  /** Reads what is committed, without waiting for a write transaction and without seeing inside one. */
  read<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  /**
   * A number that is another one after every commit, of this process or of any other; undefined where asking for it would
   * cost as much as reading, or fails. Who asks several times in one callback of the event loop gets one answer.
   */
  version(): number | undefined;
  /**
   * Runs `work` in one write transaction, durable when the promise resolves; rolls back when `work` rejects.
   * `work` awaits nothing but queries of its transaction. It may run again from the start when the transaction lost to
   * another one, so it changes nothing outside of its transaction.
   *
   * Transactions may run side by side: what `work` has looked up may have changed by the time it writes. Either the
   * write itself decides (by the rows it affects), or a unique key does, or `lock` keeps others away.
   */
  write<T>(work: (transaction: Kysely<Schema>) => Promise<T>): Promise<T>;
  /** A `write` that waits as long as it takes, one at a time among all processes on this database. */
  exclusively<T>(work: (transaction: Kysely<Schema>) => Promise<T>): Promise<T>;
  /**
   * Until this transaction ends, or is rolled back to an earlier savepoint, whoever else locks one of the names waits.
   * A transaction that locks again what it holds goes on. Lock before looking.
   */
  lock(transaction: Kysely<Schema>, names: readonly string[]): Promise<void>;
  /** Whether writes that are ready together should share one transaction: one process's commits follow each other. */
  readonly groupsWrites: boolean;
  /** Runs `work`, which does not use this engine, while no write transaction of this process is under way. */
  betweenWrites<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
