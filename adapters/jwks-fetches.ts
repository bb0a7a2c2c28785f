// Who has fetched the JWKS: one row per address and program, of bounded number.
import type { JwksFetches } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { hashId } from './id-hash.ts';

/** What has not come back for so many seconds is no verifier any more, and more rows than these are not looked at. */
const REMEMBERED = { seconds: 45 * 86_400, rows: 1_000 };

/** The fetches of one database. */
export function createJwksFetches(engine: Engine): JwksFetches {
  return {
    async record(fetches) {
      const newest = Math.max(...fetches.map(({ lastAt }) => lastAt));
      await engine.write(async (db) => {
        await engine.lock(db, ['jwks_fetches']);
        for (const { address, agent, lastAt } of fetches) {
          const row = { id: hashId(`${address} ${agent}`), address, agent, last_at: lastAt };
          await db
            .insertInto('jwks_fetches')
            .values(row)
            .onConflict((conflict) =>
              conflict
                .column('id')
                .doUpdateSet({ last_at: row.last_at })
                .where('jwks_fetches.last_at', '<', row.last_at),
            )
            .execute();
        }
        await db
          .deleteFrom('jwks_fetches')
          .where(({ eb, or, not, selectFrom }) =>
            or([
              eb('last_at', '<', newest - REMEMBERED.seconds),
              not(
                eb(
                  'id',
                  'in',
                  selectFrom('jwks_fetches').select('id').orderBy('last_at', 'desc').limit(REMEMBERED.rows),
                ),
              ),
            ]),
          )
          .execute();
      });
    },
    async list() {
      const rows = await engine.read((db) =>
        db.selectFrom('jwks_fetches').selectAll().orderBy('last_at', 'desc').orderBy('id').execute(),
      );
      return rows.map(({ address, agent, last_at }) => ({ address, agent, lastAt: last_at }));
    },
  };
}
