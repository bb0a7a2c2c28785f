// A deployment: some processes of the real program over one database, with one set of secrets.
import assert from 'node:assert/strict';
import { openStore } from '../../../adapters/open-store.ts';
import { seedDemoAccount } from '../../../src/accounts/demo.ts';
import { createAccountDirectory } from '../../../src/accounts/directory.ts';
import { createPasswordHasher } from '../../../src/accounts/passwords.ts';
import { parseConfig } from '../../../src/config.ts';
import { createSecretBox } from '../../../src/keys/secret-box.ts';
import type { Store } from '../../../src/store.ts';
import { createFolder, type Env, type Running, startProcess, testEnvironment } from '../../support/process.ts';
import type { FaultDatabase, FaultEngine } from './databases.ts';
import { CLIENT_SECRET, LOGIN, PASSWORD, REDIRECT_URI } from './relying-agent.ts';
import { send } from './requests.ts';

export interface Deployment extends AsyncDisposable {
  readonly database: FaultDatabase;
  readonly env: Env;
  /** One process more. It is ended with the deployment at the latest. */
  start(options?: { preload?: string }): Promise<Server>;
}

export interface Server {
  readonly origin: string;
  readonly process: Running;
  /** from the start of the process until `/ready` was 200, in milliseconds */
  readonly readyMs: number;
}

const clock = () => Math.floor(Date.now() / 1000);

/** A fresh database with the account `alice` and the client `browser-ui`. */
export async function deploy(engine: FaultEngine, prepare?: (store: Store) => Promise<void>): Promise<Deployment> {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await engine.createDatabase());
  const folder = opening.use(createFolder());
  const env: Env = {
    ...(await testEnvironment()),
    PORT: '0', // several processes, each where there is room; the issuer stays one
    DATABASE_URL: database.url,
    BROWSER_UI_CLIENT_SECRET: CLIENT_SECRET,
    BROWSER_UI_REDIRECT_URIS: REDIRECT_URI,
    LOG_LEVEL: 'warn',
  };
  {
    const { encryptionKeys } = parseConfig(env);
    await using store = await openStore({ database: database.location, clock, box: createSecretBox(encryptionKeys) });
    await store.migrate();
    await store.recover();
    const accounts = createAccountDirectory({ accounts: store.accounts, passwords: createPasswordHasher(), clock });
    await seedDemoAccount(accounts, { username: LOGIN, password: PASSWORD });
    await prepare?.(store);
  }
  const opened = opening.move();
  return {
    database,
    env,
    async start(options = {}) {
      const startedAt = performance.now();
      const process = opened.use(startProcess({ folder, env: { ...env, LOG_LEVEL: 'info' }, ...options }));
      const origin = await process.origin();
      await becomeReady(origin);
      return { origin, process, readyMs: performance.now() - startedAt };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** A deployment whose processes are running. */
export interface Fleet extends AsyncDisposable {
  readonly deployment: Deployment;
  readonly servers: readonly Server[];
  readonly origins: readonly string[];
}

export async function startFleet(
  engine: FaultEngine,
  processes: number,
  prepare?: (store: Store) => Promise<void>,
): Promise<Fleet> {
  await using opening = new AsyncDisposableStack();
  const deployment = opening.use(await deploy(engine, prepare));
  const servers = await Promise.all(Array.from({ length: processes }, () => deployment.start()));
  const opened = opening.move();
  return {
    deployment,
    servers,
    origins: servers.map(({ origin }) => origin),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Resolves when `/ready` says 200; answers how long that took, in milliseconds. */
export async function becomeReady(origin: string, patienceMs = 20_000): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const status = await send(`${origin}/ready`).then(
      (answer) => answer.status,
      () => 0,
    );
    const ms = performance.now() - startedAt;
    if (status === 200) return ms;
    if (ms > patienceMs) throw new Error(`not ready after ${Math.round(ms)} ms: ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Nothing was logged as an error, apart from what the audit log has to tell, and nothing went to standard error. */
export function assertNoDefects({ log, stderr }: Running): void {
  const defects = log.filter(({ level, event }) => Number(level) >= 50 && event === undefined);
  assert.deepEqual(defects.slice(0, 3), []);
  assert.equal(stderr, '');
}
