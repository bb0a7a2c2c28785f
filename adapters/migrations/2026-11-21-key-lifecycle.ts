// When each signing key signs, stops and is removed; and who has fetched the JWKS.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

export const name = '2026-11-21-key-lifecycle';

/** The keys that are there sign since they were made: there is one of each algorithm. */
export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .alterTable('signing_keys')
    .addColumn('signs_at', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable('signing_keys').addColumn('stops_at', 'bigint').execute();
  await db.schema.alterTable('signing_keys').addColumn('removed_at', 'bigint').execute();
  await db.updateTable('signing_keys').set({ signs_at: sql<number>`created_at` }).execute();
  await db.schema
    .createTable('jwks_fetches')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('agent', 'text', (column) => column.notNull())
    .addColumn('last_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('jwks_fetches_last_at').on('jwks_fetches').column('last_at').execute();
}
