// The hot queries over artifacts and tombstones, prepared once for one database.
import type { Selectable } from 'kysely';
import { prepareQuery } from './prepared-query.ts';
import type { ArtifactsTable } from './schema.ts';

interface Key {
  model: string;
  idHash: string;
}

/** What of a row is needed to answer with its payload. */
export type StoredArtifact = Pick<ArtifactsTable, 'id_hash' | 'payload' | 'consumed_at'>;

export type ArtifactQueries = ReturnType<typeof createArtifactQueries>;

/** Reads leave out what has expired at `now`; the secondary indexes are looked up by their hash. */
export function createArtifactQueries() {
  return {
    find: createFind('id_hash'),
    findByUid: createFind('uid_hash'),
    findByUserCode: createFind('user_code_hash'),
    listOf: prepareQuery<{ model: string; accountId: string; now: number }, StoredArtifact>((db, slot) =>
      db
        .selectFrom('artifacts')
        .select(['id_hash', 'payload', 'consumed_at'])
        .where('account_id', '=', slot('accountId'))
        .where('model', '=', slot('model'))
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', slot('now'))])),
    ),
    takeUid: createTakeIndex('uid_hash'),
    takeUserCode: createTakeIndex('user_code_hash'),
    upsert: createUpsert(),
    insertNew: createInsertNew(),
    consume: prepareQuery<Key & { now: number }>((db, slot) =>
      db
        .updateTable('artifacts')
        .set({ consumed_at: slot('now') })
        .where('model', '=', slot('model'))
        .where('id_hash', '=', slot('idHash'))
        .where('consumed_at', 'is', null)
        .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', slot('now'))])),
    ),
    findConsumption: prepareQuery<Key, Pick<ArtifactsTable, 'grant_hash' | 'consumed_at'>>((db, slot) =>
      db
        .selectFrom('artifacts')
        .select(['grant_hash', 'consumed_at'])
        .where('model', '=', slot('model'))
        .where('id_hash', '=', slot('idHash')),
    ),
    destroy: prepareQuery<Key>((db, slot) =>
      db.deleteFrom('artifacts').where('model', '=', slot('model')).where('id_hash', '=', slot('idHash')),
    ),
    findTombstone: prepareQuery<{ grantHash: string }, { grant_hash: string }>((db, slot) =>
      db.selectFrom('revoked_grants').select('grant_hash').where('grant_hash', '=', slot('grantHash')),
    ),
  };
}

function createFind(column: 'id_hash' | 'uid_hash' | 'user_code_hash') {
  return prepareQuery<{ model: string; hash: string; now: number }, StoredArtifact>((db, slot) =>
    db
      .selectFrom('artifacts')
      .select(['id_hash', 'payload', 'consumed_at'])
      .where('model', '=', slot('model'))
      .where(column, '=', slot('hash'))
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', slot('now'))])),
  );
}

/** Takes a uid or user code from whichever row of the model has it, so that the one written last is found by it. */
function createTakeIndex(column: 'uid_hash' | 'user_code_hash') {
  return prepareQuery<Key & { hash: string }>((db, slot) =>
    db
      .updateTable('artifacts')
      .set({ [column]: null })
      .where('model', '=', slot('model'))
      .where(column, '=', slot('hash'))
      .where('id_hash', '!=', slot('idHash')),
  );
}

type Row = { [Column in keyof ArtifactsTable]: Selectable<ArtifactsTable>[Column] };

function createUpsert() {
  return prepareQuery<Row>((db, slot) =>
    db
      .insertInto('artifacts')
      .values(rowOf(slot))
      .onConflict((conflict) =>
        conflict.columns(['model', 'id_hash']).doUpdateSet(({ ref, fn }) => ({
          payload: ref('excluded.payload'),
          grant_hash: ref('excluded.grant_hash'),
          uid_hash: ref('excluded.uid_hash'),
          user_code_hash: ref('excluded.user_code_hash'),
          account_id: ref('excluded.account_id'),
          client_id: ref('excluded.client_id'),
          consumed_at: fn.coalesce('artifacts.consumed_at', 'excluded.consumed_at'),
          expires_at: ref('excluded.expires_at'),
        })),
      ),
  );
}

/** Takes no effect when an artifact of that id is there and has not expired. */
function createInsertNew() {
  return prepareQuery<Row & { now: number }>((db, slot) =>
    db
      .insertInto('artifacts')
      .values(rowOf(slot))
      .onConflict((conflict) =>
        conflict
          .columns(['model', 'id_hash'])
          .doUpdateSet(({ ref }) => ({ payload: ref('excluded.payload'), expires_at: ref('excluded.expires_at') }))
          .where('artifacts.expires_at', '<=', slot('now')),
      ),
  );
}

function rowOf(slot: <Name extends keyof Row>(name: Name) => Row[Name]): Row {
  return {
    model: slot('model'),
    id_hash: slot('id_hash'),
    payload: slot('payload'),
    grant_hash: slot('grant_hash'),
    uid_hash: slot('uid_hash'),
    user_code_hash: slot('user_code_hash'),
    account_id: slot('account_id'),
    client_id: slot('client_id'),
    consumed_at: slot('consumed_at'),
    expires_at: slot('expires_at'),
  };
}
