// The configured database: opened, and made fit to be used before anybody uses it.
import { openStore } from '../../adapters/open-store.ts';
import { seedDemoAccount } from '../accounts/demo.ts';
import { createAccountDirectory } from '../accounts/directory.ts';
import { createPasswordHasher } from '../accounts/passwords.ts';
import type { Config } from '../config.ts';
import { createSecretBox } from '../keys/secret-box.ts';
import { openKeyring } from '../keys/signing-keys.ts';
import type { Logger } from '../logging/logger.ts';
import type { Clock, Store } from '../store.ts';

const ROLLED_BACK =
  'the database was put back from a copy, or moved without its .generation file: every session, code and token in it was removed';

/** The time of this machine. */
export const clock: Clock = () => Math.floor(Date.now() / 1000);

/** @throws StoreRefused, StoreUnavailable */
export function openDatabase({ database, encryptionKeys }: Config): Promise<Store> {
  return openStore({ database, clock, box: createSecretBox(encryptionKeys) });
}

/**
 * What has to be done before the first request: the schema, what a rollback left behind, the demo account.
 * @throws StoreRefused, StoreUnavailable
 */
export async function prepareStore(store: Store, { demoAccount }: Config, logger: Logger): Promise<void> {
  await store.migrate();
  if ((await store.recover()) === 'rolled-back') logger.warn(ROLLED_BACK);
  if (!demoAccount) return;
  const accounts = createAccountDirectory({ accounts: store.accounts, passwords: createPasswordHasher(), clock });
  await seedDemoAccount(accounts, demoAccount);
}

/**
 * Does the same, and makes the first signing keys, for processes that start later; leaves nothing open.
 * @throws StoreRefused, StoreUnavailable, UnsealFailed
 */
export async function prepareDatabase(config: Config, logger: Logger): Promise<void> {
  await using store = await openDatabase(config);
  await prepareStore(store, config, logger);
  await openKeyring({ keys: store.keys, clock });
}
