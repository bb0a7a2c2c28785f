// The story of a million expired rows that are swept away while clients press on.
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { sqlite } from './support/databases.ts';
import { deploy, type Server } from './support/deployment.ts';
import { createRelyingAgent, tokensOf } from './support/relying-agent.ts';

/**
 * What it was like with a sweep, or without one; milliseconds. It is looked at in windows of five seconds, of which the
 * median counts: whatever else a machine has to do meanwhile comes and goes, and a sweep stays.
 */
export interface Phase {
  readonly windows: number;
  readonly requests: number;
  /** of `/token` */
  readonly p99Ms: number;
  /** the longest in which the event loop of the process stood still */
  readonly pauseMs: number;
  /** the longest of all windows */
  readonly worstPauseMs: number;
}

export interface SweepResult {
  readonly rows: number;
  /** before and after */
  readonly without: Phase;
  readonly during: Phase;
  readonly sweepMs: number;
}

interface Window {
  readonly sweeping: boolean;
  readonly requests: number;
  readonly p99Ms: number;
  readonly pauseMs: number;
}

const CLIENTS = 4;
const WINDOW_MS = 5_000;
/** After the sweep; before it there is a minute, since that is when the first one comes. */
const AFTERWARDS_MS = 30_000;
/** Expired longest ago, and so swept first. */
const FIRST = 1;

/** Preloaded: at every SIGUSR2 it says for how long the event loop stood still at most since the last time. */
const PAUSES = `data:text/javascript,${encodeURIComponent(`
  import { monitorEventLoopDelay } from 'node:perf_hooks';
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  process.on('SIGUSR2', () => {
    process.stdout.write(JSON.stringify({ msg: 'pauses', pauseMs: delay.max / 1e6 }) + '\\n');
    delay.reset();
  });
`)}`;

/** On SQLite, where everybody shares one disk and one write lock. */
export async function sweepUnderLoad(rows: number): Promise<SweepResult> {
  await using deployment = await deploy(sqlite);
  const { location } = deployment.database;
  const path = location.engine === 'sqlite' ? location.path : '';
  fill(path, rows);
  const server = await deployment.start({ preload: PAUSES });
  using watcher = watchRows(path);
  const latencies: number[] = [];
  let over = false;
  const clients = Array.from({ length: CLIENTS }, async () => {
    using agent = createRelyingAgent(() => server.origin);
    await agent.signIn();
    let { refreshToken } = tokensOf(await agent.redeem(await agent.code()));
    while (!over) {
      const startedAt = performance.now();
      ({ refreshToken } = tokensOf(await agent.refresh(refreshToken)));
      latencies.push(performance.now() - startedAt);
      await pause(5);
    }
  });
  const windows: Window[] = [];
  /** Windows for as long as it is so; one in the middle of which it changes belongs to neither phase. */
  async function watchWhile(sweeping: boolean, isSo: () => boolean): Promise<void> {
    await endWindow(server, latencies);
    while (isSo()) {
      await pause(WINDOW_MS);
      const window = await endWindow(server, latencies);
      if (isSo()) windows.push({ sweeping, ...window });
    }
  }
  try {
    await pause(5_000); // signing in, and a program that warms up
    await watchWhile(false, () => watcher.has(FIRST));
    const startedAt = performance.now();
    await watchWhile(true, () => watcher.hasExpired());
    const endedAt = performance.now();
    await watchWhile(false, () => performance.now() < endedAt + AFTERWARDS_MS);
    const [without, during] = [false, true].map((sweeping) =>
      summarize(windows.filter((window) => window.sweeping === sweeping)),
    ) as [Phase, Phase];
    return { rows, without, during, sweepMs: endedAt - startedAt };
  } finally {
    over = true;
    await Promise.all(clients);
  }
}

/** What the window that ends now was like; the next one begins. */
async function endWindow({ process }: Server, latencies: number[]): Promise<Omit<Window, 'sweeping'>> {
  const said = () => process.log.filter(({ msg }) => msg === 'pauses');
  const { length } = said();
  process.kill('SIGUSR2');
  while (said().length === length) await pause(5);
  const sorted = latencies.splice(0).sort((a, b) => a - b);
  return {
    requests: sorted.length,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    pauseMs: Number(said().at(-1)?.['pauseMs']),
  };
}

function summarize(windows: readonly Window[]): Phase {
  const medianOf = (name: 'p99Ms' | 'pauseMs') =>
    windows.map((window) => window[name]).toSorted((a, b) => a - b)[Math.floor(windows.length / 2)] ?? Number.NaN;
  return {
    windows: windows.length,
    requests: windows.reduce((sum, { requests }) => sum + requests, 0),
    p99Ms: medianOf('p99Ms'),
    pauseMs: medianOf('pauseMs'),
    worstPauseMs: Math.max(...windows.map(({ pauseMs }) => pauseMs)),
  };
}

/** Rows as large as access tokens are. */
function fill(path: string, rows: number): void {
  const db = new Database(path);
  const filling = randomBytes(450).toString('base64url');
  const expiredAt = Math.floor(Date.now() / 1000) - 3_600;
  const insert = db.prepare(
    "insert into artifacts (model, id_hash, payload, grant_hash, expires_at) values ('AccessToken', ?, ?, ?, ?)",
  );
  db.pragma('synchronous = OFF');
  db.transaction(() => {
    for (let n = 0; n < rows; n += 1) {
      const hash = createHash('sha256').update(String(n)).digest('base64url');
      insert.run(hash, filling, hash, n === 0 ? FIRST : expiredAt);
    }
  })();
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}

function watchRows(path: string) {
  const db = new Database(path, { readonly: true, timeout: 2_000 });
  const at = db.prepare<[number]>('select 1 from artifacts where expires_at = ? limit 1');
  const until = db.prepare<[number]>('select 1 from artifacts where expires_at < ? limit 1');
  return {
    has: (expiresAt: number) => at.get(expiresAt) !== undefined,
    hasExpired: () => until.get(Math.floor(Date.now() / 1000) - 600) !== undefined,
    [Symbol.dispose]: () => db.close(),
  };
}
