// Signing keys; each private JWK is sealed with its `kid` as context.
import type { Keys, SecretBox } from '../src/store.ts';
import type { Engine } from './engine.ts';

/** The signing keys of one database. */
export function createKeys({ engine, box }: { engine: Engine; box: SecretBox }): Keys {
  return {
    async list() {
      const rows = await engine.read((db) =>
        db.selectFrom('signing_keys').selectAll().orderBy('created_at').orderBy('kid').execute(),
      );
      return rows.map(({ kid, alg, jwk, created_at }) => ({
        kid,
        alg,
        jwk: box.open(jwk, kid),
        createdAt: created_at,
      }));
    },
    async insertMissing(keys) {
      await engine.write(async (db) => {
        await engine.lock(db, ['signing_keys']);
        const rows = await db.selectFrom('signing_keys').select('alg').distinct().execute();
        const present = new Set(rows.map(({ alg }) => alg));
        for (const { kid, alg, jwk, createdAt } of keys) {
          if (present.has(alg)) continue;
          await db
            .insertInto('signing_keys')
            .values({ kid, alg, jwk: box.seal(jwk, kid), created_at: createdAt })
            .execute();
          present.add(alg);
        }
      });
    },
  };
}
