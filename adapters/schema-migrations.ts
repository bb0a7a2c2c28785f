// Brings the schema up to date: the migrations in order, append-only, each applied once.
import type { Kysely } from 'kysely';
import { type Clock, StoreRefused } from '../src/store.ts';
import type { Engine } from './engine.ts';
import * as audit from './migrations/2026-11-21-audit.ts';
import * as clientUses from './migrations/2026-11-21-client-uses.ts';
import * as first from './migrations/2026-11-21-first.ts';
import * as keyLifecycle from './migrations/2026-11-21-key-lifecycle.ts';
import * as revokedTokens from './migrations/2026-11-21-revoked-tokens.ts';
import * as signIn from './migrations/2026-11-21-sign-in.ts';
import * as artifactIndexes from './migrations/2026-11-22-artifact-indexes.ts';
import type { Schema } from './schema.ts';

const migrations: readonly { name: string; up(db: Kysely<Schema>): Promise<void> }[] = [
  first,
  audit,
  revokedTokens,
  keyLifecycle,
  clientUses,
  signIn,
  artifactIndexes,
];

/** The names that this program knows, in order. */
export const migrationNames: readonly string[] = migrations.map(({ name }) => name);

/**
 * Applies what is missing in one transaction, alone: a process that finds another one migrating waits, and then finds
 * nothing left to do.
 * @throws StoreRefused when a newer version of the program has migrated this database
 */
export async function applyMigrations(engine: Engine, clock: Clock): Promise<void> {
  await engine.exclusively(async (transaction) => {
    await transaction.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('applied_at', 'bigint', (column) => column.notNull())
      .execute();
    const rows = await transaction.selectFrom('migrations').select('name').execute();
    const applied = new Set(rows.map(({ name }) => name));
    refuseNewerSchema([...applied]);
    for (const { name, up } of migrations) {
      if (applied.has(name)) continue;
      await up(transaction);
      await transaction.insertInto('migrations').values({ name, applied_at: clock() }).execute();
    }
  });
}

/** @throws StoreRefused when a name is not one of ours */
export function refuseNewerSchema(applied: readonly string[]): void {
  const unknown = applied.find((name) => !migrationNames.includes(name));
  if (unknown === undefined) return;
  throw new StoreRefused(
    `the database was migrated by a newer version of this program (${unknown}): run that version, or restore a backup from before the upgrade`,
  );
}
