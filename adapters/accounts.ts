// Accounts and the login keys under which they sign in.
import { isDeepStrictEqual } from 'node:util';
import type { ExpressionBuilder, Kysely } from 'kysely';
import { type Account, type Accounts, type Clock, Conflict } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { prepareQuery } from './prepared-query.ts';
import { revokeEverythingOf } from './revocations.ts';
import type { AccountsTable, Schema } from './schema.ts';

/** The accounts of one database. */
export function createAccounts({ engine, clock }: { engine: Engine; clock: Clock }): Accounts {
  const cutOff = (transaction: Kysely<Schema>, id: string) =>
    revokeEverythingOf(transaction, { column: 'account_id', id }, { lock: engine.lock, now: clock() });
  const findRow = prepareQuery<{ id: string }, AccountsTable>((db, slot) =>
    db.selectFrom('accounts').selectAll().where('id', '=', slot('id')),
  );
  // not a join: built to look at the values of its parameters, SQLite would plan it anew for each
  const findRowByLoginKey = prepareQuery<{ loginKey: string }, AccountsTable>((db, slot) =>
    db
      .selectFrom('accounts')
      .selectAll()
      .where('id', '=', ({ selectFrom }) =>
        selectFrom('login_keys').select('account_id').where('login_key', '=', slot('loginKey')),
      ),
  );

  return {
    insert: (account, loginKeys) => engine.write((db) => insertAccount(db, account, loginKeys)),
    update: (account, loginKeys, was) =>
      engine.write(async (db) => {
        const updated = await updateAccount(db, account, loginKeys, was);
        if (updated && account.disabledAt !== undefined) await cutOff(db, account.id);
        return updated;
      }),
    async find(id) {
      const [row] = (await engine.read((db) => findRow(db, { id }))).rows;
      return row && toAccount(row);
    },
    async findByLoginKey(loginKey) {
      const [row] = (await engine.read((db) => findRowByLoginKey(db, { loginKey }))).rows;
      return row && toAccount(row);
    },
    async list() {
      const rows = await engine.read((db) => db.selectFrom('accounts').selectAll().orderBy('username').execute());
      return rows.map(toAccount);
    },
    async remove(id) {
      return engine.write(async (db) => {
        const removed = await db.deleteFrom('accounts').where('id', '=', id).executeTakeFirst();
        if (removed.numDeletedRows === 0n) return false;
        await cutOff(db, id);
        return true;
      });
    },
  };
}

async function insertAccount(db: Kysely<Schema>, account: Account, loginKeys: readonly string[]): Promise<void> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('accounts')
    .values(toRow(account))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows !== 1n) throw new Conflict('username');
  await insertLoginKeys(db, account.id, loginKeys);
}

async function updateAccount(
  db: Kysely<Schema>,
  account: Account,
  loginKeys: readonly string[],
  was: Account | undefined,
): Promise<boolean> {
  const { id, ...columns } = toRow(account);
  const namesake = await db
    .selectFrom('accounts')
    .select('id')
    .where('username', '=', account.username)
    .where('id', '!=', id)
    .executeTakeFirst();
  if (namesake) throw new Conflict('username');
  const stored = was && (await db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst());
  if (was && !(stored && isDeepStrictEqual(toAccount(stored), was))) return false;
  const replace = db.updateTable('accounts').set(columns).where('id', '=', id);
  const updated = await (stored ? replace.where((row) => isStill(row, stored)) : replace).executeTakeFirst();
  if (updated.numUpdatedRows === 0n) return false;
  await db.deleteFrom('login_keys').where('account_id', '=', id).execute();
  await insertLoginKeys(db, id, loginKeys);
  return true;
}

/** The write itself decides: whoever changed the row first, in whatever transaction, has changed it. */
function isStill({ and, eb }: ExpressionBuilder<Schema, 'accounts'>, { id: _, ...columns }: AccountsTable) {
  const names = Object.keys(columns) as (keyof typeof columns)[];
  return and(names.map((name) => eb(name, columns[name] === null ? 'is' : '=', columns[name])));
}

async function insertLoginKeys(db: Kysely<Schema>, accountId: string, loginKeys: readonly string[]): Promise<void> {
  for (const loginKey of new Set(loginKeys)) {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('login_keys')
      .values({ login_key: loginKey, account_id: accountId })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows !== 1n) throw new Conflict('username');
  }
}

function toRow(account: Account): AccountsTable {
  return {
    id: account.id,
    username: account.username,
    password_hash: account.passwordHash ?? null,
    claims: JSON.stringify(account.claims),
    created_at: account.createdAt,
    disabled_at: account.disabledAt ?? null,
    requires_mfa: account.requiresMfa ? 1 : 0,
  };
}

function toAccount(row: AccountsTable): Account {
  return {
    id: row.id,
    username: row.username,
    ...(row.password_hash !== null && { passwordHash: row.password_hash }),
    claims: JSON.parse(row.claims),
    createdAt: row.created_at,
    ...(row.disabled_at !== null && { disabledAt: row.disabled_at }),
    ...(row.requires_mfa === 1 && { requiresMfa: true }),
  };
}
