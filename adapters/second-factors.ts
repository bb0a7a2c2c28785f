// Authenticator apps and recovery codes in the tables `totp` and `recovery_codes`.
import type { SecondFactors, SecretBox, Totp } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { prepareQuery } from './prepared-query.ts';
import type { TotpTable } from './schema.ts';

/** Binds a sealed secret to the account that it is of. */
export function totpContext(accountId: string): string {
  return `totp:${accountId}`;
}

export function createSecondFactors({ engine, box }: { engine: Engine; box: SecretBox }): SecondFactors {
  const findTotpRow = prepareQuery<{ accountId: string }, TotpTable>((db, slot) =>
    db.selectFrom('totp').selectAll().where('account_id', '=', slot('accountId')),
  );
  const columnsOf = ({ accountId, secret, createdAt, lastStep }: Totp) => ({
    secret: box.seal(secret, totpContext(accountId)),
    created_at: createdAt,
    last_step: lastStep,
  });

  return {
    async findTotp(accountId) {
      const [row] = (await engine.read((db) => findTotpRow(db, { accountId }))).rows;
      return (
        row && {
          accountId,
          secret: box.open(row.secret, totpContext(accountId)),
          createdAt: row.created_at,
          lastStep: row.last_step,
        }
      );
    },
    async saveTotp(totp) {
      const columns = columnsOf(totp);
      await engine.write((db) =>
        db
          .insertInto('totp')
          .values({ account_id: totp.accountId, ...columns })
          .onConflict((conflict) => conflict.column('account_id').doUpdateSet(columns))
          .execute(),
      );
    },
    async insertTotp(totp) {
      const { numInsertedOrUpdatedRows } = await engine.write((db) =>
        db
          .insertInto('totp')
          .values({ account_id: totp.accountId, ...columnsOf(totp) })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirstOrThrow(),
      );
      return numInsertedOrUpdatedRows === 1n;
    },
    async useTotpStep(accountId, step) {
      const { numUpdatedRows } = await engine.write((db) =>
        db
          .updateTable('totp')
          .set({ last_step: step })
          .where('account_id', '=', accountId)
          .where('last_step', '<', step)
          .executeTakeFirst(),
      );
      return numUpdatedRows === 1n;
    },
    async removeTotp(accountId) {
      const { numDeletedRows } = await engine.write((db) =>
        db.deleteFrom('totp').where('account_id', '=', accountId).executeTakeFirst(),
      );
      return numDeletedRows === 1n;
    },
    async replaceRecoveryCodes(accountId, digests) {
      await engine.write(async (db) => {
        await db.deleteFrom('recovery_codes').where('account_id', '=', accountId).execute();
        if (digests.length === 0) return;
        const rows = digests.map((digest) => ({ account_id: accountId, digest }));
        await db.insertInto('recovery_codes').values(rows).execute();
      });
    },
    async useRecoveryCode(accountId, digest) {
      const { numDeletedRows } = await engine.write((db) =>
        db
          .deleteFrom('recovery_codes')
          .where('account_id', '=', accountId)
          .where('digest', '=', digest)
          .executeTakeFirst(),
      );
      return numDeletedRows === 1n;
    },
    async countRecoveryCodes(accountId) {
      const rows = await engine.read((db) =>
        db.selectFrom('recovery_codes').select('digest').where('account_id', '=', accountId).execute(),
      );
      return rows.length;
    },
  };
}
