// WebAuthn credentials in the table `passkeys`.
import { Conflict, type Passkey, type Passkeys } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { prepareQuery } from './prepared-query.ts';
import type { PasskeysTable } from './schema.ts';

export function createPasskeys(engine: Engine): Passkeys {
  const findRowsOf = prepareQuery<{ accountId: string }, PasskeysTable>((db, slot) =>
    db.selectFrom('passkeys').selectAll().where('account_id', '=', slot('accountId')),
  );

  return {
    async insert(passkey) {
      const { numInsertedOrUpdatedRows } = await engine.write((db) =>
        db
          .insertInto('passkeys')
          .values(toRow(passkey))
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirstOrThrow(),
      );
      if (numInsertedOrUpdatedRows !== 1n) throw new Conflict('passkey');
    },
    async find(id) {
      const row = await engine.read((db) =>
        db.selectFrom('passkeys').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      return row && toPasskey(row);
    },
    async listOf(accountId) {
      const { rows } = await engine.read((db) => findRowsOf(db, { accountId }));
      // in order here: built to look at the values of its parameters, SQLite would plan an `order by` anew for each
      return rows.map(toPasskey).sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    },
    async recordUse(id, { counter, backedUp, at }) {
      const { numUpdatedRows } = await engine.write((db) =>
        db
          .updateTable('passkeys')
          .set({ counter, backed_up: backedUp ? 1 : 0, last_used_at: at })
          .where('id', '=', id)
          .where(({ eb, and, or }) =>
            or([eb('counter', '<', counter), ...(counter === 0 ? [and([eb('counter', '=', 0)])] : [])]),
          )
          .executeTakeFirst(),
      );
      return numUpdatedRows === 1n;
    },
    async rename(accountId, id, name) {
      const { numUpdatedRows } = await engine.write((db) =>
        db
          .updateTable('passkeys')
          .set({ name })
          .where('account_id', '=', accountId)
          .where('id', '=', id)
          .executeTakeFirst(),
      );
      return numUpdatedRows === 1n;
    },
    async remove(accountId, id) {
      const { numDeletedRows } = await engine.write((db) =>
        db.deleteFrom('passkeys').where('account_id', '=', accountId).where('id', '=', id).executeTakeFirst(),
      );
      return numDeletedRows === 1n;
    },
  };
}

function toRow(passkey: Passkey): PasskeysTable {
  return {
    id: passkey.id,
    account_id: passkey.accountId,
    public_key: passkey.publicKey,
    counter: passkey.counter,
    transports: JSON.stringify(passkey.transports),
    backed_up: passkey.backedUp ? 1 : 0,
    name: passkey.name,
    created_at: passkey.createdAt,
    last_used_at: passkey.lastUsedAt ?? null,
  };
}

function toPasskey(row: PasskeysTable): Passkey {
  return {
    id: row.id,
    accountId: row.account_id,
    publicKey: row.public_key,
    counter: row.counter,
    transports: JSON.parse(row.transports),
    backedUp: row.backed_up === 1,
    name: row.name,
    createdAt: row.created_at,
    ...(row.last_used_at !== null && { lastUsedAt: row.last_used_at }),
  };
}
