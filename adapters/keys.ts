// Signing keys; each private JWK is sealed with its `kid` as context.
import { isDeepStrictEqual } from 'node:util';
import type { Kysely } from 'kysely';
import type { Keys, SecretBox, SigningKey, SigningKeyTimes } from '../src/store.ts';
import type { Engine } from './engine.ts';
import type { Schema, SigningKeysTable } from './schema.ts';

/** Everything but the private key, so that looking costs no decryption. */
const TIMES = ['kid', 'alg', 'created_at', 'signs_at', 'stops_at', 'removed_at'] as const;

/** The signing keys of one database. */
export function createKeys({ engine, box }: { engine: Engine; box: SecretBox }): Keys {
  return {
    async list() {
      const rows = await engine.read((db) =>
        db.selectFrom('signing_keys').selectAll().orderBy('created_at').orderBy('kid').execute(),
      );
      return rows.map((row) => ({ ...toTimes(row), jwk: box.open(row.jwk, row.kid) }));
    },
    times: () => engine.read(readTimes),
    async insertMissing(keys) {
      await engine.write(async (db) => {
        await engine.lock(db, ['signing_keys']);
        const rows = await db.selectFrom('signing_keys').select('alg').distinct().execute();
        const present = new Set(rows.map(({ alg }) => alg));
        for (const key of keys) {
          if (present.has(key.alg)) continue;
          await db.insertInto('signing_keys').values(toRow(key, box)).execute();
          present.add(key.alg);
        }
      });
    },
    change: (from, { insert, update, remove }) =>
      engine.write(async (db) => {
        await engine.lock(db, ['signing_keys']);
        if (!isDeepStrictEqual(await readTimes(db), from)) return false;
        for (const key of insert) await db.insertInto('signing_keys').values(toRow(key, box)).execute();
        for (const { kid, ...times } of update) {
          const columns = {
            signs_at: times.signsAt,
            stops_at: times.stopsAt ?? null,
            removed_at: times.removedAt ?? null,
          };
          await db.updateTable('signing_keys').set(columns).where('kid', '=', kid).execute();
        }
        for (const kid of remove) await db.deleteFrom('signing_keys').where('kid', '=', kid).execute();
        return true;
      }),
  };
}

async function readTimes(db: Kysely<Schema>): Promise<SigningKeyTimes[]> {
  const rows = await db.selectFrom('signing_keys').select(TIMES).orderBy('created_at').orderBy('kid').execute();
  return rows.map(toTimes);
}

function toTimes(row: Omit<SigningKeysTable, 'jwk'>): SigningKeyTimes {
  return {
    kid: row.kid,
    alg: row.alg,
    createdAt: row.created_at,
    signsAt: row.signs_at,
    ...(row.stops_at !== null && { stopsAt: row.stops_at }),
    ...(row.removed_at !== null && { removedAt: row.removed_at }),
  };
}

function toRow(key: SigningKey, box: SecretBox): SigningKeysTable {
  return {
    kid: key.kid,
    alg: key.alg,
    jwk: box.seal(key.jwk, key.kid),
    created_at: key.createdAt,
    signs_at: key.signsAt,
    stops_at: key.stopsAt ?? null,
    removed_at: key.removedAt ?? null,
  };
}
