// Measures a backup of a large SQLite database while others write to it, and its restore, by the real program.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openStore } from '../adapters/open-store.ts';
import { createSecretBox } from '../src/keys/secret-box.ts';
import type { ArtifactWrite, Store } from '../src/store.ts';

const IDENTITY = join(import.meta.dirname, '../src/cli/identity.ts');

/** Times in milliseconds, for whole runs of the program; writes are durable commits of the load. */
export interface BackupFigures {
  readonly databaseBytes: number;
  readonly backupMs: number;
  readonly restoreMs: number;
  readonly writesDuringBackup: number;
  /** the longest that one of them took, and for comparison the longest in as much time without a backup */
  readonly slowestWriteMs: number;
  readonly slowestWriteAloneMs: number;
}

/** @param options size of the database, and how many write to it at once */
export async function measureBackup({ megabytes = 100, writers = 16 } = {}): Promise<BackupFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'identity-bench-'));
  const secret = () => randomBytes(32).toString('base64url');
  const env = {
    NODE_ENV: 'test',
    PUBLIC_URL: 'http://localhost:3000',
    COOKIE_SECRET: secret(),
    JWT_SECRET_KEY: secret(),
    ENCRYPTION_KEY: secret(),
    DATABASE_URL: 'sqlite:identity.db',
  };
  const path = join(folder, 'identity.db');
  const identity = (...argv: string[]) => timed(() => run([IDENTITY, ...argv], folder, env));
  try {
    const store = await openStore({
      database: { engine: 'sqlite', path },
      clock: () => Math.floor(Date.now() / 1000),
      box: createSecretBox([env.ENCRYPTION_KEY]),
    });
    await store.migrate();
    await fill(store, path, megabytes * 1_000_000);
    await identity('db', 'backup', 'warm-up'); // signing keys and the compile cache are made
    const load = startLoad(store, writers);
    load.take();
    const backupMs = await identity('db', 'backup', 'measured');
    const during = load.take();
    await new Promise((resolve) => setTimeout(resolve, backupMs));
    const alone = load.take();
    await load.end();
    await store[Symbol.asyncDispose]();
    const databaseBytes = statSync(path).size;
    const restoreMs = await identity('db', 'restore', 'measured', '--replace');
    return {
      databaseBytes,
      backupMs,
      restoreMs,
      writesDuringBackup: during.count,
      slowestWriteMs: during.slowestMs,
      slowestWriteAloneMs: alone.slowestMs,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function fill(store: Store, path: string, bytes: number): Promise<void> {
  for (let n = 0; statSync(path).size < bytes; n += 1) {
    await store.artifacts.apply(Array.from({ length: 1_000 }, (_, m) => write(`${n}-${m}`)));
    if (n % 10 === 0) await store.sweep(1); // takes the log in
  }
}

function write(id: string): ArtifactWrite {
  return {
    do: 'upsert',
    model: 'RefreshToken',
    id,
    payload: { grantId: id, filling: 'x'.repeat(600) },
    expiresIn: 3600,
  };
}

function startLoad(store: Store, writers: number) {
  let going = true;
  let figures = { count: 0, slowestMs: 0 };
  const work = Array.from({ length: writers }, async (_, writer) => {
    for (let n = 0; going; n += 1) {
      const ms = await timed(() => store.artifacts.apply([write(`load-${writer}-${n}`)]));
      figures.count += 1;
      figures.slowestMs = Math.max(figures.slowestMs, ms);
    }
  });
  return {
    /** What has happened since it was asked last. */
    take() {
      const taken = figures;
      figures = { count: 0, slowestMs: 0 };
      return taken;
    },
    async end() {
      going = false;
      await Promise.all(work);
    },
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function run(argv: string[], cwd: string, env: Record<string, string>): Promise<void> {
  const child = spawn(process.execPath, argv, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const complaint = text(child.stderr);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(await complaint);
}
