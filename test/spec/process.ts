// The identity service as an operator starts it: a process with an environment and a folder of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = join(import.meta.dirname, '../../app.js');

/** A process that was told to start. Disposing it ends it and removes its data. */
export interface Process extends AsyncDisposable {
  readonly child: ChildProcess;
  /** everything printed so far */
  output(): string;
  /** where it listens; rejects when it ended instead */
  readonly listening: Promise<string>;
  /** the exit code; null when a signal ended it */
  readonly exited: Promise<number | null>;
}

/** @param env the whole environment, but for the database and a free port */
export function startProcess(env: Record<string, string>): Process {
  const folder = mkdtempSync(join(tmpdir(), 'identity-process-'));
  const child = spawn(process.execPath, [program], {
    cwd: folder,
    env: { PORT: '0', HOST: '127.0.0.1', DATABASE_URL: `sqlite:${join(folder, 'identity.db')}`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const listening = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
        const address = /"listening":"([^"]+)"/.exec(output)?.[1];
        if (address) resolve(`http://${address}`);
      });
    }
    exited.then(() => reject(new Error(`it ended:\n${output}`)));
  });
  listening.catch(() => {}); // a test that expects the end does not ask
  return {
    child,
    output: () => output,
    listening,
    exited,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}
