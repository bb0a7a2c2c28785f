// `npm run demo`: starts the provider, the sample client and the logging back end, and says what to do with them.
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { VARIABLES } from '../src/config/variables.ts';
import { type Config, ConfigError, parseConfig } from '../src/config.ts';
import { prepareDevelopment } from '../src/development.ts';
import { isPortTaken, type Program, type Running, startProgram, untilReady } from './demo-processes.ts';
import { endedText, portTakenText, readyText, shownLine } from './demo-text.ts';

const root = join(import.meta.dirname, '..');
const ports = {
  client: Number(process.env.CLIENT_PORT ?? 5000),
  logging: Number(process.env.LOGGING_PORT ?? 5001),
};
const clientUrl = `http://localhost:${ports.client}`;
const loggingUrl = `http://localhost:${ports.logging}`;

process.exitCode = await runDemo();

async function runDemo(): Promise<number> {
  const stopped = untilSignal();
  const { env, created } = prepareDevelopment(
    { ...process.env, NODE_ENV: 'development' },
    { envFile: resolve('.env') },
  );
  const providerEnv = completeProviderEnv(env);
  const config = parseOrComplain(providerEnv);
  if (config === undefined) return 1;
  const programs = [loggingProgram(config), providerProgram(config, providerEnv), clientProgram(config, providerEnv)];
  if (await complainAboutPorts(programs)) return 1;

  process.stdout.write('\n  Starting the demo …\n');
  const running = programs.map((program) => startProgram(program, (line) => show(program.name, line)));
  const death = Promise.race(running.map((program) => program.ended.then(() => program)));
  const waiting = new AbortController();
  const ready = Promise.all(programs.map((program) => untilReady(program, waiting.signal))).then(
    () => 'ready' as const,
    (error: Error) => error,
  );
  const first = await Promise.race([stopped, death, ready]);
  waiting.abort();
  if (first === 'ready') {
    process.stdout.write(
      readyText({
        providerUrl: config.issuer,
        clientUrl,
        loggingUrl,
        username: config.demoAccount?.username ?? '',
        password: config.demoAccount?.password ?? '',
        audience: config.loggingBackendAud,
        firstRun: created,
        openTokens: config.allowUnauthenticatedTokens,
      }),
    );
  }
  return endAll(running, first === 'ready' ? await Promise.race([stopped, death]) : first);
}

/** Ends what still runs: the provider before the logging back end, which takes its last lines. Answers the exit code. */
async function endAll(running: readonly Running[], reason: 'stopped' | Running | Error): Promise<number> {
  if (reason === 'stopped') process.stdout.write('\n  Ending …\n');
  else if (reason instanceof Error) process.stderr.write(`\n  ${reason.message}\n`);
  else process.stderr.write(endedText(reason.name, reason.lastLines));
  for (const program of running.toReversed()) await program.end();
  return reason === 'stopped' ? 0 : 1;
}

/** Says what is wrong with `.env` or the environment, as the provider would. */
function parseOrComplain(env: Record<string, string>): Config | undefined {
  try {
    return parseConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

/** What the provider gets beyond `.env`, unless that says otherwise. */
function completeProviderEnv(env: Record<string, string | undefined>): Record<string, string> {
  const given = Object.fromEntries(VARIABLES.flatMap(({ name }) => (env[name] ? [[name, env[name]]] : [])));
  const callback = `${clientUrl}/callback`;
  const redirectUris = (given.BROWSER_UI_REDIRECT_URIS ?? callback).split(',');
  return {
    DEMO_USERNAME: 'demo',
    DEMO_PASSWORD: randomBytes(9).toString('base64url'),
    BROWSER_UI_CLIENT_SECRET: randomBytes(32).toString('base64url'),
    ALLOW_UNAUTHENTICATED_TOKENS: 'true',
    LOGGING_BACKEND_URL: loggingUrl,
    ...given,
    BROWSER_UI_REDIRECT_URIS: [...new Set([...redirectUris, callback])].join(','),
  };
}

function providerProgram({ port }: Config, env: Record<string, string>): Program {
  return { name: 'provider', file: join(root, 'app.js'), env, port, readyUrl: `http://localhost:${port}/ready` };
}

function loggingProgram(config: Config): Program {
  return {
    name: 'logging',
    file: join(root, 'examples/logging-backend/server.ts'),
    env: {
      NODE_ENV: 'development',
      PORT: String(ports.logging),
      JWT_SECRET_KEY: config.jwtSecrets.join(','),
      JWT_ISSUER: config.sharedSecretIssuer,
      ISSUER: config.issuer,
      LOGGING_BACKEND_AUD: config.loggingBackendAud,
      DATABASE_PATH: process.env.LOGGING_DATABASE_PATH ?? resolve('data/logs.db'),
    },
    port: ports.logging,
    readyUrl: `${loggingUrl}/ping`,
  };
}

function clientProgram(config: Config, { BROWSER_UI_CLIENT_SECRET = '' }: Record<string, string>): Program {
  return {
    name: 'client',
    file: join(root, 'examples/browser-client/server.ts'),
    env: {
      PORT: String(ports.client),
      ISSUER: config.issuer,
      CLIENT_ID: 'browser-ui',
      CLIENT_SECRET: BROWSER_UI_CLIENT_SECRET,
      BASE_URL: clientUrl,
      LOGGING_URL: loggingUrl,
      AUDIENCE: config.loggingBackendAud,
    },
    port: ports.client,
    readyUrl: clientUrl,
  };
}

async function complainAboutPorts(programs: readonly Program[]): Promise<boolean> {
  const words: Record<string, [purpose: string, variable: string]> = {
    provider: ['identity provider', 'PORT'],
    client: ['sample client', 'CLIENT_PORT'],
    logging: ['logging back end', 'LOGGING_PORT'],
  };
  let complained = false;
  for (const { name, port } of programs) {
    if (!(await isPortTaken(port))) continue;
    const [purpose, variable] = words[name] ?? [name, 'PORT'];
    process.stderr.write(portTakenText(port, purpose, variable));
    complained = true;
  }
  return complained;
}

function show(name: string, line: string): void {
  const shown = shownLine(name, line, process.env.DEMO_VERBOSE === '1');
  if (shown !== undefined) process.stdout.write(shown);
}

function untilSignal(): Promise<'stopped'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('stopped'));
  });
}
