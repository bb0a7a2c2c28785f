// The processes of the bench: both servers and the load, and what the system says of the CPU and memory they took.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Latencies, Order } from './load.ts';

/** What `npm start` gives Node (docs/deploy.md, "Memory"). */
const NODE_OPTIONS = ['--max-semi-space-size=16'];

/** What a tick of /proc is (`getconf CLK_TCK`): 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** A server under measurement. */
export interface MeasuredServer {
  readonly port: number;
  /** CPU time of all its threads since its start, in seconds */
  cpuSeconds(): number;
  /** the resident size now, in MiB */
  memory(): number;
  /** the largest resident size so far, in MiB */
  peakMemory(): number;
  end(): Promise<void>;
}

function measured(child: ChildProcess, port: number): MeasuredServer {
  const proc = (file: string) => readFileSync(`/proc/${child.pid}/${file}`, 'utf8');
  return {
    port,
    cpuSeconds() {
      // the name of the program, in parentheses, may hold spaces: fields are counted behind it
      const fields = proc('stat').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    memory: () => Number(/^VmRSS:\s+(\d+)/m.exec(proc('status'))?.[1]) / 1024,
    peakMemory: () => Number(/^VmHWM:\s+(\d+)/m.exec(proc('status'))?.[1]) / 1024,
    async end() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** The library alone. */
export function startBareProvider(secret: string): Promise<MeasuredServer> {
  return startPlain('bare-provider.ts', secret);
}

/** The library alone, with the smallest interaction that signs somebody in. */
export function startBareSignIn(secret: string): Promise<MeasuredServer> {
  return startPlain('../sign-in/bare-provider.ts', secret);
}

/**
 * The same over the storage of this service.
 * @param env of the service, with a database of its own
 */
export function startStoredSignIn(secret: string, env: Record<string, string>): Promise<MeasuredServer> {
  return startPlain('../sign-in/stored-provider.ts', secret, env);
}

/** A server that only answers: what no request can cost less than. */
export function startEmptyServer(): Promise<MeasuredServer> {
  return startPlain('empty-server.ts', '');
}

/** A file of this folder that tells its port. */
async function startPlain(file: string, secret: string, env?: Record<string, string>): Promise<MeasuredServer> {
  const child = fork(join(import.meta.dirname, file), {
    env: { ...process.env, NODE_ENV: 'production', ...env, BENCH_SECRET: secret },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? [],
  });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return measured(child, port);
}

/**
 * This service as it runs in production, but for its log, which nobody reads.
 * @param preload a file that the process loads first
 */
export async function startService(env: Record<string, string>, preload?: string): Promise<MeasuredServer> {
  const port = await freePort();
  const args = [
    ...NODE_OPTIONS,
    ...(process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? []),
    ...(preload === undefined ? [] : ['--import', pathToFileURL(preload).href]),
    join(import.meta.dirname, '../../src/main.ts'),
  ];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...env, HOST: '127.0.0.1', PORT: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await untilReady(child, port);
  return measured(child, port);
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null) throw new Error('the service did not start');
    const ready = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => undefined);
    if (ready?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill();
  throw new Error('the service was not ready in time');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** The load, in a process of its own. */
export function startLoad(): { fire(order: Order): Promise<Latencies>; end(): void } {
  const child = fork(join(import.meta.dirname, 'load.ts'));
  return {
    async fire(order) {
      child.send(order);
      const [{ latencies, failure }] = (await once(child, 'message')) as [{ latencies?: Latencies; failure?: string }];
      if (!latencies) throw new Error(failure);
      return latencies;
    },
    end: () => child.disconnect(),
  };
}
