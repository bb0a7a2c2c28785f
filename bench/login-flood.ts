// Measures what a flood of sign-ins does to the tokens of services beside it, and prints a table.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { resourceIdentifier } from '../src/resource-servers/identifiers.ts';
import { type Browser, openBrowser } from './sign-in/browser.ts';
import { type OpenForm, openForm } from './sign-in/flow.ts';
import { nameOf, PASSWORD, settle } from './sign-in/installation.ts';
import type { Sample } from './sign-in/steady-load.ts';
import { type FirstByte, fireVolley } from './sign-in/volley.ts';
import { createEnvironment, formGrant } from './throughput/installation.ts';
import { type MeasuredServer, startService } from './throughput/processes.ts';

const PER_SECOND = 50;
const SECOND = 1_000;

const { values } = parseArgs({
  options: { floods: { type: 'string', default: '5' }, 'sign-ins': { type: 'string', default: '300' } },
});
const signIns = Number(values['sign-ins']);

interface Flood {
  /** when it began and when its last answer came, by the system's clock */
  readonly from: number;
  readonly to: number;
  /** answers, by status */
  readonly answers: readonly FirstByte[];
}

const folder = mkdtempSync(join(tmpdir(), 'identity-bench-'));
try {
  const env = { ...createEnvironment(folder), TRUSTED_PROXIES: '127.0.0.1' };
  const { serviceSecret } = await settle(env, { person: signIns });
  const service = await startService(env);
  const load = fork(join(import.meta.dirname, 'sign-in/steady-load.ts'));
  await once(load, 'message');
  const samples = async (): Promise<Sample[]> => {
    load.send('report');
    return ((await once(load, 'message')) as [Sample[]])[0];
  };
  try {
    await flood(service, signIns, 10); // what is loaded at the first sign-ins is not the flood's
    const shot = formGrant(service.port, serviceSecret, resourceIdentifier('bench-es256'));
    load.send({ shot, perSecond: PER_SECOND });
    await pause(2 * SECOND);
    await samples();
    const memory = service.memory();
    await pause(5 * SECOND);
    const quiet = await samples();
    const floods: Flood[] = [];
    const beside: Sample[] = [];
    const afterwards: Sample[] = [];
    for (let count = 0; count < Number(values.floods); count++) {
      const one = await flood(service, signIns);
      floods.push(one);
      await pause(6 * SECOND);
      const all = await samples();
      beside.push(...all.filter(({ at }) => at >= one.from && at <= one.to));
      afterwards.push(...all.filter(({ at }) => at > one.to + 5 * SECOND));
    }
    print({ quiet, beside, afterwards, floods, grown: service.peakMemory() - memory });
  } finally {
    load.kill();
    await service.end();
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** So many browsers open the form, and then all of them send it at once, or a few. */
async function flood({ port }: MeasuredServer, count: number, few = count): Promise<Flood> {
  const browsers = Array.from({ length: count }, (_, at) => openBrowser(port, `198.51.${at >> 8}.${at & 255}`));
  const ready: [Browser, OpenForm][] = [];
  for (const browser of browsers) ready.push([browser, await openForm(browser)]);
  const requests = ready.slice(0, few).map(([browser, { action, csrf }], at) => {
    return browser.compose(action, { csrf, login: nameOf('person', at), password: PASSWORD });
  });
  const from = Date.now();
  const answers = await fireVolley(port, requests);
  const to = Date.now();
  for (const browser of browsers) browser.close();
  return { from, to, answers };
}

function print(measured: {
  quiet: readonly Sample[];
  beside: readonly Sample[];
  afterwards: readonly Sample[];
  floods: readonly Flood[];
  /** MiB */
  grown: number;
}): void {
  const answers = measured.floods.flatMap((one) => one.answers);
  const surplus = answers.filter(({ status }) => status === 503);
  const lasts = measured.floods.map((one) =>
    Math.max(0, ...one.answers.filter(({ status }) => status === 503).map(({ ms }) => ms)),
  );
  const others = answers.filter(({ status }) => status !== 503 && status !== 303);
  const served = answers.filter(({ status }) => status === 303);
  const failed = [...measured.beside, ...measured.afterwards].filter(({ ok }) => !ok);
  const row = (name: string, samples: readonly { ms: number }[], target?: number) => {
    const times = samples.map(({ ms }) => ms).toSorted((a, b) => a - b);
    const of = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
    const verdict = target === undefined ? '' : `p99 ≤ ${target}${of(0.99) <= target ? '' : ' missed'}`;
    const cells = [
      name,
      samples.length,
      of(0.5).toFixed(0),
      of(0.99).toFixed(0),
      (times.at(-1) ?? 0).toFixed(0),
      verdict,
    ];
    return `| ${cells.join(' | ')} |`;
  };
  const lines = [
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; ${values.floods} floods of ${signIns} sign-ins at once beside ${PER_SECOND} tokens a second`,
    '',
    '| answers | number | p50 ms | p99 ms | longest ms | target |',
    '| --- | --- | --- | --- | --- | --- |',
    row('tokens before', measured.quiet),
    row('tokens during the flood', measured.beside, 250),
    row('tokens from 5 s after it', measured.afterwards),
    row('sign-ins that succeeded', served),
    row('surplus sign-ins, 503', surplus, 100),
    '',
    `last surplus sign-in, flood by flood, ms: ${lasts.map((ms) => ms.toFixed(0)).join(' ')}`,
    `other answers to sign-ins: ${others.length}; tokens that failed: ${failed.length}; memory +${measured.grown.toFixed(0)} MiB (target: at most 150)`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
