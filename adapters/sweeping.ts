// Deletes what has expired: which rows, and how many of them in one transaction.
import type { Kysely } from 'kysely';
import type { Clock, Swept } from '../src/store.ts';
import { sweepAuditEvents } from './audit-events.ts';
import type { Engine } from './engine.ts';
import { sweepRateLimits } from './rate-limits.ts';
import { sweepRevokedTokens } from './revoked-tokens.ts';
import type { Schema } from './schema.ts';

/** Rows stay this long after their expiry, in seconds, so that no request which just found one loses it half-way. */
const TOLERANCE = 60;

/** Rows that one statement deletes: between two statements it is decided whether there is time for another one. */
const STEP = 50;

/** When a transaction stops deleting, so that others need not wait for long: a slow disk deletes fewer rows, not later. */
const TIME_MS = 5;

/** What a transaction may delete, and for how long. */
export interface SweepLimits {
  /** epoch seconds */
  readonly now: number;
  /** rows */
  readonly limit: number;
  /** milliseconds since some moment */
  readonly steady?: () => number;
}

/** Deletes at most so many rows that have expired before a moment (epoch seconds); answers how many. */
type SweepTable = (db: Kysely<Schema>, expired: { before: number; limit: number }) => Promise<number>;

const TABLES: readonly SweepTable[] = [
  sweepArtifacts,
  sweepRevokedGrants,
  sweepRevokedTokens,
  sweepAuditEvents,
  (db, { before, limit }) => sweepRateLimits(db, { beforeMs: before * 1000, limit }),
];

/** Deletes expired rows of every table in one short transaction. */
export function sweepExpired(engine: Engine, clock: Clock, limit: number): Promise<Swept> {
  return engine.write((db) => deleteExpired(db, { now: clock(), limit }));
}

/**
 * The work of that transaction. A consumed artifact stays until it expires: its replay must be recognised.
 */
export async function deleteExpired(
  db: Kysely<Schema>,
  { now, limit, steady = () => performance.now() }: SweepLimits,
): Promise<Swept> {
  const before = now - TOLERANCE;
  const until = steady() + TIME_MS;
  let rows = 0;
  for (const sweepTable of TABLES) {
    for (let full = true; full; ) {
      const step = Math.min(STEP, limit - rows);
      if (step === 0 || (rows > 0 && steady() >= until)) return { rows, more: true };
      const deleted = await sweepTable(db, { before, limit: step });
      rows += deleted;
      full = deleted === step;
    }
  }
  return { rows, more: false };
}

async function sweepArtifacts(db: Kysely<Schema>, { before, limit }: { before: number; limit: number }) {
  const { numDeletedRows } = await db
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
  return Number(numDeletedRows);
}

async function sweepRevokedGrants(db: Kysely<Schema>, { before, limit }: { before: number; limit: number }) {
  const { numDeletedRows } = await db
    .deleteFrom('revoked_grants')
    .where('grant_hash', 'in', (expired) =>
      expired.selectFrom('revoked_grants').select('grant_hash').where('expires_at', '<', before).limit(limit),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}
