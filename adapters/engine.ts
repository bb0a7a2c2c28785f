// The seam between the tables and a database engine: all that `sqlite.ts` and `postgres.ts` must provide.
import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

/** One connected database. Every rejection that means "not now" is a StoreUnavailable with its cause. */
export interface Engine {
  /** Reads what is committed, without waiting for a write transaction and without seeing inside one. */
  read<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one write transaction, durable when the promise resolves; rolls back when `work` rejects.
   * `work` awaits nothing but queries of its transaction, and runs at most once.
   */
  write<T>(work: (transaction: Kysely<Schema>) => Promise<T>): Promise<T>;
  /** Whether writes that are ready together should share one transaction: one process's commits follow each other. */
  readonly groupsWrites: boolean;
  /** Housekeeping that requests should not pay for, such as a checkpoint. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}
