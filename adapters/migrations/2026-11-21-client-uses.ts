// What is counted about clients: when a secret was last used, and how many attempts to authenticate failed.
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';

export const name = '2026-11-21-client-uses';

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('client_secret_uses')
    .addColumn('client_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('client_secret_uses_id', ['client_id', 'name'])
    .execute();
  await db.schema
    .createTable('client_failures')
    .addColumn('bucket', 'integer', (column) => column.primaryKey())
    .addColumn('period', 'bigint', (column) => column.notNull())
    .addColumn('failures', 'integer', (column) => column.notNull())
    .execute();
}
