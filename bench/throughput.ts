// Measures this service beside the bare library in one run, and prints the table of docs/performance.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resourceIdentifier } from '../src/resource-servers/identifiers.ts';
import {
  createEnvironment,
  formGrant,
  introspection,
  jsonGrant,
  register,
  tokensFrom,
  verification,
} from './throughput/installation.ts';
import type { Latencies, Shot } from './throughput/load.ts';
import {
  type MeasuredServer,
  startBareProvider,
  startEmptyServer,
  startLoad,
  startService,
} from './throughput/processes.ts';

const CONNECTIONS = 8;

/** More tokens than the service remembers: each is as good as new to it when its turn comes again. */
const FORGOTTEN_TOKENS = 1_200;

/** The bare library's request, by whose CPU time all others are measured. */
const BASELINE = 'oidc-provider: form grant, ES256';

interface Scenario {
  readonly name: string;
  readonly server: MeasuredServer;
  readonly shot: Shot;
  /** most CPU time per request, by the baseline's in the same round */
  readonly target?: number;
}

interface Measurement extends Latencies {
  /** per request, in microseconds */
  readonly cpu: number;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    requests: { type: 'string', default: '1500' },
    only: { type: 'string' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'identity-bench-'));
try {
  const env = createEnvironment(folder);
  const secret = await register(env);
  const load = startLoad();
  const bare = await startBareProvider(secret);
  const empty = await startEmptyServer();
  const service = await startService(env);
  const servers = [bare, empty, service];
  try {
    const scenarios = await createScenarios({ bare, empty, service }, secret);
    const measurements = await measure(scenarios, load);
    print(scenarios, measurements);
  } finally {
    load.end();
    await Promise.all(servers.map((server) => server.end()));
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function createScenarios(
  { bare, empty, service }: Record<'bare' | 'empty' | 'service', MeasuredServer>,
  secret: string,
): Promise<Scenario[]> {
  const { port } = service;
  const tokens = {
    es256: await tokensFrom(jsonGrant(port, secret, 'bench-es256'), FORGOTTEN_TOKENS),
    hs256: await tokensFrom(jsonGrant(port, secret, 'bench-hs256'), FORGOTTEN_TOKENS),
  };
  const [es256 = '', hs256 = ''] = [tokens.es256[0], tokens.hs256[0]];
  const baseline = { name: BASELINE, server: bare, shot: formGrant(bare.port, secret, 'urn:audience:bench-es256') };
  const shot = { ...jsonGrant(empty.port, secret, 'bench-es256'), expected: 'answer' };
  const floor = { name: 'node:http: a constant answer', server: empty, shot };
  const resource = resourceIdentifier('bench-es256');
  const ours: Omit<Scenario, 'server'>[] = [
    { name: 'form grant, ES256', shot: formGrant(port, secret, resource), target: 1.15 },
    // a parameter that nobody knows is ignored, but not by what answers without the library
    { name: 'form grant, ES256, by the library', shot: formGrant(port, secret, resource, { unknown: 'x' }) },
    { name: 'JSON grant, ES256', shot: jsonGrant(port, secret, 'bench-es256'), target: 0.6 },
    { name: 'JSON grant, HS256', shot: jsonGrant(port, secret, 'bench-hs256') },
    { name: '/verify, ES256', shot: verification(port, [es256], 'bench-es256'), target: 0.6 },
    { name: '/verify, HS256', shot: verification(port, [hs256], 'bench-hs256'), target: 0.3 },
    { name: '/verify, ES256, a token it does not know', shot: verification(port, tokens.es256, 'bench-es256') },
    { name: '/verify, HS256, a token it does not know', shot: verification(port, tokens.hs256, 'bench-hs256') },
    { name: '/introspect of a JWT, ES256', shot: introspection(port, secret, es256), target: 0.6 },
  ];
  const wanted = ours.filter(({ name }) => values.only === undefined || name.includes(values.only));
  return [baseline, floor, ...wanted.map((scenario) => ({ ...scenario, server: service }))];
}

/** Everything in turn, round by round: what the machine does beside it meets all of them alike. The first is not counted. */
async function measure(
  scenarios: readonly Scenario[],
  load: ReturnType<typeof startLoad>,
): Promise<Map<string, Measurement[]>> {
  const measurements = new Map<string, Measurement[]>(scenarios.map(({ name }) => [name, []]));
  const count = Number(values.requests);
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const { name, server, shot } of scenarios) {
      const before = server.cpuSeconds();
      const latencies = await load.fire({ shot, count, connections: CONNECTIONS });
      const cpu = ((server.cpuSeconds() - before) / count) * 1e6;
      if (round > 0) measurements.get(name)?.push({ ...latencies, cpu });
    }
  }
  return measurements;
}

function print(scenarios: readonly Scenario[], measurements: ReadonlyMap<string, Measurement[]>): void {
  const baseline = measurements.get(BASELINE) ?? [];
  const rows = scenarios.map(({ name, server, target }) => {
    const rounds = measurements.get(name) ?? [];
    const middle = (member: keyof Measurement) => median(rounds.map((one) => one[member]));
    const ratio = median(rounds.map(({ cpu }, round) => cpu / (baseline[round]?.cpu ?? Number.NaN)));
    return [
      name,
      middle('cpu').toFixed(0),
      ratio.toFixed(2),
      target === undefined ? '' : `${target.toFixed(2)}${ratio <= target ? '' : ' missed'}`,
      middle('requestsPerSecond').toFixed(0),
      middle('p50').toFixed(1),
      middle('p99').toFixed(1),
      server.peakMemory().toFixed(0),
    ];
  });
  const head = ['request', 'CPU µs', 'ratio', 'target', 'req/s', 'p50 ms', 'p99 ms', 'peak MiB'];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
  const rounds = `${values.rounds} rounds of ${values.requests} requests over ${CONNECTIONS} connections; medians`;
  process.stdout.write(`${machine}; ${rounds}\n\n${lines.join('\n')}\n`);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? Number.NaN)) / 2 : upper;
}
