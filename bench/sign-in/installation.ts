// An installation with people: accounts that share one password, and a client that they sign in to.
import { randomUUID } from 'node:crypto';
import { openStore } from '../../adapters/open-store.ts';
import { createGuesses } from '../../src/accounts/guesses.ts';
import { createPasswordHasher } from '../../src/accounts/passwords.ts';
import { createClientRegistry } from '../../src/clients/registration.ts';
import { parseConfig } from '../../src/config.ts';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import { register } from '../throughput/installation.ts';
import { CLIENT_ID, REDIRECT_URI } from './flow.ts';

export const PASSWORD = 'a password of this bench';

export interface People {
  /** secret of the client that people sign in to */
  webSecret: string;
  /** secret of the service account `bench` */
  serviceSecret: string;
}

/** Every account is called by its kind and a number: `wrong-007`. */
export const nameOf = (kind: string, number: number) => `${kind}-${String(number).padStart(3, '0')}`;

/**
 * @param counts how many accounts of each kind; those of the kind `blocked` are disabled, those of the kind `waiting`
 *   have failed so often that they are kept waiting for an hour
 */
export async function settle(env: Record<string, string>, counts: Record<string, number>): Promise<People> {
  const serviceSecret = await register(env);
  const config = parseConfig(env);
  const now = Math.floor(Date.now() / 1000);
  const clock = () => now;
  await using store = await openStore({ ...config, clock, box: createSecretBox(config.encryptionKeys) });
  const passwordHash = await createPasswordHasher().hash(PASSWORD);
  for (const [kind, count] of Object.entries(counts)) {
    for (let number = 0; number < count; number++) {
      const username = nameOf(kind, number);
      const disabled = kind === 'blocked' && { disabledAt: now };
      const account = { id: randomUUID(), username, passwordHash, claims: {}, createdAt: now, ...disabled };
      await store.accounts.insert(account, [username]);
      if (kind === 'waiting') await keepWaiting(account.id, `203.0.${number % 256}`);
    }
  }
  const { secret: webSecret = '' } = await createClientRegistry({ clients: store.clients, builtIn: [], clock }).add({
    clientId: CLIENT_ID,
    // no refresh tokens, since the bare library does not give any for the scope `openid` either
    metadata: { redirect_uris: [REDIRECT_URI], grant_types: ['authorization_code'], first_party: true },
  });
  return { webSecret, serviceSecret };

  /** @param network that nobody else fails in */
  async function keepWaiting(accountId: string, network: string): Promise<void> {
    const failures = 20;
    const [encryptionKey = ''] = config.encryptionKeys;
    for (let failure = 1; failure <= failures; failure++) {
      const then = now - (failures - failure) * 60 * 60;
      const guesses = createGuesses({ rateLimits: store.rateLimits, encryptionKey, clock: () => then });
      const guess = { secret: 'password', whose: { accountId }, address: `${network}.${failure}` } as const;
      await guesses.attempt(guess, async () => undefined);
    }
  }
}
