// Indexes over artifacts that hold only rows which can be found by them: most rows have no user code, many no grant.
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';

export const name = '2026-11-22-artifact-indexes';

const COLUMNS = [
  'model',
  'id_hash',
  'payload',
  'grant_hash',
  'uid_hash',
  'user_code_hash',
  'account_id',
  'client_id',
  'consumed_at',
  'expires_at',
] as const;

/**
 * SQLite cannot take a unique constraint off a table, so the rows move to a new one. Renaming the old one comes first: it
 * keeps other processes, which still serve, from writing what would not be moved with the rest.
 */
export async function up(db: Kysely<Schema>): Promise<void> {
  await db.schema.alterTable('artifacts').renameTo('artifacts_before').execute();
  await db.schema
    .createTable('artifacts')
    .addColumn('model', 'text', (column) => column.notNull())
    .addColumn('id_hash', 'text', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('grant_hash', 'text')
    .addColumn('uid_hash', 'text')
    .addColumn('user_code_hash', 'text')
    .addColumn('account_id', 'text')
    .addColumn('client_id', 'text')
    .addColumn('consumed_at', 'bigint')
    .addColumn('expires_at', 'bigint')
    .addPrimaryKeyConstraint('artifacts_key', ['model', 'id_hash'])
    .execute();
  const moving = db as unknown as Kysely<Schema & { artifacts_before: Schema['artifacts'] }>;
  await moving
    .insertInto('artifacts')
    .columns(COLUMNS)
    .expression(moving.selectFrom('artifacts_before').select(COLUMNS))
    .execute();
  await db.schema.dropTable('artifacts_before').execute();
  for (const column of ['uid_hash', 'user_code_hash'] as const) {
    await db.schema
      .createIndex(`artifacts_by_${column}`)
      .unique()
      .on('artifacts')
      .columns(['model', column])
      .where(column, 'is not', null)
      .execute();
  }
  for (const column of ['grant_hash', 'account_id', 'expires_at'] as const) {
    await db.schema
      .createIndex(`artifacts_by_${column}`)
      .on('artifacts')
      .column(column)
      .where(column, 'is not', null)
      .execute();
  }
}
