// Starts the real service for a test: the whole app on a free port, with a SQLite file of its own.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../adapters/open-store.ts';
import { seedDemoAccount } from '../../src/accounts/demo.ts';
import { createAccountDirectory } from '../../src/accounts/directory.ts';
import { createPasswordHasher } from '../../src/accounts/passwords.ts';
import type { AppOptions } from '../../src/app/domain.ts';
import { type App, createApp } from '../../src/app.ts';
import { createClientRegistry, type NewClient } from '../../src/clients/registration.ts';
import { type Config, parseConfig } from '../../src/config.ts';
import { answerMalformedRequests } from '../../src/http/malformed-requests.ts';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import { createLogger } from '../../src/logging/logger.ts';
import { createResourceServerRegistry } from '../../src/resource-servers/registry.ts';
import type { Store } from '../../src/store.ts';

/** A random secret that the configuration accepts. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

export interface Service extends AsyncDisposable {
  /** where it listens: `http://127.0.0.1:PORT`, without the issuer's path */
  readonly origin: string;
  readonly issuer: string;
  readonly config: Config;
  readonly app: App;
  readonly store: Store;
  /** everything that was logged, one JSON line each */
  readonly log: string[];
  readonly accounts: ReturnType<typeof createAccountDirectory>;
  readonly resourceServers: ReturnType<typeof createResourceServerRegistry>;
  /** Registers a client; its secret is empty when it has none. */
  addClient(client: NewClient): Promise<{ clientId: string; secret: string }>;
}

/**
 * Without arguments: a service in test mode whose issuer is where it listens, an account `alice` with the password
 * `correct horse battery` and all standard claims, and the client `browser-ui`.
 * @param env environment variables on top of those
 * @param fetch makes the provider's own requests, which otherwise never reach a loopback address
 * @param hostname of the issuer; passkeys need a name, such as `localhost`
 */
export async function startService(
  env: Record<string, string | undefined> = {},
  {
    clock = () => Math.floor(Date.now() / 1000),
    fetch,
    hostname = '127.0.0.1',
  }: Partial<Pick<AppOptions, 'clock' | 'fetch'>> & { hostname?: string } = {},
): Promise<Service> {
  await using opening = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'identity-test-'));
  opening.defer(() => rmSync(folder, { recursive: true, force: true }));
  const server = createServer({ requireHostHeader: false });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opening.defer(() => close(server));
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const config = parseConfig({
    NODE_ENV: 'test',
    PUBLIC_URL: `http://${hostname}:${port}`,
    COOKIE_SECRET: newSecret(),
    JWT_SECRET_KEY: newSecret(),
    ENCRYPTION_KEY: newSecret(),
    DATABASE_URL: `sqlite:${join(folder, 'identity.db')}`,
    BROWSER_UI_CLIENT_SECRET: 'a-browser-ui-secret-for-tests',
    BROWSER_UI_REDIRECT_URIS: 'http://127.0.0.1:5000/callback',
    LOG_LEVEL: 'debug',
    ...env,
  });
  const log: string[] = [];
  const logger = createLogger({ level: config.logLevel, destination: { write: (line) => void log.push(line) } });
  const store = await openStore({ database: config.database, clock, box: createSecretBox(config.encryptionKeys) });
  opening.use(store);
  await store.migrate();
  const app = await createApp({ config, store, logger, clock, ...(fetch && { fetch }) });
  opening.defer(() => app.end());
  opening.defer(() => close(server)); // requests end before what they need; closing twice does no harm
  answerMalformedRequests(server, logger);
  server.on('request', app.handle);

  const accounts = createAccountDirectory({ accounts: store.accounts, passwords: createPasswordHasher(), clock });
  await seedDemoAccount(accounts, { username: 'alice', password: 'correct horse battery' });
  const clients = createClientRegistry({ clients: store.clients, builtIn: [], clock });
  const opened = opening.move();
  return {
    origin,
    issuer: config.issuer,
    config,
    app,
    store,
    log,
    accounts,
    resourceServers: createResourceServerRegistry({ resourceServers: store.resourceServers, builtIn: [], clock }),
    async addClient(client) {
      const { secret = '' } = await clients.add(client);
      return { clientId: client.clientId, secret };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
