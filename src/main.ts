// The process: environment → config → store → app → listen → drain. The only file that touches `process`.
import { createServer, type Server } from 'node:http';
import module from 'node:module';
import { join } from 'node:path';

module.enableCompileCache?.();
// imported only now, so that it comes from the compile cache
const { openStore } = await import('../adapters/open-store.ts');
const { createAccountDirectory } = await import('./accounts/directory.ts');
const { seedDemoAccount } = await import('./accounts/demo.ts');
const { createPasswordHasher } = await import('./accounts/passwords.ts');
const { createApp } = await import('./app.ts');
const { ConfigError, parseConfig } = await import('./config.ts');
const { prepareDevelopment } = await import('./development.ts');
const { createSecretBox } = await import('./keys/secret-box.ts');
const { createLogDelivery } = await import('./logging/delivery.ts');
const { createLogger } = await import('./logging/logger.ts');
const { StoreRefused } = await import('./store.ts');
const { startSweeper } = await import('./sweeper.ts');

/** How long requests in flight and queued log lines may take once the process is told to end. */
const DRAIN_MS = 8_000;
const LOG_DRAIN_MS = 2_000;

try {
  await serve();
} catch (error) {
  const expected = error instanceof ConfigError || error instanceof StoreRefused;
  process.stderr.write(`${expected ? error.message : error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
}

async function serve(): Promise<void> {
  const root = join(import.meta.dirname, '..');
  const config = parseConfig(prepareDevelopment(process.env, { envFile: join(root, '.env') }).env);
  const clock = () => Math.floor(Date.now() / 1000);

  let forward: Parameters<typeof createLogger>[0]['forward'];
  const localLogger = createLogger({ level: config.logLevel, destination: process.stdout });
  const logger = createLogger({
    level: config.logLevel,
    destination: process.stdout,
    forward: (entry) => forward?.(entry),
  });

  const store = await openStore({ database: config.database, clock, box: createSecretBox(config.encryptionKeys) });
  await store.migrate();
  if (config.demoAccount) {
    const accounts = createAccountDirectory({ accounts: store.accounts, passwords: createPasswordHasher(), clock });
    await seedDemoAccount(accounts, config.demoAccount);
  }
  const app = await createApp({ config, store, logger, clock });

  const delivery = config.loggingBackendUrl
    ? createLogDelivery({
        url: config.loggingBackendUrl,
        service: config.identitySub,
        token: async () => (await app.logServiceToken()).token,
        clock,
        logger: localLogger,
      })
    : undefined;
  forward = delivery?.push;

  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 15_000, connectionsCheckingInterval: 5_000 },
    app.koa.callback(),
  );
  await listen(server, config);
  const sweeper = startSweeper({ store, logger });
  logger.info({ issuer: config.issuer, mode: config.mode, listening: addressOf(server) }, 'started');

  let ending = false;
  const end = async (reason: string, exitCode: number): Promise<void> => {
    // asked twice: somebody is in a hurry
    if (ending) process.exit(exitCode || 1);
    ending = true;
    app.startDraining();
    logger.info({ reason }, 'ending');
    await closed(server);
    sweeper[Symbol.dispose]();
    await delivery?.drain(LOG_DRAIN_MS);
    delivery?.stop();
    await store[Symbol.asyncDispose]();
    process.exit(exitCode);
  };
  process.on('SIGTERM', () => void end('SIGTERM', 0));
  process.on('SIGINT', () => void end('SIGINT', 0));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      logger.fatal({ err: error }, 'unexpected error');
      void end(event, 1);
    });
  }
}

/** Phusion Passenger says where by a global; otherwise host and port do. */
function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const listening = () => resolve();
    if ('PhusionPassenger' in globalThis) server.listen('passenger', listening);
    else server.listen({ host, port }, listening);
  });
}

function addressOf(server: Server): string {
  const address = server.address();
  return address === null || typeof address === 'string' ? String(address) : `${address.address}:${address.port}`;
}

/** Answers what is in flight, takes nothing new, and cuts what is still open after a while. */
async function closed(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}
