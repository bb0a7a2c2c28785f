// The process: environment → config → server → signals → end. The only file that touches `process`.
import type { EventEmitter } from 'node:events';
import module from 'node:module';
import { join, resolve } from 'node:path';
import type { DestinationStream, Logger } from 'pino';
import type { Config } from './config.ts';

// Beside the code and no easier to write to: whoever can write to the cache decides what runs.
module.enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'));

// Imported only now, so that they come from the cache, and nothing more: a refusal of the configuration is quick.
const { ConfigError, parseConfig } = await import('./config.ts');
const { prepareDevelopment } = await import('./development.ts');
const { UnsealFailed } = await import('./keys/secret-box.ts');
const { ListenRefused } = await import('./process/listener.ts');
const { StoreRefused, StoreUnavailable } = await import('./store.ts');

/** The argument of a worker: a process that shares the port with others, started by one that only looks after them. */
const WORKER = 'worker';

class NoWorker extends Error {
  override name = 'NoWorker';
}

/** What an operator can mend: the message says it all, a stack trace would only hide it. */
const EXPECTED = [ConfigError, StoreRefused, StoreUnavailable, UnsealFailed, ListenRefused, NoWorker];

/** When everything has to be over, whatever hangs. */
const END_MS = 9_500;

/** What this process does, once it does it. */
interface Running {
  readonly logger: Logger;
  /** False when something did not end well. */
  end(): Promise<boolean>;
  /** What must not outlive this process. */
  abandon?(): void;
}

// a closed standard error is no reason to die of what could not be said there
process.stderr.on('error', () => {});

try {
  await run();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

async function run(): Promise<void> {
  const isWorker = process.connected && process.argv[2] === WORKER;
  const passenger = findPassenger();
  const starting = start(isWorker, passenger !== undefined);
  const end = prepareEnd(starting);
  let signalled = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      // a worker is signalled by the terminal, or whoever ends the whole group, and by the primary process too
      if (!isWorker || !signalled) end(signal);
      signalled = true;
    });
  }
  passenger?.on('exit', () => end('Passenger'));
  const { logger } = await starting;
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, 'unexpected error');
      end(event, 1);
    });
  }
}

async function start(isWorker: boolean, byPassenger: boolean): Promise<Running> {
  const envFile = resolve('.env');
  const { env, written } = prepareDevelopment(process.env, { envFile });
  const config = parseConfig(env);
  const several = config.workers > 1 && !isWorker;
  const mayFork = several && !byPassenger && (await import('node:cluster')).default.isPrimary;
  const running = mayFork ? await startPrimary(config) : await startServing(config, isWorker, byPassenger);
  const { logger } = running;
  if (written.length > 0) logger.info({ envFile, written }, 'made what was missing in .env');
  if (several && !mayFork) logger.warn('WEB_CONCURRENCY has no effect: what started this process decides how many run');
  return running;
}

async function startServing(config: Config, prepared: boolean, byPassenger: boolean): Promise<Running> {
  const { startServer } = await import('./process/server.ts');
  const place = byPassenger ? 'passenger' : { host: config.host, port: config.port };
  const { logger, address, end } = await startServer({ config, place, destination: standardOutput(), prepared });
  logger.info({ issuer: config.issuer, mode: config.mode, listening: address }, 'started');
  return { logger, end: () => end().then(() => true) };
}

/** The process that serves nothing itself, so that hardly anything can end it: it looks after the workers. */
async function startPrimary(config: Config): Promise<Running> {
  const { prepareDatabase } = await import('./process/database.ts');
  const { createLogger } = await import('./logging/logger.ts');
  const { forkWorker, startWorkers } = await import('./process/workers.ts');
  const logger = createLogger({ level: config.logLevel, destination: standardOutput() });
  await prepareDatabase(config, logger);
  const fork = () => forkWorker(import.meta.filename, WORKER);
  const workers = await startWorkers({ count: config.workers, logger, fork });
  if (!workers) throw new NoWorker('No worker process could start.');
  return { logger, end: workers.end, abandon: workers.kill };
}

/**
 * Answers what ends the process, at first in good order, once it has started. Asked again, somebody is in a hurry, or
 * ending fails.
 */
function prepareEnd(starting: Promise<Running>): (reason: string, exitCode?: number) => void {
  let running: Running | undefined;
  let ending = false;
  const endNow = () => {
    running?.abandon?.();
    process.exit(1);
  };
  return async (reason, exitCode = 0) => {
    if (ending) return endNow();
    ending = true;
    setTimeout(endNow, END_MS).unref();
    running = await starting;
    running.logger.info({ reason }, 'ending');
    process.exit((await running.end()) ? exitCode : 1);
  };
}

/** Passenger's global: says `exit` when it is time to end, and exits itself when nobody listens. */
function findPassenger(): EventEmitter | undefined {
  return (globalThis as { PhusionPassenger?: EventEmitter }).PhusionPassenger;
}

/** Standard output, until its reader goes away (`node app.js | head`): the service goes on without it. */
function standardOutput(): DestinationStream {
  let open = true;
  process.stdout.on('error', () => {
    open = false;
  });
  return {
    write(line) {
      if (open) process.stdout.write(line);
    },
  };
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return EXPECTED.some((kind) => error instanceof kind) ? error.message : String(error.stack);
}
