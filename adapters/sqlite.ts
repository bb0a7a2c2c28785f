// SQLite as an engine: who reads and who writes when.
import { resolve } from 'node:path';
import type Database from 'better-sqlite3';
import type { Engine } from './engine.ts';
import { type MountProbe, refuseNetworkMount } from './network-mounts.ts';
import { connect, requireFullSync, requireWal, rewriteHeader } from './sqlite-connections.ts';
import { createFileIfMissing, inspectFile } from './sqlite-file.ts';
import { createReads } from './sqlite-queries.ts';
import { patiently, toOpeningError } from './sqlite-waiting.ts';
import { createWriter } from './sqlite-writer.ts';

interface SqliteOptions {
  readonly path: string;
  /** throws StoreRefused for names of migrations that this program does not know */
  readonly refuseSchema: (applied: readonly string[]) => void;
  /** what a test puts in the place of this machine's file systems */
  readonly mounts?: MountProbe;
}

/**
 * Opens the file with two connections. One writes, one transaction after another. The other one only reads, and answers
 * while a transaction is open: in WAL mode it sees the last commit and nothing else, so reads neither wait for a write
 * transaction nor see inside one.
 * @throws StoreRefused, StoreUnavailable
 */
export async function openSqlite({ path, refuseSchema, mounts }: SqliteOptions): Promise<Engine> {
  const file = resolve(path);
  refuseNetworkMount(file, mounts);
  createFileIfMissing(file);
  const opened: Database.Database[] = [];
  try {
    await patiently(() => inspectFile(file, refuseSchema));
    const writer = await patiently(() => connect(file));
    opened.push(writer);
    await patiently(() => requireWal(writer));
    await patiently(() => rewriteHeader(writer));
    const reader = await patiently(() => connect(file));
    opened.push(reader);
    reader.pragma('query_only = ON');
    reader.pragma('schema_version');
    for (const connection of opened) requireFullSync(connection);
    return createEngine(writer, reader);
  } catch (error) {
    for (const connection of opened) connection.close();
    throw toOpeningError(error, file);
  }
}

function createEngine(writerConnection: Database.Database, readerConnection: Database.Database): Engine {
  const writer = createWriter(writerConnection);
  const reads = createReads(writerConnection, readerConnection);
  const version = createVersion(writerConnection);
  const write: Engine['write'] = (work) => writer.write(work).finally(version.change);
  return {
    groupsWrites: true,
    version: version.ask,
    read: (work) => patiently(() => work(reads)),
    write,
    exclusively: write,
    lock: async () => undefined, // whoever writes is alone already
    betweenWrites: writer.betweenWrites,
    async close() {
      readerConnection.close();
      emptyLog(writerConnection);
      writerConnection.close();
    },
  };
}

/**
 * SQLite counts the commits of all other connections for the one that writes
 * (https://sqlite.org/pragma.html#pragma_data_version), which counts its own here. One answer is good for all who ask before
 * the event loop goes on: nothing that arrives later may be judged by it.
 */
function createVersion(writer: Database.Database): { ask: Engine['version']; change: () => void } {
  const statement = writer.prepare<[], number>('pragma data_version').pluck();
  let others: number | undefined;
  let version = 0;
  let isAsked = false;
  return {
    change() {
      version += 1;
    },
    ask() {
      if (isAsked) return version;
      try {
        const now = statement.get();
        if (now !== others) version += 1;
        others = now;
      } catch {
        return undefined; // whoever reads instead learns why
      }
      isAsked = true;
      process.nextTick(() => {
        isAsked = false;
      });
      return version;
    },
  };
}

/**
 * The last connection to close does so itself. Where another process has the file open too, the file should be complete
 * all the same, for whoever copies it once this one has ended.
 */
function emptyLog(connection: Database.Database): void {
  try {
    if (connection.open) connection.pragma('wal_checkpoint(TRUNCATE)');
  } catch {
    // what is committed is in the log, and whoever opens the file next finds it there
  }
}
