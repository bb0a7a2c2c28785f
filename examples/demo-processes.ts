// The demo's child processes: started with an environment of their own, watched, and ended together.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** One of the demo's servers. */
export interface Program {
  /** short; begins each line of its output */
  readonly name: string;
  /** path of the file that node runs */
  readonly file: string;
  /** its whole environment, apart from PATH and HOME */
  readonly env: Record<string, string>;
  readonly port: number;
  /** answers 200 once the program is ready */
  readonly readyUrl: string;
}

/** A started program. */
export interface Running {
  readonly name: string;
  /** its latest lines, shown or not, oldest first */
  readonly lastLines: readonly string[];
  /** resolves when the process is gone, for whatever reason */
  readonly ended: Promise<void>;
  /** Asks it to end, and insists after a while. */
  end(): Promise<void>;
}

const keptLines = 15;
const readyTimeoutMs = 30_000;
const endTimeoutMs = 15_000;

/** Starts a program. `show` gets each line of its output. */
export function startProgram({ name, file, env }: Program, show: (line: string) => void): Running {
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a process group of its own: Ctrl-C reaches the demo alone, which then ends its children in order.
    detached: true,
  });
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lastLines.push(line);
      if (lastLines.length > keptLines) lastLines.shift();
      show(line);
    });
  }
  // "close" comes after the last line was read, "exit" may come before.
  const ended = once(child, 'close').then(() => {});
  return { name, lastLines, ended, end: () => endProcess(child, ended) };
}

async function endProcess(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs);
  await ended;
  clearTimeout(insist);
}

/**
 * Resolves once the program answers with 200.
 * @throws Error when that takes longer than half a minute, or `givenUp` is aborted
 */
export async function untilReady({ name, readyUrl }: Program, givenUp: AbortSignal): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  while (Date.now() < deadline && !givenUp.aborted) {
    const response = await fetch(readyUrl, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} did not get ready: ${readyUrl} does not answer with 200.`);
}

/** Whether anybody listens on the port, by IPv4 or IPv6. */
export async function isPortTaken(port: number): Promise<boolean> {
  const socket = connect({ host: 'localhost', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
