// Seals everything again with the first encryption key, in small transactions, beside a running server.
import { setTimeout as pause } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Clock, ReEncryption, SecretBox } from '../src/store.ts';
import { sealContext } from './artifact-writes.ts';
import type { Engine } from './engine.ts';
import type { Schema } from './schema.ts';
import { totpContext } from './second-factors.ts';

/** Rows in a transaction, and the time for others between two. */
const BATCH = 100;
const BREATH_MS = 10;

/** A row with a column that holds sealed texts, and nothing else that looks like one. */
interface SealedRow {
  /** names the row within its table, and orders the rows */
  readonly key: readonly string[];
  readonly text: string;
  /** for which the texts in it are sealed */
  readonly context: string;
}

interface SealedColumn {
  /** The rows that follow a key, in order; the first ones without. */
  page(db: Kysely<Schema>, after: readonly string[] | undefined, now: number): Promise<SealedRow[]>;
  /** Only if the text is still the one that was read: whoever changed it has sealed it anew. */
  replace(db: Kysely<Schema>, row: SealedRow, text: string): Promise<unknown>;
}

const signingKeys: SealedColumn = {
  async page(db, [after] = ['']) {
    const query = db
      .selectFrom('signing_keys')
      .select(['kid', 'jwk'])
      .where('kid', '>', after ?? '');
    const rows = await query.orderBy('kid').limit(BATCH).execute();
    return rows.map(({ kid, jwk }) => ({ key: [kid], text: jwk, context: kid }));
  },
  replace: (db, { key: [kid = ''], text: old }, text) =>
    db.updateTable('signing_keys').set({ jwk: text }).where('kid', '=', kid).where('jwk', '=', old).execute(),
};

const clientSecrets: SealedColumn = {
  async page(db, [after] = ['']) {
    const query = db
      .selectFrom('clients')
      .select(['client_id', 'secrets'])
      .where('client_id', '>', after ?? '');
    const rows = await query.orderBy('client_id').limit(BATCH).execute();
    return rows.map(({ client_id, secrets }) => ({ key: [client_id], text: secrets, context: `client:${client_id}` }));
  },
  replace: (db, { key: [clientId = ''], text: old }, text) =>
    db
      .updateTable('clients')
      .set({ secrets: text })
      .where('client_id', '=', clientId)
      .where('secrets', '=', old)
      .execute(),
};

const totp: SealedColumn = {
  async page(db, [after] = ['']) {
    const query = db
      .selectFrom('totp')
      .select(['account_id', 'secret'])
      .where('account_id', '>', after ?? '');
    const rows = await query.orderBy('account_id').limit(BATCH).execute();
    return rows.map(({ account_id: id, secret }) => ({ key: [id], text: secret, context: totpContext(id) }));
  },
  replace: (db, { key: [accountId = ''], text: old }, text) =>
    db
      .updateTable('totp')
      .set({ secret: text })
      .where('account_id', '=', accountId)
      .where('secret', '=', old)
      .execute(),
};

/** Those that have expired are about to be swept. */
const artifacts: SealedColumn = {
  async page(db, [model = '', idHash = ''] = [], now) {
    const rows = await db
      .selectFrom('artifacts')
      .select(['model', 'id_hash', 'payload'])
      .where(({ eb, or, and }) =>
        or([eb('model', '>', model), and([eb('model', '=', model), eb('id_hash', '>', idHash)])]),
      )
      .where(({ eb, or }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
      .orderBy('model')
      .orderBy('id_hash')
      .limit(BATCH)
      .execute();
    return rows.map((row) => {
      return { key: [row.model, row.id_hash], text: row.payload, context: sealContext(row.model, row.id_hash) };
    });
  },
  replace: (db, { key: [model = '', idHash = ''], text: old }, text) =>
    db
      .updateTable('artifacts')
      .set({ payload: text })
      .where('model', '=', model)
      .where('id_hash', '=', idHash)
      .where('payload', '=', old)
      .execute(),
};

/** Every column of the schema that holds sealed texts. */
const columns: readonly SealedColumn[] = [signingKeys, clientSecrets, totp, artifacts];

/**
 * Goes through everything that is sealed, twice: to seal again what an older key has sealed, and to count what depends
 * on an older key even so, because a process that does not have the first key yet has written it meanwhile.
 */
export async function reEncrypt({
  engine,
  box,
  clock,
}: {
  engine: Engine;
  box: SecretBox;
  clock: Clock;
}): Promise<ReEncryption> {
  const done = { reEncrypted: 0, remaining: 0, unreadable: 0 };

  for (const column of columns) {
    for await (const rows of pagesOf(column)) {
      const changes = rows.flatMap((row) => {
        const text = resealed(row, box);
        return text === undefined || text === row.text ? [] : [{ row, text }];
      });
      if (changes.length === 0) continue;
      await engine.write(async (db) => {
        for (const { row, text } of changes) await column.replace(db, row, text);
      });
      done.reEncrypted += changes.length;
      await pause(BREATH_MS);
    }
  }
  for (const column of columns) {
    for await (const rows of pagesOf(column)) {
      for (const row of rows) {
        const text = resealed(row, box);
        if (text === undefined) done.unreadable += 1;
        else if (text !== row.text) done.remaining += 1;
      }
    }
  }
  return done;

  async function* pagesOf(column: SealedColumn): AsyncGenerator<SealedRow[]> {
    let after: readonly string[] | undefined;
    for (;;) {
      const rows = await engine.read((db) => column.page(db, after, clock()));
      if (rows.length > 0) yield rows;
      if (rows.length < BATCH) return;
      after = rows.at(-1)?.key;
    }
  }
}

/** Undefined when something in it was sealed with a key that is not listed. */
function resealed({ text, context }: SealedRow, box: SecretBox): string | undefined {
  try {
    return text.replaceAll(/\bv1\.[\w-]{8}\.[\w-]{38,}/g, (sealed) => box.reseal(sealed, context));
  } catch {
    return undefined;
  }
}
