// Runs every fault story at full length and prints one table: `npm run bench:faults`, or with `-- 0.05` a twentieth of it.
import { endRepeatedly } from '../test/faults/endings.ts';
import { killRepeatedly } from '../test/faults/kills.ts';
import { type OutageResult, sufferOutage } from '../test/faults/outages.ts';
import {
  createSigningClient,
  type RaceResult,
  raceLogout,
  raceRedemptions,
  raceReplays,
  raceRevocation,
} from '../test/faults/races.ts';
import { type FaultEngine, postgres, sqlite } from '../test/faults/support/databases.ts';
import { type Fleet, startFleet } from '../test/faults/support/deployment.ts';
import { foreignLock, fullDisk, hasPrlimit, postgresRestart } from '../test/faults/support/outage-kinds.ts';
import { sweepUnderLoad } from '../test/faults/sweeps.ts';
import { measureBackup } from './backup.ts';

const share = Number(process.argv[2] ?? 1);
const times = (full: number) => Math.max(1, Math.round(full * share));

/** One line of the table. */
type Line = [story: string, figure: string, value: string];

/** Each is a part of the table; they run one after the other, so that none disturbs another. */
const parts: readonly (() => Promise<Line[]>)[] = [
  () => races(sqlite, 1),
  () => races(sqlite, 2),
  () => races(postgres, 3),
  () => kills(sqlite, times(200)),
  () => kills(postgres, times(50)),
  outagesOfSqlite,
  outagesOfPostgres,
  endings,
  sweeps,
  backups,
];

const lines: Line[] = [];
for (const part of parts) {
  const added = await part();
  lines.push(...added);
  for (const line of added) process.stderr.write(`${line.join(' · ')}\n`);
}
process.stdout.write(`\n| story | figure | value |\n|---|---|---|\n`);
for (const line of lines) process.stdout.write(`| ${line.join(' | ')} |\n`);
process.exit(0);

async function races(engine: FaultEngine, processes: number): Promise<Line[]> {
  const signer = await createSigningClient();
  await using fleet: Fleet = await startFleet(engine, processes, signer.register);
  const story = `races, ${engine.name}, ${processes} process${processes > 1 ? 'es' : ''}`;
  const codes = await raceRedemptions(fleet, 'code', times(200));
  const refreshTokens = await raceRedemptions(fleet, 'refresh token', times(200));
  const assertions = await raceReplays(fleet, signer, 'client assertion', times(50));
  const proofs = await raceReplays(fleet, signer, 'DPoP proof', times(50));
  await raceRevocation(fleet, times(100));
  await raceLogout(fleet, times(100));
  return [
    raceLine(story, 'redemptions of codes', codes),
    raceLine(story, 'redemptions of refresh tokens', refreshTokens),
    raceLine(story, 'replays of client assertions', assertions),
    raceLine(story, 'replays of DPoP proofs', proofs),
    [story, 'refresh beside revocation, and beside logout', `${times(100)} rounds each, 0 tokens alive afterwards`],
  ];
}

function raceLine(story: string, figure: string, { requests, doubles, withoutWinner }: RaceResult): Line {
  return [story, figure, `${requests}, ${doubles} double, ${withoutWinner} rounds without a winner`];
}

async function kills(engine: FaultEngine, count: number): Promise<Line[]> {
  const { acknowledged, violations, unknown, firstReadyMs, readyMs } = await killRepeatedly(engine, count);
  const story = `SIGKILL under load, ${engine.name}`;
  const asked = unknown.done + unknown.notDone;
  return [
    [story, 'kills; requests acknowledged; lost or usable twice', `${count}; ${acknowledged}; ${violations.length}`],
    [story, 'requests without an answer; of them done; half done', `${asked}; ${unknown.done}; 0`],
    [
      story,
      'from start to ready: without a kill; median; slowest',
      `${inMs(firstReadyMs)}; ${inMs(median(readyMs))}; ${inMs(Math.max(...readyMs))}`,
    ],
  ];
}

