// Deletes what has expired, in small transactions.
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../src/store.ts';
import { sweepAuditEvents } from './audit-events.ts';
import type { Engine } from './engine.ts';
import { sweepRateLimits } from './rate-limits.ts';
import { sweepRevokedTokens } from './revoked-tokens.ts';

/** Rows stay this long after their expiry, in seconds, so that no request which just found one loses it half-way. */
const TOLERANCE = 60;

/**
 * Deletes at most `limit` expired artifacts, tombstones, revoked tokens, counts and old audit events in one short transaction,
 * then tidies up; answers how many. A consumed artifact stays until it expires: its replay must be recognised.
 */
export async function sweepExpired(engine: Engine, clock: Clock, limit: number): Promise<number> {
  const before = clock() - TOLERANCE;
  const swept = await engine.write(async (db) => {
    const artifacts = await db
      .deleteFrom('artifacts')
      .where(({ eb, refTuple, selectFrom }) =>
        eb(
          refTuple('model', 'id_hash'),
          'in',
          selectFrom('artifacts')
            .select(['model', 'id_hash'])
            .where('expires_at', '<', before)
            .limit(limit)
            .$asTuple('model', 'id_hash'),
        ),
      )
      .executeTakeFirst();
    const left = limit - Number(artifacts.numDeletedRows);
    if (left <= 0) return limit;
    const tombstones = await db
      .deleteFrom('revoked_grants')
      .where('grant_hash', 'in', (expired) =>
        expired.selectFrom('revoked_grants').select('grant_hash').where('expires_at', '<', before).limit(left),
      )
      .executeTakeFirst();
    const leftForTokens = left - Number(tombstones.numDeletedRows);
    if (leftForTokens <= 0) return limit;
    const leftForEvents = leftForTokens - (await sweepRevokedTokens(db, { before, limit: leftForTokens }));
    if (leftForEvents <= 0) return limit;
    const leftForCounts = leftForEvents - (await sweepAuditEvents(db, clock, leftForEvents));
    if (leftForCounts <= 0) return limit;
    return limit - leftForCounts + (await sweepRateLimits(db, { beforeMs: before * 1000, limit: leftForCounts }));
  });
  await setImmediate(); // the commit and the tidying may both take a while: requests get their turn between them
  await engine.tidy();
  return swept;
}
