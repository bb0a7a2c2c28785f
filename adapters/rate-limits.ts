// Counted attempts in the table `rate_limits`: every count is one statement, so that processes never lose one.
import { type Kysely, sql } from 'kysely';
import type { Attempts, RateLimits } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { createGroupCommit } from './group-commit.ts';
import { prepareQuery } from './prepared-query.ts';
import type { Schema } from './schema.ts';

/** Counts that are ready together share a transaction, so that a flood of attempts costs few syncs of the disk. */
export function createRateLimits(engine: Engine): RateLimits {
  const queries = createQueries();
  const writeTogether = createGroupCommit(engine.write, async (transaction, work: Work) => {
    await work(transaction);
    return undefined;
  });

  async function write<T>(work: (transaction: Kysely<Schema>) => Promise<T>): Promise<T> {
    if (!engine.groupsWrites) return engine.write(work);
    let answer: { value: T } | undefined;
    await writeTogether(async (transaction) => {
      answer = { value: await work(transaction) };
    });
    return (answer as unknown as { value: T }).value;
  }

  return {
    async add(key, points, { nowMs, expiresAtMs, anew = false }) {
      const endedBy = anew ? Number.MAX_SAFE_INTEGER : nowMs;
      const { rows } = await write((db) => queries.add(db, { key, points, expiresAtMs, endedBy }));
      return attemptsIn(rows) as Attempts;
    },
    async find(key, nowMs) {
      const { rows } = await engine.read((db) => queries.find(db, { key, nowMs }));
      return attemptsIn(rows);
    },
    async remove(key) {
      const { numAffectedRows } = await write((db) => queries.remove(db, { key }));
      return numAffectedRows === 1n;
    },
  };
}

type Work = (transaction: Kysely<Schema>) => Promise<void>;
type Row = { points: number; expires_at_ms: number };

function createQueries() {
  return {
    /** A count that ended by then begins anew, with its new end; one that goes on keeps its end. */
    add: prepareQuery<{ key: string; points: number; expiresAtMs: number; endedBy: number }, Row>((db, slot) => {
      const begins = sql<boolean>`rate_limits.expires_at_ms <= ${slot('endedBy')}`;
      return db
        .insertInto('rate_limits')
        .values({ key: slot('key'), points: slot('points'), expires_at_ms: slot('expiresAtMs') })
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet({
            points: sql<number>`case when ${begins} then excluded.points else rate_limits.points + excluded.points end`,
            expires_at_ms: sql<number>`case when ${begins} then excluded.expires_at_ms else rate_limits.expires_at_ms end`,
          }),
        )
        .returning(['points', 'expires_at_ms']);
    }),
    find: prepareQuery<{ key: string; nowMs: number }, Row>((db, slot) =>
      db
        .selectFrom('rate_limits')
        .select(['points', 'expires_at_ms'])
        .where('key', '=', slot('key'))
        .where('expires_at_ms', '>', slot('nowMs')),
    ),
    remove: prepareQuery<{ key: string }>((db, slot) => db.deleteFrom('rate_limits').where('key', '=', slot('key'))),
  };
}

function attemptsIn([row]: readonly Row[]): Attempts | undefined {
  return row && { points: row.points, expiresAtMs: row.expires_at_ms };
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