async function outagesOfSqlite(): Promise<Line[]> {
  const signer = await createSigningClient();
  await using fleet = await startFleet(sqlite, 1, signer.register);
  const lines = outageLines(
    'foreign lock for 10 s, SQLite',
    await sufferOutage(fleet, signer, foreignLock(fleet, 10_000)),
  );
  if (!(await hasPrlimit())) return lines;
  return [
    ...lines,
    ...outageLines('full disk for 10 s, SQLite', await sufferOutage(fleet, signer, fullDisk(fleet, 10_000))),
  ];
}

async function outagesOfPostgres(): Promise<Line[]> {
  const signer = await createSigningClient();
  await using fleet = await startFleet(postgres, 1, signer.register);
  const all: OutageResult[] = [];
  for (let n = 0; n < times(20); n += 1) all.push(await sufferOutage(fleet, signer, postgresRestart()));
  const sum = (of: (one: OutageResult) => number) => all.reduce((total, one) => total + of(one), 0);
  const story = `restart -m immediate under load, ${all.length} times, Postgres`;
  return [
    [
      story,
      'writes refused with 503; unanswered; answered otherwise',
      `${sum(({ refused }) => refused)}; ${sum(({ unanswered }) => unanswered)}; ${sum(({ violations }) => violations.length)}`,
    ],
    [story, 'slowest recovery', inMs(Math.max(...all.map(({ recoveryMs }) => recoveryMs)))],
  ];
}

function outageLines(story: string, result: OutageResult): Line[] {
  const { refused, unanswered, violations, slowestPingMs, slowestWriteMs, recoveryMs } = result;
  return [
    [story, 'writes refused with 503; unanswered; wrong answers', `${refused}; ${unanswered}; ${violations.length}`],
    [story, 'slowest /ping; slowest write; recovery', [slowestPingMs, slowestWriteMs, recoveryMs].map(inMs).join('; ')],
  ];
}

async function endings(): Promise<Line[]> {
  const { requests, endings: count, dropped, badExits, slowestEndMs } = await endRepeatedly(sqlite, times(10_000));
  const story = 'SIGTERM under load';
  return [
    [story, 'requests dropped', `${dropped.length} of ${requests}, in ${count} endings`],
    [story, 'exit codes other than 0; slowest ending', `${badExits.length}; ${inMs(slowestEndMs)}`],
  ];
}

async function sweeps(): Promise<Line[]> {
  const { rows, without, during, sweepMs } = await sweepUnderLoad(times(1_000_000));
  const story = `sweep of ${rows} expired rows, SQLite`;
  return [
    [story, 'p99 of /token without; meanwhile', `${inMs(without.p99Ms)}; ${inMs(during.p99Ms)}`],
    [story, 'pause of the event loop without; meanwhile', `${inMs(without.pauseMs)}; ${inMs(during.pauseMs)}`],
    [story, 'the longest of them', `${inMs(without.worstPauseMs)}; ${inMs(during.worstPauseMs)}`],
    [story, 'took', `${Math.round(sweepMs / 1_000)} s, ${Math.round((rows / sweepMs) * 1_000)} rows a second`],
  ];
}

async function backups(): Promise<Line[]> {
  const figures = await measureBackup({ megabytes: times(100) });
  const story = `backup of ${Math.round(figures.databaseBytes / 1e6)} MB under load, SQLite`;
  return [
    [story, 'backup; restore', `${inMs(figures.backupMs)}; ${inMs(figures.restoreMs)}`],
    [
      story,
      'writes meanwhile; the slowest; without a backup',
      `${figures.writesDuringBackup}; ${inMs(figures.slowestWriteMs)}; ${inMs(figures.slowestWriteAloneMs)}`,
    ],
  ];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function inMs(ms: number): string {
  return `${Math.round(ms)} ms`;
}
