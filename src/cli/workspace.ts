// Opens what a command works on: the configured store and the domain over it.
import { join, resolve } from 'node:path';
import { openStore } from '../../adapters/open-store.ts';
import { type AccountDirectory, createAccountDirectory } from '../accounts/directory.ts';
import { createGuesses, type Guesses } from '../accounts/guesses.ts';
import { createPasswordRules, type PasswordRules } from '../accounts/password-rules.ts';
import { createPasswordHasher } from '../accounts/passwords.ts';
import { accountPageClient } from '../clients/account-page.ts';
import { browserUiClient } from '../clients/browser-ui.ts';
import { type ClientRegistry, createClientRegistry } from '../clients/registration.ts';
import { type Config, parseConfig } from '../config.ts';
import { prepareDevelopment } from '../development.ts';
import { createSecretBox } from '../keys/secret-box.ts';
import { loggingResourceServer } from '../resource-servers/logging.ts';
import { createResourceServerRegistry, type ResourceServerRegistry } from '../resource-servers/registry.ts';
import type { Clock, Store } from '../store.ts';
import type { Terminal } from './terminal.ts';

/** The store, migrated, and the domain over it. Disposing it closes the store. */
export interface Workspace extends AsyncDisposable {
  readonly store: Store;
  readonly clock: Clock;
  readonly accounts: AccountDirectory;
  readonly guesses: Guesses;
  readonly passwordRules: PasswordRules;
  readonly clients: ClientRegistry;
  readonly resourceServers: ResourceServerRegistry;
}

/**
 * The configuration of the server that runs here: its environment, completed by `.env` in development.
 * @throws ConfigError
 */
export function loadConfig(terminal: Terminal): Config {
  const { env } = prepareDevelopment(terminal.env, { envFile: join(terminal.cwd, '.env') });
  return parseConfig(env);
}

/** @throws StoreRefused, StoreUnavailable */
export async function openConfiguredStore(config: Config, clock: Clock, cwd: string): Promise<Store> {
  const database =
    config.database.engine === 'sqlite'
      ? { ...config.database, path: resolve(cwd, config.database.path) }
      : config.database;
  const store = await openStore({ database, clock, box: createSecretBox(config.encryptionKeys) });
  try {
    await store.migrate();
    return store;
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** @throws ConfigError, StoreRefused, StoreUnavailable */
export async function openWorkspace(terminal: Terminal): Promise<Workspace> {
  const config = loadConfig(terminal);
  const clock = () => Math.floor(Date.now() / 1000);
  const store = await openConfiguredStore(config, clock, terminal.cwd);
  const audience = config.loggingBackendAud;
  const [encryptionKey] = config.encryptionKeys as [string];
  const guesses = createGuesses({ rateLimits: store.rateLimits, encryptionKey, clock });
  return {
    store,
    clock,
    accounts: createAccountDirectory({
      accounts: store.accounts,
      passwords: createPasswordHasher(),
      clock,
      forgive: guesses.forgive,
    }),
    guesses,
    passwordRules: createPasswordRules({ words: [config.installation.name, new URL(config.issuer).host] }),
    clients: createClientRegistry({
      clients: store.clients,
      builtIn: [
        accountPageClient(config.issuer, config.installation.name),
        ...(config.browserUi ? [browserUiClient(config.browserUi, audience)] : []),
      ],
      clock,
    }),
    resourceServers: createResourceServerRegistry({
      resourceServers: store.resourceServers,
      builtIn: [loggingResourceServer(audience)],
      clock,
    }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
