// Counted attempts in the table `rate_limits`: every count is one statement, so that processes never lose one.
import { type Kysely, sql } from 'kysely';
import type { RateLimits } from '../src/store.ts';
import type { Engine } from './engine.ts';
import type { Schema } from './schema.ts';

export function createRateLimits(engine: Engine): RateLimits {
  return {
    async add(key, points, { nowMs, expiresAtMs, anew = false }) {
      // whichever holds, a count that goes on keeps its end, and one that begins gets the new one
      const begins = anew ? sql<boolean>`1 = 1` : sql<boolean>`rate_limits.expires_at_ms <= ${nowMs}`;
      const row = await engine.write((db) =>
        db
          .insertInto('rate_limits')
          .values({ key, points, expires_at_ms: expiresAtMs })
          .onConflict((conflict) =>
            conflict.column('key').doUpdateSet({
              points: sql<number>`case when ${begins} then excluded.points else rate_limits.points + excluded.points end`,
              expires_at_ms: sql<number>`case when ${begins} then excluded.expires_at_ms else rate_limits.expires_at_ms end`,
            }),
          )
          .returning(['points', 'expires_at_ms'])
          .executeTakeFirstOrThrow(),
      );
      return { points: row.points, expiresAtMs: row.expires_at_ms };
    },
    async find(key, nowMs) {
      const row = await engine.read((db) =>
        db
          .selectFrom('rate_limits')
          .select(['points', 'expires_at_ms'])
          .where('key', '=', key)
          .where('expires_at_ms', '>', nowMs)
          .executeTakeFirst(),
      );
      return row && { points: row.points, expiresAtMs: row.expires_at_ms };
    },
    async remove(key) {
      const { numDeletedRows } = await engine.write((db) =>
        db.deleteFrom('rate_limits').where('key', '=', key).executeTakeFirst(),
      );
      return numDeletedRows === 1n;
    },
  };
}

/** Deletes at most `limit` counts that have expired, in the caller's transaction; answers how many. */
export async function sweepRateLimits(
  db: Kysely<Schema>,
  { beforeMs, limit }: { beforeMs: number; limit: number },
): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('rate_limits')
    .where('key', 'in', (expired) =>
      expired.selectFrom('rate_limits').select('key').where('expires_at_ms', '<', beforeMs).limit(limit),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
