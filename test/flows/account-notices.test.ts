// Letters that nobody asked for: how the owner of an account learns what was changed about the ways into it.
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Account, StandardClaims } from '../../src/store.ts';
import { openAccountPage } from '../support/account-page.ts';
import { createSoftPasskey } from '../support/authenticator.ts';
import { type Mailbox, openMailbox } from '../support/mailbox.ts';
import { makePasskey } from '../support/passkeys.ts';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  type RelyingParty,
  signIn,
} from '../support/relying-party.ts';
import { codeOf, keyOn } from '../support/second-factors.ts';
import type { Service } from '../support/service.ts';
import { startUpstreamSetting, type UpstreamSetting } from '../support/upstream-setting.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

interface Person {
  account: Account;
  agent: UserAgent;
  /** Opens a page below `/account`, through the sign-in page when it is shown. */
  open(path: string): Promise<Page>;
}

describe('a letter about a change of how somebody signs in', () => {
  let mailbox: Mailbox;
  let setting: UpstreamSetting;
  let service: Service;
  let strict: RelyingParty;
  let people = 0;

  before(async () => {
    mailbox = await openMailbox();
    setting = await startUpstreamSetting({
      SMTP_URL: mailbox.url,
      MAIL_FROM: 'accounts@example.com',
      INSTALLATION_NAME: 'Example Accounts',
      UPSTREAM_LINK_BY_EMAIL: 'oidc',
    });
    service = setting.here;
    strict = await addRelyingParty(service, { require_mfa: true });
    await setting.there.accounts.add({ username: 'elsewhere', password: PASSWORD });
  });
  after(async () => {
    await setting?.[Symbol.asyncDispose]();
    await mailbox?.[Symbol.asyncDispose]();
  });

  async function addPerson(claims: StandardClaims = {}): Promise<Person> {
    people += 1;
    const username = `person-${people}`;
    const known = { email: `${username}@example.org`, email_verified: true, ...claims };
    const account = await service.accounts.add({ username, password: PASSWORD, claims: known });
    const agent = createUserAgent(service.issuer);
    return { account, agent, open: (path) => openAccountPage(service, agent, path, { login: username }) };
  }

  async function addPasskey({ agent, open }: Person): Promise<void> {
    await makePasskey(agent, await open('/passkeys/add'), createSoftPasskey(service.issuer));
  }

  async function removePasskey({ account, agent, open }: Person): Promise<void> {
    const [passkey] = await service.store.passkeys.listOf(account.id);
    await agent.submit(await open(`/passkeys/${passkey?.id}`), { password: PASSWORD }, 'remove');
  }

  async function addApp({ agent, open }: Person): Promise<void> {
    const page = await open('/authenticator/set-up');
    await agent.submit(page, { code: codeOf(keyOn(page)) }, 'enrol');
  }

  async function removeApp({ agent, open }: Person): Promise<void> {
    await agent.submit(await open('/authenticator'), { password: PASSWORD }, 'remove');
  }

  async function connect({ agent, open }: Person): Promise<void> {
    await comeBack(agent, await open('/identities'), 'connect-oidc', 'elsewhere');
  }

  async function disconnect({ agent, open }: Person): Promise<void> {
    await agent.submit(await open('/identities'), {}, 'disconnect-1');
  }

  /** Presses the button that leads elsewhere, signs in there, and comes back. */
  async function comeBack(agent: UserAgent, page: Page, button: string, login: string): Promise<Page> {
    const sent = await agent.submit(page, {}, button);
    const there = createUserAgent(setting.there.origin);
    const back = await signIn(there, new URL(String(sent.response.headers.get('location'))), login);
    return agent.open(String(back.response.headers.get('location')));
  }

  const CHANGES: [string, (person: Person) => Promise<void>, (person: Person) => Promise<void>, [string, RegExp][]][] =
    [
      [
        'a passkey',
        addPasskey,
        removePasskey,
        [
          [
            'A passkey was added to your account for Example Accounts',
            /a passkey was added .* signs in to your account/,
          ],
          ['A passkey was removed from your account for Example Accounts', /a passkey was removed .* not sign you in/],
        ],
      ],
      [
        'an authenticator app',
        addApp,
        removeApp,
        [
          ['Your account for Example Accounts has a new authenticator app', /an authenticator app was set up for/],
          [
            'The authenticator app of your account for Example Accounts was removed',
            /the authenticator app of .* removed/,
          ],
        ],
      ],
      [
        'an account elsewhere',
        connect,
        disconnect,
        [
          [
            'An account elsewhere was connected to your account for Example Accounts',
            /an account at Elsewhere was conn/,
          ],
          ['An account elsewhere was disconnected from your account for Example Accounts', /at Elsewhere was disconn/],
        ],
      ],
    ];
  for (const [what, add, remove, letters] of CHANGES) {
    it(`goes to the owner when ${what} is added, and when it is removed`, async () => {
      const person = await addPerson();
      await person.open('');
      for (const [index, change] of [add, remove].entries()) {
        await change(person);
        const letter = await mailbox.next();
        const [subject, sentence] = letters[index] as [string, RegExp];
        assert.deepEqual([letter.to, letter.subject], [[person.account.claims.email], subject]);
        assert.match(letter.text, sentence);
        assert.ok(letter.text.includes(`your account ${person.account.username}`), letter.text);
        // where it can be undone, and the signature
        assert.deepEqual(letter.links, [`${service.issuer}/account`, service.issuer]);
      }
    });
  }

  it('is sent too when a second factor is enrolled within a sign-in', async () => {
    const enrolments: [RegExp, (agent: UserAgent, page: Page) => Promise<Page>][] = [
      [/authenticator app/, (agent, page) => agent.submit(page, { code: codeOf(keyOn(page)) }, 'enrol')],
      [/passkey/, (agent, page) => makePasskey(agent, page, createSoftPasskey(service.issuer))],
    ];
    for (const [subject, enrol] of enrolments) {
      const { account, agent } = await addPerson();
      await enrol(agent, await signIn(agent, (await authorizationRequest(strict)).url, account.username));
      const letter = await mailbox.next();
      assert.deepEqual(letter.to, [account.claims.email]);
      assert.match(letter.subject, subject);
    }
  });

  it('is sent too when a verified address links an account elsewhere, and not when that one signs in again', async () => {
    const { account, agent } = await addPerson();
    const claims = { email: String(account.claims.email), email_verified: true };
    await setting.there.accounts.add({ username: 'same-address', password: PASSWORD, claims });
    const party = await addRelyingParty(service);
    for (const browser of [agent, createUserAgent(service.issuer)]) {
      const page = await browser.open((await authorizationRequest(party)).url.href);
      callbackOf(await comeBack(browser, page, 'upstream-oidc', 'same-address'));
    }
    const letter = await mailbox.next();
    assert.deepEqual(letter.to, [account.claims.email]);
    assert.match(letter.subject, /connected/);
    assert.equal(mailbox.letters.filter(({ to }) => to[0] === account.claims.email).length, 1);
  });

  it('speaks the language of the account', async () => {
    await addApp(await addPerson({ locale: 'de-AT' }));
    const letter = await mailbox.next();
    assert.equal(letter.subject, 'Ihr Konto für Example Accounts hat eine neue Authenticator-App');
    assert.match(letter.text, /^Guten Tag,/);
  });

  it('says nothing that whoever made the change has typed', async () => {
    const person = await addPerson();
    await addPasskey(person);
    await mailbox.next();
    const [passkey] = await service.store.passkeys.listOf(person.account.id);
    const page = await person.open(`/passkeys/${passkey?.id}`);
    await person.agent.submit(page, { name: 'Call 555 0100 now' }, 'rename');
    await removePasskey(person);
    const letter = await mailbox.next();
    assert.match(letter.subject, /removed/);
    assert.doesNotMatch(letter.text, /555/);
  });

  it('goes to no address that is not verified', async () => {
    const [stranger, person] = [await addPerson({ email_verified: false }), await addPerson()];
    await addApp(stranger);
    await addApp(person);
    assert.deepEqual((await mailbox.next()).to, [person.account.claims.email]);
  });

  it('is sent ten times an hour for a change that is made over and over', async () => {
    const person = await addPerson();
    await addPasskey(person);
    for (let times = 0; times < 11; times += 1) {
      await addPasskey(person);
      await removePasskey(person);
    }
    await addApp(person);
    const subjects: string[] = [];
    while (!subjects.at(-1)?.includes('authenticator app')) subjects.push((await mailbox.next()).subject);
    const countOf = (word: string) => subjects.filter((subject) => subject.includes(`passkey was ${word}`)).length;
    assert.deepEqual([countOf('added'), countOf('removed')], [10, 10]);
  });

  it('that the mail server refuses is logged, and the change is made', async () => {
    const person = await addPerson();
    mailbox.refuse(550, 1);
    const failures = () => service.log.filter((line) => line.includes('a letter could not be sent')).length;
    await addPasskey(person);
    assert.equal((await service.store.passkeys.listOf(person.account.id)).length, 1);
    while (failures() === 0) await nextTurn();
    await removePasskey(person);
    assert.match((await mailbox.next()).subject, /removed/);
    assert.equal(failures(), 1);
  });
});
