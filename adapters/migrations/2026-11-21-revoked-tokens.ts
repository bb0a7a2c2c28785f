// Revoked tokens: the deny-list that verification asks.
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';

export const name = '2026-11-21-revoked-tokens';

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('revoked_tokens')
    .addColumn('jti_hash', 'text', (column) => column.primaryKey())
    .addColumn('revoked_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('revoked_tokens_expires_at').on('revoked_tokens').column('expires_at').execute();
}
