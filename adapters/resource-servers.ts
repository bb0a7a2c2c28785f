// Resource servers by their audience.
import { type AccessTokenAlg, Conflict, type ResourceServer, type ResourceServers } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { prepareQuery } from './prepared-query.ts';
import { rememberReads } from './read-memory.ts';
import type { ResourceServersTable } from './schema.ts';

/** The resource servers of one database. */
export function createResourceServers(engine: Engine): ResourceServers {
  const findRow = prepareQuery<{ audience: string }, ResourceServersTable>((db, slot) =>
    db.selectFrom('resource_servers').selectAll().where('audience', '=', slot('audience')),
  );

  return {
    async insert({ audience, scope, alg, expiresIn, createdAt }) {
      const inserted = await engine.write((db) =>
        db
          .insertInto('resource_servers')
          .values({ audience, scope, alg, expires_in: expiresIn ?? null, created_at: createdAt })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirstOrThrow(),
      );
      if (inserted.numInsertedOrUpdatedRows !== 1n) throw new Conflict('audience');
    },
    find: rememberReads(engine, async (audience) => {
      const [row] = (await engine.read((db) => findRow(db, { audience }))).rows;
      return row && Object.freeze(toResourceServer(row));
    }),
    async list() {
      const rows = await engine.read((db) =>
        db.selectFrom('resource_servers').selectAll().orderBy('audience').execute(),
      );
      return rows.map(toResourceServer);
    },
    async remove(audience) {
      const removed = await engine.write((db) =>
        db.deleteFrom('resource_servers').where('audience', '=', audience).executeTakeFirst(),
      );
      return removed.numDeletedRows > 0n;
    },
  };
}

function toResourceServer(row: ResourceServersTable): ResourceServer {
  return {
    audience: row.audience,
    scope: row.scope,
    alg: row.alg as AccessTokenAlg,
    ...(row.expires_in !== null && { expiresIn: row.expires_in }),
    createdAt: row.created_at,
  };
}
