// Registered clients; the digests of their secrets are sealed.
import {
  type ClientRecord,
  type ClientSecret,
  type Clients,
  type Clock,
  Conflict,
  type SecretBox,
} from '../src/store.ts';
import type { Engine } from './engine.ts';
import { prepareQuery } from './prepared-query.ts';
import { rememberReads } from './read-memory.ts';
import { revokeEverythingOf } from './revocations.ts';
import type { ClientsTable } from './schema.ts';

/** How many clients are kept as they were read last. */
const OPENED_CLIENTS = 1_000;

/** The clients of one database. Reading one rejects when a digest does not unseal: its key must not be forgotten. */
export function createClients({ engine, clock, box }: { engine: Engine; clock: Clock; box: SecretBox }): Clients {
  const findRow = prepareQuery<{ clientId: string }, ClientsTable>((db, slot) =>
    db.selectFrom('clients').selectAll().where('client_id', '=', slot('clientId')),
  );

  const openClient = createClientOpener(box);

  return {
    async insert(client) {
      const inserted = await engine.write((db) =>
        db
          .insertInto('clients')
          .values(toRow(client, box))
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirstOrThrow(),
      );
      if (inserted.numInsertedOrUpdatedRows !== 1n) throw new Conflict('client_id');
    },
    find: rememberReads(engine, async (clientId) => {
      const [row] = (await engine.read((db) => findRow(db, { clientId }))).rows;
      return row && openClient(row);
    }),
    async list() {
      const rows = await engine.read((db) => db.selectFrom('clients').selectAll().orderBy('client_id').execute());
      return rows.map(openClient);
    },
    async update(client) {
      const { client_id, ...columns } = toRow(client, box);
      const updated = await engine.write((db) =>
        db.updateTable('clients').set(columns).where('client_id', '=', client_id).executeTakeFirst(),
      );
      return updated.numUpdatedRows > 0n;
    },
    async remove(clientId) {
      return engine.write(async (db) => {
        const removed = await db.deleteFrom('clients').where('client_id', '=', clientId).executeTakeFirst();
        if (removed.numDeletedRows === 0n) return false;
        await revokeEverythingOf(db, { column: 'client_id', id: clientId }, { lock: engine.lock, now: clock() });
        return true;
      });
    },
  };
}

function toRow(client: ClientRecord, box: SecretBox): ClientsTable {
  const context = sealContext(client.clientId);
  return {
    client_id: client.clientId,
    metadata: JSON.stringify(client.metadata),
    audiences: JSON.stringify(client.audiences),
    secrets: JSON.stringify(client.secrets.map((secret) => mapSecret(secret, (text) => box.seal(text, context)))),
    created_at: client.createdAt,
  };
}

/**
 * What a row holds. Of a row that says the same as last time the answer is the same, frozen record: parsing and unsealing
 * cost more than reading, and a request asks for its client several times.
 */
function createClientOpener(box: SecretBox): (row: ClientsTable) => ClientRecord {
  const opened = new Map<string, { row: ClientsTable; client: ClientRecord }>();
  return (row) => {
    const last = opened.get(row.client_id);
    if (last && isSameRow(last.row, row)) return last.client;
    const client = deepFreeze(toClient(row, box));
    if (opened.size >= OPENED_CLIENTS) opened.clear();
    opened.set(row.client_id, { row, client });
    return client;
  };
}

function isSameRow(one: ClientsTable, other: ClientsTable): boolean {
  return (
    one.secrets === other.secrets &&
    one.metadata === other.metadata &&
    one.audiences === other.audiences &&
    one.created_at === other.created_at
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

function toClient(row: ClientsTable, box: SecretBox): ClientRecord {
  const context = sealContext(row.client_id);
  const secrets: ClientSecret[] = JSON.parse(row.secrets);
  return {
    clientId: row.client_id,
    metadata: JSON.parse(row.metadata),
    audiences: JSON.parse(row.audiences),
    secrets: secrets.map((secret) => mapSecret(secret, (text) => box.open(text, context))),
    createdAt: row.created_at,
  };
}

/** The secret with what is sealed of it sealed, or open. */
function mapSecret(secret: ClientSecret, map: (text: string) => string): ClientSecret {
  const { digest, value } = secret;
  return { ...secret, digest: map(digest), ...(value !== undefined && { value: map(value) }) };
}

function sealContext(clientId: string): string {
  return `client:${clientId}`;
}
