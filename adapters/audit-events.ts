// The audit trail in the table `audit_events`: appended in batches, read by time, removed when it is old.
import type { Kysely } from 'kysely';
import type { AuditEvent, AuditEvents } from '../src/store.ts';
import type { Engine } from './engine.ts';
import { type PreparedQuery, prepareQuery } from './prepared-query.ts';
import type { AuditEventsTable, Schema } from './schema.ts';

/** How long an event is kept, in seconds. */
const RETENTION = 90 * 24 * 60 * 60;

/** How many rows one statement inserts: few texts, each prepared once, and few of them for a large batch. */
const ROWS_PER_INSERT = [64, 8, 1];

const COLUMNS = ['id', 'at', 'event', 'client_id', 'account_id', 'facts'] as const;

export function createAuditEvents(engine: Engine): AuditEvents {
  const inserts = ROWS_PER_INSERT.map((rows) => ({ rows, insert: prepareInsert(rows) }));

  return {
    async append(events) {
      if (events.length === 0) return;
      const rows = events.map(toRow);
      await engine.write(async (transaction) => {
        for (let at = 0; at < rows.length; ) at += await insertSome(transaction, inserts, rows.slice(at));
      });
    },
    async list({ since, clientId, accountId, event, limit }) {
      const rows = await engine.read((db) => {
        let query = db.selectFrom('audit_events').selectAll().orderBy('at', 'desc').orderBy('id', 'desc').limit(limit);
        if (since !== undefined) query = query.where('at', '>=', since);
        if (clientId !== undefined) query = query.where('client_id', '=', clientId);
        if (accountId !== undefined) query = query.where('account_id', '=', accountId);
        if (typeof event === 'string') query = query.where('event', '=', event);
        else if (event !== undefined) query = query.where('event', 'in', event);
        return query.execute();
      });
      return rows.map(toEvent).reverse();
    },
  };
}

/** Deletes at most `limit` events that were 90 days old at `before`, epoch seconds; answers how many. */
export async function sweepAuditEvents(
  db: Kysely<Schema>,
  { before, limit }: { before: number; limit: number },
): Promise<number> {
  const deleted = await db
    .deleteFrom('audit_events')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('at', 'id'),
        'in',
        selectFrom('audit_events')
          .select(['at', 'id'])
          .where('at', '<', before - RETENTION)
          .limit(limit)
          .$asTuple('at', 'id'),
      ),
    )
    .executeTakeFirst();
  return Number(deleted.numDeletedRows);
}

type Slots = Record<string, string | number | null>;

/** An event that is there already was appended by a batch whose commit nobody heard of. */
function prepareInsert(rows: number): PreparedQuery<Slots, unknown> {
  return prepareQuery<Slots>((db, slot) => {
    const values = Array.from({ length: rows }, (_, row) =>
      Object.fromEntries(COLUMNS.map((column) => [column, slot(`${column}${row}`)])),
    );
    return db
      .insertInto('audit_events')
      .values(values as unknown as AuditEventsTable[])
      .onConflict((conflict) => conflict.doNothing());
  });
}

/** Inserts as many of the rows as the largest statement takes; answers how many. */
async function insertSome(
  transaction: Kysely<Schema>,
  inserts: readonly { rows: number; insert: PreparedQuery<Slots, unknown> }[],
  rows: readonly AuditEventsTable[],
): Promise<number> {
  const fitting = inserts.find((one) => one.rows <= rows.length);
  if (!fitting) return 0;
  const slots: Slots = {};
  rows.slice(0, fitting.rows).forEach((row, index) => {
    for (const column of COLUMNS) slots[`${column}${index}`] = row[column];
  });
  await fitting.insert(transaction, slots);
  return fitting.rows;
}

function toRow({ id, at, event, clientId, accountId, facts }: AuditEvent): AuditEventsTable {
  return {
    id,
    at,
    event,
    client_id: clientId ?? null,
    account_id: accountId ?? null,
    facts: JSON.stringify(facts),
  };
}

function toEvent(row: AuditEventsTable): AuditEvent {
  return {
    id: row.id,
    at: Number(row.at),
    event: row.event,
    ...(row.client_id !== null && { clientId: row.client_id }),
    ...(row.account_id !== null && { accountId: row.account_id }),
    facts: JSON.parse(row.facts),
  };
}
