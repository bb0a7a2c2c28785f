// Measures a complete sign-in beside the bare library in one run, and beside the library over the storage of this service
// and nothing else of it, password hashing left out, and prints a table.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBrowser } from './sign-in/browser.ts';
import { signIn } from './sign-in/flow.ts';
import { nameOf, PASSWORD, settle } from './sign-in/installation.ts';
import { createEnvironment } from './throughput/installation.ts';
import { type MeasuredServer, startBareSignIn, startService, startStoredSignIn } from './throughput/processes.ts';

/** Most CPU time of a sign-in, by the bare library's in the same round. */
const TARGET = 1.3;
/** At once: enough that what waits for the disk is not measured as work. */
const BROWSERS = 4;
const ACCOUNTS = 200;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, 'sign-ins': { type: 'string', default: '200' } },
});
const rounds = Number(values.rounds);
const signIns = Number(values['sign-ins']);

const folder = mkdtempSync(join(tmpdir(), 'identity-bench-'));
try {
  const env = { ...createEnvironment(folder), TRUSTED_PROXIES: '127.0.0.1' };
  const { webSecret } = await settle(env, { person: ACCOUNTS });
  const bare = await startBareSignIn(webSecret);
  const stored = await startStoredSignIn(webSecret, { ...env, DATABASE_URL: `sqlite:${join(folder, 'stored.db')}` });
  const service = await startService(env, join(import.meta.dirname, 'sign-in/without-argon2.ts'));
  const servers = { bare, stored, service };
  try {
    print(await measure(servers, webSecret), servers);
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.end()));
  }
} finally {
  rmSync(folder, { recursive: true });
}

type Each<T> = Record<'bare' | 'stored' | 'service', T>;

/** CPU milliseconds per sign-in, by turns; the first round is not counted. */
async function measure(servers: Each<MeasuredServer>, secret: string): Promise<Each<number>[]> {
  const measured: Each<number>[] = [];
  for (let round = 0; round <= rounds; round++) {
    const bare = await costOf(servers.bare, secret);
    const stored = await costOf(servers.stored, secret);
    const service = await costOf(servers.service, secret);
    if (round > 0) measured.push({ bare, stored, service });
  }
  return measured;
}

async function costOf(server: MeasuredServer, secret: string): Promise<number> {
  const before = server.cpuSeconds();
  let left = signIns;
  const inTurn = async () => {
    while (left-- > 0) {
      // a new browser each time: with the cookies of the one before there would be no form
      const browser = openBrowser(server.port);
      await signIn(browser, secret, nameOf('person', left % ACCOUNTS), PASSWORD);
      browser.close();
    }
  };
  await Promise.all(Array.from({ length: BROWSERS }, inTurn));
  return ((server.cpuSeconds() - before) / signIns) * 1000;
}

function print(measured: readonly Each<number>[], servers: Each<MeasuredServer>): void {
  const ratioOf = (server: keyof typeof servers) => median(measured.map((one) => one[server] / one.bare));
  const row = (name: string, server: keyof typeof servers, verdict = '') => {
    const cost = median(measured.map((one) => one[server])).toFixed(2);
    return `| ${name} | ${cost} | ${ratioOf(server).toFixed(2)}${verdict} | ${servers[server].peakMemory().toFixed(0)} |`;
  };
  const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  const lines = [
    `${machine}; ${rounds} rounds of ${signIns} sign-ins in ${BROWSERS} browsers at once; medians`,
    '',
    '| sign-in: authorize, form, code, token | CPU ms | ratio | peak MiB |',
    '| --- | --- | --- | --- |',
    row('oidc-provider, in memory, no pages', 'bare'),
    row('oidc-provider over this storage, no pages', 'stored'),
    row('this service, argon2 left out', 'service', ratioOf('service') <= TARGET ? '' : ' missed'),
    '',
    `target: at most ${TARGET.toFixed(2)}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? Number.NaN)) / 2 : upper;
}
