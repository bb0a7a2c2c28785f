// Signing keys kept in memory, sealed, obeying the storage contract: for tests that need no database.
import type { Keys, SecretBox, SigningKey } from '../../src/store.ts';

/** Keys over `rows`, which several instances may share as processes share a database. */
export function createMemoryKeys(box: SecretBox, rows: SigningKey[] = []): Keys {
  return {
    async list() {
      return rows
        .toSorted((a, b) => a.createdAt - b.createdAt)
        .map((row) => ({ ...row, jwk: box.open(row.jwk, row.kid) }));
    },
    async insertMissing(keys) {
      const missing = keys.filter((key) => !rows.some((row) => row.alg === key.alg));
      rows.push(...missing.map((key) => ({ ...key, jwk: box.seal(key.jwk, key.kid) })));
    },
  };
}
