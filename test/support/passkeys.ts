// Passkeys of accounts of a running service, and the way of a browser with one through its pages.
import assert from 'node:assert/strict';
import { createPasskeyChallenges } from '../../src/accounts/passkey-challenges.ts';
import { createPasskeyCeremonies } from '../../src/accounts/passkeys.ts';
import type { Account } from '../../src/store.ts';
import { type Claims, createSoftPasskey, type SoftPasskey } from './authenticator.ts';
import type { Service } from './service.ts';
import type { Page, UserAgent } from './user-agent.ts';

/** A new passkey of the account, enrolled. @param claims what its authenticator says in every ceremony */
export async function enrolPasskey(
  service: Service,
  account: Account,
  claims: Partial<Claims> = {},
): Promise<SoftPasskey> {
  const clock = () => Math.floor(Date.now() / 1000);
  const ceremonies = createPasskeyCeremonies({
    passkeys: service.store.passkeys,
    accounts: service.accounts,
    challenges: createPasskeyChallenges({ secrets: ['a secret'], artifacts: service.store.artifacts, clock }),
    issuer: service.issuer,
    name: 'a test',
    clock,
  });
  const passkey = createSoftPasskey(new URL(service.issuer).origin, claims);
  const answer = passkey.create(await ceremonies.enrolmentOptions(account, 'test'));
  const enrolled = await ceremonies.enrol(account, 'test', answer, '');
  assert.ok(!('refused' in enrolled), JSON.stringify(enrolled));
  return passkey;
}

/** The options that a page gives to WebAuthn. */
export function passkeyOptions({ document, text }: Page): Parameters<SoftPasskey['get']>[0] {
  const options = document.querySelector('form[data-passkey]')?.getAttribute('data-passkey');
  assert.ok(options, `there is no passkey form on this page:\n${text}`);
  return JSON.parse(options);
}

/** What the script does when the button is pressed that makes a passkey, and its owner consents. */
export function makePasskey(
  agent: UserAgent,
  page: Page,
  passkey: SoftPasskey,
  claims?: Partial<Claims>,
): Promise<Page> {
  const options = passkeyOptions(page) as unknown as Parameters<SoftPasskey['create']>[0];
  return agent.submit(page, { passkey: passkey.create(options, claims) }, 'use-passkey');
}

/** What the script does when the button is pressed and the owner of the passkey consents. */
export function usePasskey(
  agent: UserAgent,
  page: Page,
  passkey: SoftPasskey,
  claims?: Partial<Claims>,
): Promise<Page> {
  return agent.submit(page, { passkey: passkey.get(passkeyOptions(page), claims) }, 'use-passkey');
}
