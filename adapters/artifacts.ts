// Sessions, grants, codes, tokens and interactions in the table `artifacts`.
import type { Kysely } from 'kysely';
import type { ArtifactPayload, Artifacts, ArtifactWrite, Clock, SecretBox } from '../src/store.ts';
import { createArtifactQueries, type StoredArtifact } from './artifact-queries.ts';
import { applyBatch, sealContext } from './artifact-writes.ts';
import type { Engine } from './engine.ts';
import { createGroupCommit } from './group-commit.ts';
import { hashId } from './id-hash.ts';
import type { Schema } from './schema.ts';

/** The artifacts of one database. Batches that are ready together share a transaction where the engine gains by it. */
export function createArtifacts({ engine, clock, box }: { engine: Engine; clock: Clock; box: SecretBox }): Artifacts {
  const queries = createArtifactQueries();
  const applyOne = (transaction: Kysely<Schema>, writes: readonly ArtifactWrite[]) =>
    applyBatch(transaction, writes, { queries, clock, box, lock: engine.lock });
  const apply = engine.groupsWrites ? createGroupCommit(engine.write, applyOne) : applyAlone;

  async function applyAlone(writes: readonly ArtifactWrite[]): Promise<void> {
    const refusal = await engine.write((transaction) => applyOne(transaction, writes));
    if (refusal) throw refusal;
  }

  async function findBy(query: typeof queries.find, model: string, key: string): Promise<ArtifactPayload | undefined> {
    const parameters = { model, hash: hashId(key), now: clock() };
    const [row] = (await engine.read((db) => query(db, parameters))).rows;
    return row && unsealArtifact(row, model, box);
  }

  return {
    find: (model, id) => findBy(queries.find, model, id),
    findByUid: (model, uid) => findBy(queries.findByUid, model, uid),
    findByUserCode: (model, userCode) => findBy(queries.findByUserCode, model, userCode),
    async listOf(model, accountId) {
      const { rows } = await engine.read((db) => queries.listOf(db, { model, accountId, now: clock() }));
      return rows.map((row) => unsealArtifact(row, model, box)).filter((payload) => payload !== undefined);
    },
    async apply(writes) {
      if (writes.length > 0) await apply(writes);
    },
  };
}

/** Undefined when no listed key opens the row any more: to its owner it has ended, like an expired one. */
function unsealArtifact(row: StoredArtifact, model: string, box: SecretBox): ArtifactPayload | undefined {
  let json: string;
  try {
    json = box.open(row.payload, sealContext(model, row.id_hash));
  } catch {
    return undefined;
  }
  const payload: ArtifactPayload = JSON.parse(json);
  if (row.consumed_at !== null) payload['consumed'] = row.consumed_at;
  return payload;
}
