// Measures whether time tells the four refusals of a sign-in apart, and prints a table (security.md R48).
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openBrowser } from './sign-in/browser.ts';
import { openForm, submitForm } from './sign-in/flow.ts';
import { nameOf, settle } from './sign-in/installation.ts';
import { createEnvironment } from './throughput/installation.ts';
import { startService } from './throughput/processes.ts';

/** What is typed: a name of nobody, of an account, of a disabled one, and of one that is kept waiting. */
const KINDS = ['nobody', 'person', 'blocked', 'waiting'] as const;
type Kind = (typeof KINDS)[number];

/** As many attempts at each name as cost nothing: beyond them, all four would be kept waiting. */
const ATTEMPTS_EACH = 4;

/** Attempts of each kind that are not counted: what is compiled and loaded meanwhile is no difference between kinds. */
const WARM_UP = 20;

const { values } = parseArgs({ options: { samples: { type: 'string', default: '300' } } });
const samples = Number(values.samples);
let addresses = 0;

const folder = mkdtempSync(join(tmpdir(), 'identity-bench-'));
try {
  const env = { ...createEnvironment(folder), TRUSTED_PROXIES: '127.0.0.1' };
  const names = Math.ceil((samples + WARM_UP) / ATTEMPTS_EACH);
  await settle(env, { person: names, blocked: names, waiting: names });
  const service = await startService(env);
  try {
    print(await measure(service.port));
  } finally {
    await service.end();
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** One attempt of each kind after the other, in an order that changes each time. */
async function measure(port: number): Promise<Record<Kind, number[]>> {
  const times: Record<Kind, number[]> = { nobody: [], person: [], blocked: [], waiting: [] };
  for (let sample = -WARM_UP; sample < samples; sample++) {
    for (const kind of shuffled(KINDS)) {
      const number = Math.floor((sample + WARM_UP) / ATTEMPTS_EACH);
      const ms = await refusal(port, nameOf(kind, number));
      if (sample >= 0) times[kind].push(ms);
    }
  }
  return times;
}

/** From an address of its own each time: one address may not fail often. */
async function refusal(port: number, name: string): Promise<number> {
  addresses += 1;
  const browser = openBrowser(port, `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses & 255}`);
  const form = await openForm(browser);
  const { status, ms, text } = await submitForm(browser, form, name, 'not the password of this bench');
  browser.close();
  if (status !== 400 || !text.includes('do not match')) throw new Error(`${name}: ${status} ${text.slice(0, 200)}`);
  return ms;
}

function shuffled<T>(values: readonly T[]): T[] {
  const keyed = values.map((value) => ({ value, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
}

/** The chance that one of the first takes longer than one of the others (Mann–Whitney): 0.5 tells nothing. */
function areaUnderCurve(first: readonly number[], others: readonly number[]): number {
  let longer = 0;
  for (const one of first) for (const other of others) longer += one > other ? 1 : one === other ? 0.5 : 0;
  return longer / (first.length * others.length);
}

function print(times: Record<Kind, number[]>): void {
  const pairs = KINDS.flatMap((first, at) => KINDS.slice(at + 1).map((second) => [first, second] as const));
  const areas = pairs.map(([first, second]) => {
    const area = areaUnderCurve(times[first], times[second]);
    const verdict = area >= 0.45 && area <= 0.55 ? '' : ' missed';
    return `| ${first} and ${second} | ${area.toFixed(3)}${verdict} |`;
  });
  const medians = KINDS.map((kind) => {
    const sorted = times[kind].toSorted((a, b) => a - b);
    const of = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1);
    return `| ${kind} | ${of(0.25)} | ${of(0.5)} | ${of(0.75)} |`;
  });
  const lines = [
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; ${samples} interleaved samples of each refusal`,
    '',
    '| refusal of | p25 ms | p50 ms | p75 ms |',
    '| --- | --- | --- | --- |',
    ...medians,
    '',
    '| which took longer | AUC, target 0.45 to 0.55 |',
    '| --- | --- |',
    ...areas,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
