// What has to be true of the tokens in a database, whatever happened to the processes that wrote them.
import assert from 'node:assert/strict';
import { hashId } from '../../../adapters/id-hash.ts';
import type { Inspection } from './databases.ts';

export interface Row {
  readonly model: string;
  readonly id_hash: string;
  readonly grant_hash: string | null;
  readonly consumed_at: number | null;
}

/** Models whose rows live and die with a grant. */
const OF_A_GRANT = ['AuthorizationCode', 'AccessToken', 'RefreshToken'];

/**
 * The books balance, since a token request writes everything or nothing: a grant has as many access tokens, and as many
 * refresh tokens, as codes and refresh tokens of it were consumed. Of a grant that is revoked nothing is left, and no
 * token stands without its grant.
 */
export function assertBalance({ artifacts, tombstones }: Inspection): void {
  const grants = new Set(artifacts.filter(({ model }) => model === 'Grant').map(({ grant_hash }) => grant_hash));
  for (const { model, grant_hash } of artifacts) {
    if (grant_hash === null) continue;
    assert.ok(!tombstones.has(grant_hash), `${model} of a revoked grant`);
    if (OF_A_GRANT.includes(model)) assert.ok(grants.has(grant_hash), `${model} without its grant`);
  }
  for (const rows of Map.groupBy(artifacts, ({ grant_hash }) => grant_hash).values()) {
    if (rows[0]?.grant_hash === null) continue;
    const count = (model: string) => rows.filter((row) => row.model === model).length;
    const consumed = rows.filter(({ consumed_at }) => consumed_at !== null).length;
    const books = { accessTokens: count('AccessToken'), refreshTokens: count('RefreshToken') };
    assert.deepEqual(books, { accessTokens: consumed, refreshTokens: consumed }, 'tokens of half a request');
  }
}

/** Looks up what became of one artifact. */
export interface Books {
  stateOf(model: string, id: string): 'absent' | 'fresh' | 'consumed';
}

export function openBooks({ artifacts }: Inspection): Books {
  const consumed = new Map(artifacts.map((row) => [`${row.model} ${row.id_hash}`, row.consumed_at !== null]));
  return {
    stateOf(model, id) {
      const state = consumed.get(`${model} ${hashId(id)}`);
      if (state === undefined) return 'absent';
      return state ? 'consumed' : 'fresh';
    },
  };
}
