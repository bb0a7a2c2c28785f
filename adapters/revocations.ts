// What revoking does to the tables, inside a transaction that the caller owns.
import type { Kysely } from 'kysely';
import type { Engine } from './engine.ts';
import { denyTokensWhere } from './revoked-tokens.ts';
import type { Schema } from './schema.ts';

/** A tombstone outlives every access token (24 h at most) that its grant can have led to, in seconds. */
const TOMBSTONE_LIFETIME = 25 * 60 * 60;

/**
 * Ends a grant: its tombstone refuses whatever is written for it later, its JWTs go on the deny-list, its artifacts are
 * deleted. Again for the same grant it finds nothing to change, and the commit then costs no disk write.
 * @param grantHash locked by the caller, so that neither of this and a write for the grant overlooks the other
 * @param now epoch seconds
 */
export async function revokeGrant(transaction: Kysely<Schema>, grantHash: string, now: number): Promise<void> {
  await transaction
    .insertInto('revoked_grants')
    .values({ grant_hash: grantHash, revoked_at: now, expires_at: now + TOMBSTONE_LIFETIME })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await denyTokensWhere(transaction, 'grant_hash', { value: grantHash, now });
  await transaction.deleteFrom('artifacts').where('grant_hash', '=', grantHash).execute();
}

/**
 * Ends everything of an account or a client: its grants, and its sessions, codes and tokens beside them. A request of
 * it that is under way either commits before, and what it wrote ends too, or finds the tombstone.
 * @param owner the column of the artifacts that names it, and its id
 */
export async function revokeEverythingOf(
  transaction: Kysely<Schema>,
  owner: { column: 'account_id' | 'client_id'; id: string },
  { lock, now }: { lock: Engine['lock']; now: number },
): Promise<void> {
  const { column, id } = owner;
  const rows = await transaction
    .selectFrom('artifacts')
    .select('grant_hash')
    .distinct()
    .where(column, '=', id)
    .where('grant_hash', 'is not', null)
    .execute();
  const grantHashes = rows.flatMap(({ grant_hash: hash }) => hash ?? []);
  await lock(transaction, grantHashes);
  for (const grantHash of grantHashes) await revokeGrant(transaction, grantHash, now);
  await denyTokensWhere(transaction, column, { value: id, now });
  await transaction.deleteFrom('artifacts').where(column, '=', id).execute();
}
