// The deny-list of JWT access tokens, by the hash of their `jti`.
import { type Kysely, sql } from 'kysely';
import { type Clock, JWT_ACCESS_TOKEN, type RevokedTokens } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { hashId } from './id-hash.ts';
import { prepareQuery } from './prepared-query.ts';
import { rememberReads } from './read-memory.ts';
import type { Schema } from './schema.ts';

/** How long a token may be accepted after its `exp`, in seconds: the largest clock skew that can be configured. */
const LARGEST_SKEW = 60;

/** The deny-list of one database. */
export function createRevokedTokens({ engine, clock }: { engine: Engine; clock: Clock }): RevokedTokens {
  const findHash = prepareQuery<{ jtiHash: string }, { jti_hash: string }>((db, slot) =>
    db.selectFrom('revoked_tokens').select('jti_hash').where('jti_hash', '=', slot('jtiHash')),
  );

  return {
    has: rememberReads(engine, async (jti) => {
      const { rows } = await engine.read((db) => findHash(db, { jtiHash: hashId(jti) }));
      return rows.length > 0;
    }),
    async list(limit) {
      const rows = await engine.read((db) =>
        db
          .selectFrom('revoked_tokens')
          .select(['jti_hash', 'revoked_at', 'expires_at'])
          .where('expires_at', '>', clock() - LARGEST_SKEW)
          .orderBy('revoked_at', 'desc')
          .orderBy('jti_hash')
          .limit(limit)
          .execute(),
      );
      return rows.map((row) => ({ jtiHash: row.jti_hash, revokedAt: row.revoked_at, expiresAt: row.expires_at }));
    },
  };
}

/** Deletes at most `limit` entries whose token expired before `before`, epoch seconds; answers how many. */
export async function sweepRevokedTokens(
  transaction: Kysely<Schema>,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  const { numDeletedRows } = await transaction
    .deleteFrom('revoked_tokens')
    .where('jti_hash', 'in', (expired) =>
      expired.selectFrom('revoked_tokens').select('jti_hash').where('expires_at', '<', before).limit(limit),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** Puts one token on the deny-list; again for the same token it changes nothing, but that the entry stays longer. */
export async function denyToken(
  transaction: Kysely<Schema>,
  { jti, expiresAt, now }: { jti: string; expiresAt: number; now: number },
): Promise<void> {
  await transaction
    .insertInto('revoked_tokens')
    .values({ jti_hash: hashId(jti), revoked_at: now, expires_at: expiresAt })
    .onConflict((conflict) =>
      conflict
        .column('jti_hash')
        .doUpdateSet(({ ref }) => ({ expires_at: ref('excluded.expires_at') }))
        .whereRef('revoked_tokens.expires_at', '<', 'excluded.expires_at'),
    )
    .execute();
}

/**
 * Puts the remembered JWTs whose `column` has that value on the deny-list. The id of a remembered JWT is its `jti`, so
 * that both tables hold the same hash.
 */
export async function denyTokensWhere(
  transaction: Kysely<Schema>,
  column: 'grant_hash' | 'account_id' | 'client_id',
  { value, now }: { value: string; now: number },
): Promise<void> {
  await transaction
    .insertInto('revoked_tokens')
    .columns(['jti_hash', 'revoked_at', 'expires_at'])
    .expression((db) =>
      db
        .selectFrom('artifacts')
        .select(['id_hash', sql<number>`cast(${now} as bigint)`.as('revoked_at'), 'expires_at'])
        .where('model', '=', JWT_ACCESS_TOKEN)
        .where(column, '=', value)
        .where('expires_at', 'is not', null)
        .$narrowType<{ expires_at: number }>(),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
