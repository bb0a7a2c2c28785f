// Starts the real program as a process of its own: a clean environment, a folder of its own, its output kept.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-ports.ts';

const APP = join(import.meta.dirname, '../../app.js');

/** A folder for the processes of one story: working directory, `.env`, data. */
export interface Folder extends Disposable {
  readonly path: string;
  readonly database: string;
}

export function createFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'identity-process-'));
  return {
    path,
    database: join(path, 'data/identity.db'),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export type Env = Record<string, string | undefined>;

/** A complete environment of test mode, whose issuer is where it listens. */
export async function testEnvironment(): Promise<Env> {
  const port = String(await freePort());
  return { NODE_ENV: 'test', HOST: '127.0.0.1', PORT: port, ...secrets(), PUBLIC_URL: `http://127.0.0.1:${port}` };
}

/** A complete environment of production on a free port of loopback. */
export function productionEnvironment(): Env {
  return { HOST: '127.0.0.1', PORT: '0', ...secrets(), JWT_ISSUER: 'https://id.example.com' };
}

function secrets(): Env {
  const secret = () => randomBytes(32).toString('base64url');
  return { COOKIE_SECRET: secret(), JWT_SECRET_KEY: secret(), ENCRYPTION_KEY: secret() };
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly ms: number;
}

/** A started process. Disposing it kills what is left of it. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** its log lines so far, parsed; what is no JSON is left out */
  readonly log: readonly Record<string, unknown>[];
  readonly stdout: string;
  readonly stderr: string;
  /** resolves when it is gone and its output read */
  readonly exited: Promise<Exit>;
  /** Where it listens. Rejects with its output when it ends first. */
  origin(): Promise<string>;
  /** The first log line with this message, or a later one, now or later. Rejects when the process ends without it. */
  said(message: string, time?: number): Promise<Record<string, unknown>>;
  kill(signal: NodeJS.Signals): void;
  closeStdout(): void;
  closeStdin(): void;
}

/** @param options `preload` is imported before the program */
export function startProcess(options: { folder: Folder; env: Env; preload?: string }): Running {
  const { folder, env, preload } = options;
  const startedAt = performance.now();
  const argv = preload ? ['--import', preload, APP] : [APP];
  const child = spawn(process.execPath, argv, {
    cwd: folder.path,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log: Record<string, unknown>[] = [];
  const watchers = new Set<() => void>();
  let stdout = '';
  let stderr = '';
  let ended = false;
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout += `${line}\n`;
    if (line.startsWith('{')) log.push(JSON.parse(line));
    for (const watcher of watchers) watcher();
  });
  const exited = once(child, 'close').then(([code, signal]): Exit => {
    ended = true;
    for (const watcher of watchers) watcher();
    return { code, signal, ms: performance.now() - startedAt };
  });

  function said(message: string, time = 1): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const line = log.filter(({ msg }) => msg === message)[time - 1];
        if (!line && !ended) return;
        watchers.delete(look);
        if (line) resolve(line);
        else reject(new Error(`the process ended without saying "${message}":\n${stdout}${stderr}`));
      };
      watchers.add(look);
      look();
    });
  }

  return {
    pid: child.pid as number,
    log,
    exited,
    said,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    origin: async () => `http://${(await said('started'))['listening']}`,
    kill: (signal) => void child.kill(signal),
    closeStdout: () => void child.stdout.destroy(),
    closeStdin: () => void child.stdin.end(),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
