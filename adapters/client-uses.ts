// What is counted about clients while they are used: one small row per secret and per bucket of failures.
import { sql } from 'kysely';
import type { ClientUses } from '../src/store.ts';
import type { Engine } from './engine.ts';

export function createClientUses(engine: Engine): ClientUses {
  return {
    async recordSecret(clientId, name, at) {
      await engine.write((db) =>
        db
          .insertInto('client_secret_uses')
          .values({ client_id: clientId, name, last_used_at: at })
          .onConflict((conflict) => conflict.columns(['client_id', 'name']).doUpdateSet({ last_used_at: at }))
          .execute(),
      );
    },
    async secretsOf(clientId) {
      const rows = await engine.read((db) =>
        db
          .selectFrom('client_secret_uses')
          .select(['name', 'last_used_at'])
          .where('client_id', '=', clientId)
          .orderBy('name')
          .execute(),
      );
      return Object.fromEntries(rows.map(({ name, last_used_at }) => [name, last_used_at]));
    },
    async countFailure(bucket, period) {
      const row = await engine.write((db) =>
        db
          .insertInto('client_failures')
          .values({ bucket, period, failures: 1 })
          .onConflict((conflict) =>
            conflict.column('bucket').doUpdateSet({
              period,
              failures: sql<number>`case when client_failures.period = ${period} then client_failures.failures + 1 else 1 end`,
            }),
          )
          .returning('failures')
          .executeTakeFirstOrThrow(),
      );
      return row.failures;
    },
    async failures(bucket, period) {
      const row = await engine.read((db) =>
        db
          .selectFrom('client_failures')
          .select('failures')
          .where('bucket', '=', bucket)
          .where('period', '=', period)
          .executeTakeFirst(),
      );
      return row?.failures ?? 0;
    },
  };
}
