// Notices that an older copy was put in the place of a SQLite database, and makes it safe to use.
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Kysely } from 'kysely';
import { StoreRefused } from '../src/store.ts';
import type { Engine } from './engine.ts';
import type { Schema } from './schema.ts';

/**
 * The generation of a database stands in its table `meta` and in a small file beside it, and moves on in both. A copy
 * that comes back has an old one. A copy made since the last rotation is not noticed, and neither is one of the folder
 * that comes back with its marker: `identity db restore` depends on neither.
 */
export interface RollbackMarker {
  /**
   * To be called at boot, before requests. A database that is not of this generation loses every artifact, since those
   * that were consumed since would be fresh again, and gets another epoch.
   * @returns `rolled-back` when something was lost that way
   * @throws StoreRefused when the file cannot be read or written, StoreUnavailable
   */
  recover(): Promise<'same' | 'rolled-back'>;
  /**
   * From now on, copies made before are noticed. Does nothing to a database that `recover` still has to look at. Errors
   * as for `recover`.
   */
  rotate(): Promise<void>;
}

/** The generations that the database may be of: `previous` is that of a move whose commit did not come about. */
interface Marker {
  readonly current: string;
  readonly previous: string | undefined;
}

/** Where the marker of a database file is. */
export function markerPath(database: string): string {
  return `${database}.generation`;
}

/** Whether the program has run on this file, or on one that was in its place. */
export function hasMarker(database: string): boolean {
  return existsSync(markerPath(database));
}

/**
 * Several processes may call it on one file: the marker is read and written only while they hold the write lock, and
 * SQLite runs the work of a transaction once.
 * @param database path of the file that the engine has open
 */
export function createRollbackMarker(engine: Engine, database: string): RollbackMarker {
  const path = markerPath(database);

  /** The file first, then the database: a crash in between leaves one that the file knows as `previous`. */
  async function move(db: Kysely<Schema>, previous: string | undefined): Promise<void> {
    const current = randomUUID();
    writeMarker(path, { current, previous });
    await setFact(db, 'generation', current);
  }

  async function moveIfKnown(db: Kysely<Schema>): Promise<boolean> {
    const generation = await readGeneration(db);
    const known = isKnown(generation, readMarker(path));
    if (known) await move(db, generation);
    return known;
  }

  return {
    async recover() {
      const removed = await engine.write(async (db) => {
        if (await moveIfKnown(db)) return 0n;
        const { numDeletedRows } = await db.deleteFrom('artifacts').executeTakeFirst();
        await setFact(db, 'epoch', randomUUID());
        // without `previous`: should this not be committed, the next boot must find what this one found
        await move(db, undefined);
        return numDeletedRows;
      });
      await engine.write(moveIfKnown);
      return removed > 0n ? 'rolled-back' : 'same';
    },
    async rotate() {
      // twice: after once, the file still knows the former generation as `previous`
      await engine.write(moveIfKnown);
      await engine.write(moveIfKnown);
    },
  };
}

function isKnown(generation: string | undefined, marker: Marker | undefined): boolean {
  return generation !== undefined && (generation === marker?.current || generation === marker?.previous);
}

async function readGeneration(db: Kysely<Schema>): Promise<string | undefined> {
  const row = await db.selectFrom('meta').select('value').where('name', '=', 'generation').executeTakeFirst();
  return row?.value;
}

async function setFact(db: Kysely<Schema>, name: string, value: string): Promise<void> {
  await db
    .insertInto('meta')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/** Undefined when there is none, or none that makes sense. Synchronous, as all work within a write transaction. */
function readMarker(path: string): Marker | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refusal(path, 'read', cause);
  }
  try {
    const { current, previous } = JSON.parse(text);
    return typeof current === 'string' ? { current, previous } : undefined;
  } catch {
    return undefined;
  }
}

/** Written under another name and renamed, so that no crash leaves half of it. */
function writeMarker(path: string, marker: Marker): void {
  const draft = `${path}.new`;
  try {
    rmSync(draft, { force: true });
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeSync(file, `${JSON.stringify(marker)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (cause) {
    throw refusal(path, 'written', cause);
  }
}

/** Makes renames in the folder durable, where the system lets folders be opened. */
export function syncFolder(folder: string): void {
  let file: number;
  try {
    file = openSync(folder, 'r');
  } catch {
    return;
  }
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function refusal(path: string, done: 'read' | 'written', cause: unknown): StoreRefused {
  const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new StoreRefused(`${path} cannot be ${done} (${reason}). Check its owner and mode, and its folder's.`, {
    cause,
  });
}
