// Queries of the hot paths: built and compiled once, then run with fresh parameters.
import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely';
import type { Schema } from './schema.ts';

/** Stands in a query where a parameter will be. */
class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Runs the query on the database, or in the transaction, that is passed. */
export type PreparedQuery<Parameters, Row> = (db: Kysely<Schema>, parameters: Parameters) => Promise<QueryResult<Row>>;

/**
 * Prepares a query whose parameters are the slots that `build` puts in it; other values in it stay as they are.
 * It is compiled at its first run, for the dialect that it runs on. The text never changes after that, so an engine
 * that caches statements by their text prepares it once.
 */
export function prepareQuery<Parameters extends object, Row = unknown>(
  build: (
    db: Kysely<Schema>,
    slot: <Name extends keyof Parameters & string>(name: Name) => Parameters[Name],
  ) => Compilable<Row>,
): PreparedQuery<Parameters, Row> {
  let compiled: CompiledQuery<Row> | undefined;
  return (db, parameters) => {
    compiled ??= build(db, (name) => new Slot(name) as never).compile();
    const { sql, query, queryId } = compiled;
    return db.executeQuery<Row>({ sql, query, queryId, parameters: fill(compiled.parameters, parameters) });
  };
}

function fill(slots: readonly unknown[], parameters: object): unknown[] {
  const values = parameters as Record<string, unknown>;
  return slots.map((slot) => (slot instanceof Slot ? values[slot.name] : slot));
}
