// Runs the queries that Kysely builds on SQLite connections, which answer at once.
import type Database from 'better-sqlite3';
import {
  type Compilable,
  type CompiledQuery,
  Kysely,
  type QueryResult,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteStatement,
} from 'kysely';
import { StoreUnavailable } from '../src/store.ts';
import type { Schema } from './schema.ts';

/** Statements by their text, each prepared once: our texts are a fixed set. */
type Statements = (text: string) => SqliteStatement;

/**
 * Kysely over SQLite. A query that is compiled already goes to its statement directly, not through the turns, pools and
 * plugins by which Kysely finds a connection: there is one, and it is free whenever it is asked.
 */
class SqliteKysely extends Kysely<Schema> {
  readonly #statements: Statements;
  readonly #isOpen: () => boolean;

  constructor(statements: Statements, isOpen: () => boolean) {
    super({ dialect: new SqliteDialect({ database: databaseOf(statements, isOpen) }) });
    this.#statements = statements;
    this.#isOpen = isOpen;
  }

  override async executeQuery<Row>(query: CompiledQuery<Row> | Compilable<Row>): Promise<QueryResult<Row>> {
    const { sql, parameters } = 'compile' in query ? query.compile() : query;
    try {
      const statement = this.#statements(sql);
      if (statement.reader) return { rows: statement.all(parameters) as Row[] };
      return { rows: [], numAffectedRows: BigInt(statement.run(parameters).changes) };
    } catch (error) {
      throw this.#isOpen() ? error : closed();
    }
  }
}

/** Queries on one connection. */
export function createQueries(connection: Database.Database): Kysely<Schema> {
  return new SqliteKysely(prepareOnce(connection), () => connection.open);
}

/**
 * Queries that see what is committed. The connection that writes answers them while it has no transaction open: it knows
 * the pages that it wrote, of which every commit makes the others forget all theirs. `reader` answers the rest, and
 * whatever is not a read, which it refuses.
 */
export function createReads(writer: Database.Database, reader: Database.Database): Kysely<Schema> {
  const [ofWriter, ofReader] = [prepareOnce(writer), prepareOnce(reader)];
  const choose: Statements = (text) => {
    if (writer.inTransaction) return ofReader(text);
    const statement = ofWriter(text);
    return (statement as SqliteStatement & { readonly: boolean }).readonly ? statement : ofReader(text);
  };
  return new SqliteKysely(choose, () => writer.open && reader.open);
}

function prepareOnce(connection: Database.Database): Statements {
  const statements = new Map<string, SqliteStatement>();
  return (text) => {
    let statement = statements.get(text);
    if (!statement) {
      statement = connection.prepare<unknown[]>(text) as SqliteStatement;
      statements.set(text, statement);
    }
    return statement;
  };
}

/** For the queries that Kysely runs by itself; it prepares at every execution. */
function databaseOf(statements: Statements, isOpen: () => boolean): SqliteDatabase {
  return {
    prepare(text) {
      if (!isOpen()) throw closed();
      return statements(text);
    },
    close: () => undefined, // the connections belong to the engine
  };
}

function closed(): StoreUnavailable {
  return new StoreUnavailable('the store is closed');
}
