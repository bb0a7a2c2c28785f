// The audit trail: one row per event, only ever added and, when it is old, removed.
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';

export const name = '2026-11-21-audit';

export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('audit_events')
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('client_id', 'text')
    .addColumn('account_id', 'text')
    .addColumn('facts', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('audit_events_id', ['at', 'id'])
    .execute();
  for (const column of ['client_id', 'account_id'] as const) {
    await db.schema.createIndex(`audit_events_${column}`).on('audit_events').columns([column, 'at']).execute();
  }
}
