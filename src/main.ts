// The process: environment → config → server → signals → end. The only file that touches `process`.
import type { EventEmitter } from 'node:events';
import module from 'node:module';
import { join, resolve } from 'node:path';
import type { DestinationStream } from 'pino';

// Beside the code and no easier to write to: whoever can write to the cache decides what runs.
module.enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'));

// Imported only now, so that they come from the cache, and nothing more: a refusal of the configuration is quick.
const { ConfigError, parseConfig } = await import('./config.ts');
const { prepareDevelopment } = await import('./development.ts');
const { UnsealFailed } = await import('./keys/secret-box.ts');
const { ListenRefused } = await import('./listener.ts');
const { StoreRefused, StoreUnavailable } = await import('./store.ts');

/** What an operator can mend: the message says it all, a stack trace would only hide it. */
const EXPECTED = [ConfigError, StoreRefused, StoreUnavailable, UnsealFailed, ListenRefused];

/** When everything has to be over, whatever hangs. */
const END_MS = 9_500;

// a closed standard error is no reason to die of what could not be said there
process.stderr.on('error', () => {});

try {
  await serve();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

async function serve(): Promise<void> {
  const envFile = resolve('.env');
  const { env, written } = prepareDevelopment(process.env, { envFile });
  const config = parseConfig(env);
  const { startServer } = await import('./server.ts');
  const passenger = findPassenger();
  const place = passenger ? 'passenger' : { host: config.host, port: config.port };
  const server = await startServer({ config, place, destination: standardOutput() });
  const { logger, address } = server;
  if (written.length > 0) logger.info({ envFile, written }, 'made what was missing in .env');
  if (config.workers > 1) logger.warn('WEB_CONCURRENCY is more than 1, but this version runs one process only');

  let ending = false;
  const end = async (reason: string, exitCode: number): Promise<void> => {
    // asked twice: somebody is in a hurry, or ending fails
    if (ending) process.exit(1);
    ending = true;
    setTimeout(() => process.exit(1), END_MS).unref();
    logger.info({ reason }, 'ending');
    await server.end();
    process.exit(exitCode);
  };
  process.on('SIGTERM', () => void end('SIGTERM', 0));
  process.on('SIGINT', () => void end('SIGINT', 0));
  passenger?.on('exit', () => void end('Passenger', 0));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, 'unexpected error');
      void end(event, 1);
    });
  }
  logger.info({ issuer: config.issuer, mode: config.mode, listening: address }, 'started');
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
