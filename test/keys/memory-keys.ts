// Signing keys kept in memory, sealed, obeying the storage contract: for tests that need no database.
import { isDeepStrictEqual } from 'node:util';
import type { Keys, SecretBox, SigningKey, SigningKeyTimes } from '../../src/store.ts';

/** Keys over `rows`, which several instances may share as processes share a database. */
export function createMemoryKeys(box: SecretBox, rows: SigningKey[] = []): Keys {
  const sorted = () => rows.toSorted((a, b) => a.createdAt - b.createdAt);
  const times = () => sorted().map(({ jwk: _, ...rest }): SigningKeyTimes => rest);
  const seal = (key: SigningKey) => ({ ...key, jwk: box.seal(key.jwk, key.kid) });
  return {
    async list() {
      return sorted().map((row) => ({ ...row, jwk: box.open(row.jwk, row.kid) }));
    },
    async times() {
      return times();
    },
    async insertMissing(keys) {
      rows.push(...keys.filter((key) => !rows.some((row) => row.alg === key.alg)).map(seal));
    },
    async change(from, { insert, update, remove }) {
      if (!isDeepStrictEqual(times(), from)) return false;
      const kept = rows.filter(({ kid }) => !remove.includes(kid));
      const changed = kept.map(({ kid, alg, jwk, createdAt, ...old }) => {
        const { signsAt, stopsAt, removedAt } = update.find((one) => one.kid === kid) ?? old;
        const ends = { ...(stopsAt !== undefined && { stopsAt }), ...(removedAt !== undefined && { removedAt }) };
        return { kid, alg, jwk, createdAt, signsAt, ...ends };
      });
      rows.splice(0, rows.length, ...changed, ...insert.map(seal));
      return true;
    },
  };
}
