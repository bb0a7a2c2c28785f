// Accounts elsewhere that sign in to ours, in the table `linked_identities`.
import { Conflict, type LinkedIdentities, type LinkedIdentity } from '../src/store.ts';
import type { Engine } from './engine.ts';
import type { LinkedIdentitiesTable } from './schema.ts';

export function createLinkedIdentities(engine: Engine): LinkedIdentities {
  return {
    async insert({ upstream, subject, accountId, label, createdAt }) {
      const row = { upstream, subject, account_id: accountId, label, created_at: createdAt };
      const { numInsertedOrUpdatedRows } = await engine.write((db) =>
        db
          .insertInto('linked_identities')
          .values(row)
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirstOrThrow(),
      );
      if (numInsertedOrUpdatedRows !== 1n) throw new Conflict('identity');
    },
    async find(upstream, subject) {
      const row = await engine.read((db) =>
        db
          .selectFrom('linked_identities')
          .selectAll()
          .where('upstream', '=', upstream)
          .where('subject', '=', subject)
          .executeTakeFirst(),
      );
      return row && toIdentity(row);
    },
    async listOf(accountId) {
      const rows = await engine.read((db) =>
        db
          .selectFrom('linked_identities')
          .selectAll()
          .where('account_id', '=', accountId)
          .orderBy('created_at')
          .orderBy('upstream')
          .orderBy('subject')
          .execute(),
      );
      return rows.map(toIdentity);
    },
    async remove(accountId, upstream, subject) {
      const { numDeletedRows } = await engine.write((db) =>
        db
          .deleteFrom('linked_identities')
          .where('account_id', '=', accountId)
          .where('upstream', '=', upstream)
          .where('subject', '=', subject)
          .executeTakeFirst(),
      );
      return numDeletedRows === 1n;
    },
  };
}

function toIdentity({ account_id, created_at, ...row }: LinkedIdentitiesTable): LinkedIdentity {
  return { ...row, accountId: account_id, createdAt: created_at };
}
