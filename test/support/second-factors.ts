// Second factors in stories: an authenticator app, and accounts that have one.
import assert from 'node:assert/strict';
import { TOTP } from 'otpauth';
import { createSecondFactorDirectory, type SecondFactorDirectory } from '../../src/accounts/second-factors.ts';
import { newTotpSecret } from '../../src/accounts/totp.ts';
import type { Clock } from '../../src/store.ts';
import type { Service } from './service.ts';
import { withMovingTime } from './time.ts';
import type { Page, UserAgent } from './user-agent.ts';

const PERIOD = 30;

/** What an authenticator app that knows the secret shows, so many steps from now. */
export function codeOf(secret: string, steps = 0): string {
  return new TOTP({ secret }).generate({ timestamp: Date.now() + steps * PERIOD * 1000 });
}

/** Moves the clock to the beginning of a time step, so that no other one begins during the story. */
export function withinOneStep<T>(story: () => Promise<T>): Promise<T> {
  return withMovingTime((pass) => {
    pass(PERIOD + 1 - ((Date.now() / 1000) % PERIOD));
    return story();
  });
}

/** The second factors of a service's store, on the clock of this process. */
export function secondFactorsOf(
  { store }: Pick<Service, 'store'>,
  clock: Clock = () => Math.floor(Date.now() / 1000),
): SecondFactorDirectory {
  const { secondFactors, passkeys, artifacts } = store;
  return createSecondFactorDirectory({ secondFactors, passkeys, artifacts, clock });
}

/** Gives the account an authenticator app of which no code has been used, and recovery codes. */
export async function giveApp(
  service: Pick<Service, 'store' | 'accounts'>,
  username: string,
): Promise<{ secret: string; recoveryCodes: string[] }> {
  const account = await service.accounts.findByUsername(username);
  assert.ok(account);
  const secret = newTotpSecret();
  await service.store.secondFactors.saveTotp({ accountId: account.id, secret, createdAt: 1, lastStep: 0 });
  return { secret, recoveryCodes: await secondFactorsOf(service).replaceRecoveryCodes(account.id) };
}

/** Types a code where the page asks for one. */
export function typeCode(agent: UserAgent, page: Page, code: string): Promise<Page> {
  assert.ok(page.document.querySelector('#code'), `expected a page that asks for a code, got ${page.url} ${page.text}`);
  return agent.submit(page, { code }, 'verify');
}

/** The key that the page of an enrolment shows for typing. */
export function keyOn({ document, url }: Page): string {
  const key = document.querySelector('.secret')?.text.replaceAll(/\s/g, '');
  assert.ok(key, `expected the page of an enrolment, got ${url}`);
  return key;
}
