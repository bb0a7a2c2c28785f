// The migration of the artifacts' indexes: what was stored before is kept, and found by an index.
import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Engine } from '../../adapters/engine.ts';
import * as first from '../../adapters/migrations/2026-11-21-first.ts';
import * as artifactIndexes from '../../adapters/migrations/2026-11-22-artifact-indexes.ts';
import { type DatabaseLocation, openEngine } from '../../adapters/open-store.ts';
import type { ArtifactsTable } from '../../adapters/schema.ts';
import { sharedPostgres } from '../support/postgres.ts';
import { createTemporaryPath } from './fixtures/temporary-database.ts';

const session = row({ model: 'Session', id_hash: 'one', uid_hash: 'a uid', account_id: 'an account' });
const device = row({ model: 'DeviceCode', id_hash: 'two', user_code_hash: 'a user code', client_id: 'a client' });
const code = row({
  model: 'AuthorizationCode',
  id_hash: 'three',
  grant_hash: 'a grant',
  consumed_at: 5,
  expires_at: 7,
});

const engines: { name: string; create(): Promise<{ location: DatabaseLocation; drop(): unknown }> }[] = [
  {
    name: 'SQLite',
    async create() {
      const { path, remove } = createTemporaryPath();
      return { location: { engine: 'sqlite', path }, drop: remove };
    },
  },
  {
    name: 'Postgres',
    async create() {
      const { url, drop } = await (await sharedPostgres()).createDatabase();
      return { location: { engine: 'postgres', url }, drop };
    },
  },
];

for (const { name, create } of engines) {
  describe(`the indexes over artifacts, in ${name}`, () => {
    let database: Awaited<ReturnType<typeof create>>;
    let engine: Engine;

    beforeEach(async function () {
      this.timeout(60_000);
      database = await create();
      engine = await openEngine(database.location);
      await engine.exclusively(async (db) => {
        await first.up(db);
        await db.insertInto('artifacts').values([session, device, code]).execute();
        await artifactIndexes.up(db);
      });
    });
    afterEach(async () => {
      await engine.close();
      await database.drop();
    });

    it('keep every row of the table before', async () => {
      const rows = await engine.read((db) => db.selectFrom('artifacts').selectAll().orderBy('expires_at').execute());
      const byId = (one: ArtifactsTable, other: ArtifactsTable) => one.id_hash.localeCompare(other.id_hash);
      assert.deepEqual(rows.toSorted(byId), [session, device, code].toSorted(byId));
    });

    for (const [what, taken] of [
      ['an id', { id_hash: session.id_hash }],
      ['a uid', { uid_hash: session.uid_hash }],
    ] as const) {
      it(`let two rows of a model not have ${what} in common`, async () => {
        const rival = row({ model: 'Session', id_hash: 'another', ...taken });
        await assert.rejects(engine.write((db) => db.insertInto('artifacts').values(rival).execute()));
        const elsewhere = { ...rival, model: 'Interaction' };
        await engine.write((db) => db.insertInto('artifacts').values(elsewhere).execute());
      });
    }
  });
}

describe('the migration of the indexes over artifacts, in Postgres', () => {
  it('moves what a process wrote that still served meanwhile', async function () {
    this.timeout(60_000);
    const { url, drop } = await (await sharedPostgres()).createDatabase();
    const engine = await openEngine({ engine: 'postgres', url });
    const serving = await openEngine({ engine: 'postgres', url });
    try {
      await engine.exclusively((db) => first.up(db));
      let migrating: Promise<void> | undefined;
      await serving.write(async (db) => {
        await db.insertInto('artifacts').values(session).execute();
        migrating = engine.exclusively((migration) => artifactIndexes.up(migration));
        while (!(await isWaiting(serving)));
      });
      await migrating;
      const rows = await serving.read((db) => db.selectFrom('artifacts').select('id_hash').execute());
      assert.deepEqual(rows, [{ id_hash: session.id_hash }]);
    } finally {
      await Promise.all([engine.close(), serving.close()]);
      await drop();
    }
  });

  /** Whether a transaction of this database waits for another one. */
  async function isWaiting(engine: Engine): Promise<boolean> {
    const { rows } = await engine.read((db) =>
      sql`select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(db),
    );
    return rows.length > 0;
  }
});

describe('the indexes over artifacts', () => {
  const { path, remove } = createTemporaryPath();
  let engine: Engine;

  beforeEach(async () => {
    engine = await openEngine({ engine: 'sqlite', path });
    await engine.exclusively(async (db) => {
      await first.up(db);
      await artifactIndexes.up(db);
    });
  });
  afterEach(async () => {
    await engine.close();
    remove();
  });

  it('serve every search that requests and sweeps make', async () => {
    const searches = {
      artifacts_by_uid_hash: sql`model = ${'Session'} and uid_hash = ${'x'}`,
      artifacts_by_user_code_hash: sql`model = ${'DeviceCode'} and user_code_hash = ${'x'}`,
      artifacts_by_grant_hash: sql`grant_hash = ${'x'}`,
      artifacts_by_account_id: sql`account_id = ${'x'} and model = ${'Session'}`,
      artifacts_by_expires_at: sql`expires_at < ${5}`,
    };
    for (const [index, condition] of Object.entries(searches)) {
      const { rows } = await engine.read((db) =>
        sql<{ detail: string }>`explain query plan select 1 from artifacts where ${condition}`.execute(db),
      );
      assert.match(rows.map(({ detail }) => detail).join(), new RegExp(`USING (COVERING )?INDEX ${index} `));
    }
  });
});

function row(given: Pick<ArtifactsTable, 'model' | 'id_hash'> & Partial<ArtifactsTable>): ArtifactsTable {
  return {
    payload: `sealed for ${given.id_hash}`,
    grant_hash: null,
    uid_hash: null,
    user_code_hash: null,
    account_id: null,
    client_id: null,
    consumed_at: null,
    expires_at: null,
    ...given,
  };
}
