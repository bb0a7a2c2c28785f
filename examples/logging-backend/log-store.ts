// Keeps log lines in one SQLite file.
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { LogEntry } from './log-entry.ts';

/** A stored line. `sub` is the caller's subject; `created_at` is ISO 8601 in UTC. */
export interface StoredLogEntry extends LogEntry {
  readonly id: number;
  readonly sub: string;
  readonly created_at: string;
}

export interface LogStore extends Disposable {
  /** Answers the line's id. */
  insert(entry: LogEntry, sub: string): number;
  /** The newest `limit` lines, newest last. */
  latest(limit: number): StoredLogEntry[];
}

const schema = `
  CREATE TABLE IF NOT EXISTS logs (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    context TEXT NOT NULL,
    sub TEXT NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT`;

/** Opens the file, creating it, for its owner alone, and its folder when they are missing. */
export function openLogStore(path: string): LogStore {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite would let everybody read it; the files that it adds get the mode of this one.
  closeSync(openSync(path, 'a', 0o600));
  const database = new Database(path);
  database.pragma('journal_mode = WAL');
  database.exec(schema);
  const insert = database.prepare<unknown[]>(
    'INSERT INTO logs (service, level, message, context, sub, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const latest = database.prepare<[number], Omit<StoredLogEntry, 'context'> & { context: string }>(
    'SELECT * FROM (SELECT * FROM logs ORDER BY id DESC LIMIT ?) ORDER BY id',
  );
  return {
    insert({ service, level, message, context }, sub) {
      const values = [service, level, message, JSON.stringify(context), sub, new Date().toISOString()];
      return Number(insert.run(...values).lastInsertRowid);
    },
    latest(limit) {
      return latest.all(limit).map((row) => ({ ...row, context: JSON.parse(row.context) }));
    },
    [Symbol.dispose]() {
      database.close();
    },
  };
}
