// The passkeys of the account page: adding one, renaming it, removing it, and what is refused.
import assert from 'node:assert/strict';
import type { Account } from '../../src/store.ts';
import { openAccountPage } from '../support/account-page.ts';
import { createSoftPasskey, type SoftPasskey } from '../support/authenticator.ts';
import { enrolPasskey, makePasskey, passkeyOptions, usePasskey } from '../support/passkeys.ts';
import { giveApp, secondFactorsOf } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const PASSWORD = 'seven quiet lanterns drift';

describe('The passkeys of the account page', () => {
  let service: Service;
  let added = 0;

  before(async () => {
    service = await startService({}, { hostname: 'localhost' });
  });
  after(() => service?.[Symbol.asyncDispose]());

  /** A new account, with its browser on the page of its passkeys. */
  async function arrive(): Promise<{ account: Account; agent: UserAgent; page: Page }> {
    added += 1;
    const account = await service.accounts.add({ username: `person-${added}`, password: PASSWORD });
    const agent = createUserAgent(service.issuer);
    const known = { login: account.username, password: PASSWORD };
    return { account, agent, page: await openAccountPage(service, agent, '/passkeys', known) };
  }

  const follow = (agent: UserAgent, page: Page, id: string) =>
    agent.open(new URL(String(page.document.querySelector(`#${id}`)?.getAttribute('href')), page.url).href);

  const alertOf = ({ document }: Page) => document.querySelector('[role=alert] p')?.textContent;
  const listOf = (account: Account) => service.store.passkeys.listOf(account.id);
  const events = (name: string) =>
    service.log.map((line) => JSON.parse(line)).filter(({ event }: { event: string }) => event === name);

  it('begin with none, and the first one comes with recovery codes', async () => {
    const { account, agent, page } = await arrive();
    assert.equal(page.url, `${service.issuer}/account/passkeys`, page.text);
    assert.match(page.text, /You have no passkey yet/);
    const adding = await follow(agent, page, 'add');
    assert.equal(
      adding.document.querySelector('#asks-more')?.text,
      'From then on, your password alone is not enough to sign in: a passkey or a recovery code is needed too.',
    );
    assert.match(String(adding.response.headers.get('content-security-policy')), /script-src http:\/\/localhost/);
    const passkey = createSoftPasskey(service.issuer, { aaguid: 'd548826e-79b4-db40-a3d8-11116f7e8349' });
    const codes = await makePasskey(agent, adding, passkey);
    assert.equal(codes.url, `${service.issuer}/account/recovery-codes`, codes.text);
    assert.equal(codes.document.querySelectorAll('.codes li').length, 10);
    assert.match(codes.text, /If you lose your phone or passkey, each of these lets you in once\./);
    assert.deepEqual(
      (await listOf(account)).map(({ id, name }) => [id, name]),
      [[passkey.id, 'Bitwarden']],
    );
    assert.equal(events('passkeyAdded').at(-1).accountId, account.id);
    const again = await agent.open(page.url);
    assert.match(again.text, /Bitwarden/);
    assert.match(again.text, /Not used yet/);
  });

  it('take a second one without new recovery codes, and leave out those that are there', async () => {
    const { account, agent, page } = await arrive();
    await makePasskey(agent, await follow(agent, page, 'add'), createSoftPasskey(service.issuer));
    const adding = await follow(agent, page, 'add');
    assert.equal((passkeyOptions(adding) as { excludeCredentials?: unknown[] }).excludeCredentials?.length, 1);
    // the password has not been enough since the first one
    assert.equal(adding.document.querySelector('#asks-more'), null);
    const list = await makePasskey(agent, adding, createSoftPasskey(service.issuer));
    assert.equal(list.url, `${service.issuer}/account/passkeys`);
    assert.match(
      String(list.document.querySelector('[role=status]')?.textContent),
      /You can sign in with this passkey/,
    );
    assert.equal((await listOf(account)).length, 2);
  });

  it('say what is wrong with an answer, and can be tried again', async () => {
    const { account, agent, page } = await arrive();
    const adding = await follow(agent, page, 'add');
    const foreign = createSoftPasskey('https://evil.example');
    const refused = await makePasskey(agent, adding, foreign);
    assert.equal(refused.response.status, 400);
    assert.match(String(alertOf(refused)), /This passkey could not be added/);
    assert.deepEqual(
      [events('passkeyRefused').at(-1).reason, events('passkeyRefused').at(-1).accountId],
      ['response', account.id],
    );
    await makePasskey(agent, refused, createSoftPasskey(service.issuer));
    assert.equal((await listOf(account)).length, 1);
  });

  it('can have another name', async () => {
    const { account, agent, page } = await arrive();
    await enrolPasskey(service, account);
    const one = await follow(agent, await agent.open(page.url), 'change-1');
    for (const name of ['', '   ', 'a'.repeat(65), 'two\u2028lines']) {
      const refused = await agent.submit(one, { name }, 'rename');
      assert.equal(refused.response.status, 400, name);
      assert.match(String(alertOf(refused)), /Choose a name/);
    }
    const list = await agent.submit(one, { name: ' My <b>blue</b> key ' }, 'rename');
    assert.match(list.text, /My &lt;b&gt;blue&lt;\/b&gt; key/);
    assert.deepEqual(
      (await listOf(account)).map(({ name }) => name),
      ['My <b>blue</b> key'],
    );
  });

  it('go with the password where the last one goes, and the recovery codes with it', async () => {
    const { account, agent, page } = await arrive();
    await makePasskey(agent, await follow(agent, page, 'add'), createSoftPasskey(service.issuer));
    const one = await follow(agent, await agent.open(page.url), 'change-1');
    const refused = await agent.submit(one, { password: 'not the password at all' }, 'remove');
    assert.equal(refused.response.status, 400);
    assert.equal(alertOf(refused), 'That is not your password. Try again.');
    assert.equal((await listOf(account)).length, 1);
    const list = await agent.submit(refused, { password: PASSWORD }, 'remove');
    assert.match(String(list.document.querySelector('[role=status]')?.textContent), /does not sign you in any more/);
    assert.deepEqual(await listOf(account), []);
    assert.equal(await service.store.secondFactors.countRecoveryCodes(account.id), 0);
    assert.equal(events('passkeyRemoved').at(-1).accountId, account.id);
  });

  it('keep the last one of an account that needs a second step', async () => {
    const { account, agent, page } = await arrive();
    const { id } = await enrolPasskey(service, account);
    await service.store.accounts.update({ ...account, requiresMfa: true }, [account.username]);
    const one = await follow(agent, await agent.open(page.url), 'change-1');
    assert.equal(one.document.querySelector('#remove'), null);
    assert.match(one.text, /Your account needs a second step/);
    const csrf = String(one.document.querySelector('[name=csrf]')?.getAttribute('value'));
    const body = new URLSearchParams({ csrf, password: PASSWORD });
    const refused = await agent.open(`${service.issuer}/account/passkeys/${id}/remove`, { method: 'POST', body });
    assert.equal(refused.response.status, 400);
    assert.equal((await listOf(account)).length, 1);
  });

  it('keep the last one of an account without password, which it signed in with', async () => {
    const account = await service.accounts.add({ username: 'without-password' });
    const passkey = await enrolPasskey(service, account);
    const agent = createUserAgent(service.issuer);
    const form = await agent.open(`${service.issuer}/account/passkeys`);
    const list = await usePasskey(agent, form, passkey);
    assert.equal(list.url, `${service.issuer}/account/passkeys`, list.text);
    const one = await follow(agent, list, 'change-1');
    assert.equal(one.document.querySelector('#remove'), null);
    assert.match(one.text, /You have no password, so the last passkey cannot be removed/);
  });

  describe('of which two are removed at once', () => {
    /** Signs in with a passkey, and presses two buttons that remove something on two pages. */
    async function removeBoth(account: Account, passkey: SoftPasskey, pages: [path: string, button: string][]) {
      const agent = createUserAgent(service.issuer);
      await usePasskey(agent, await agent.open(`${service.issuer}/account`), passkey);
      const opened = await Promise.all(pages.map(([path]) => agent.open(`${service.issuer}/account${path}`)));
      const answers = await Promise.all(opened.map((page, index) => agent.submit(page, {}, pages[index]?.[1])));
      assert.ok(answers.every(({ response }) => response.status < 500));
      return secondFactorsOf(service).factorsOf(account.id);
    }

    it('never leave an account bare that needs a second step, nor without the password', async () => {
      for (const isRequired of [true, false]) {
        const { account } = await arrive();
        const passkey = await enrolPasskey(service, account);
        await giveApp(service, account.username);
        if (isRequired) await service.accounts.requireMfa(account.id, true);
        const left = await removeBoth(account, passkey, [
          ['/authenticator', 'remove'],
          [`/passkeys/${passkey.id}`, 'remove'],
        ]);
        assert.ok(left.totp || left.passkeys === 1, JSON.stringify(left));
        assert.equal(left.recoveryCodes, 10);
      }
    });

    it('never leave an account that nobody could sign in to', async () => {
      for (let round = 0; round < 5; round += 1) {
        added += 1;
        const account = await service.accounts.add({ username: `person-${added}` });
        const [one, other] = [await enrolPasskey(service, account), await enrolPasskey(service, account)];
        const left = await removeBoth(account, one, [
          [`/passkeys/${one.id}`, 'remove'],
          [`/passkeys/${other.id}`, 'remove'],
        ]);
        assert.ok(left.passkeys > 0);
      }
    });
  });

  it('are those of nobody else', async () => {
    const { account } = await arrive();
    const { id } = await enrolPasskey(service, account);
    const other = await arrive();
    const csrf = String(
      (await follow(other.agent, other.page, 'add')).document.querySelector('[name=csrf]')?.getAttribute('value'),
    );
    const body = new URLSearchParams({ csrf, name: 'mine now', password: PASSWORD });
    for (const path of ['', '/remove']) {
      const url = `${service.issuer}/account/passkeys/${id}${path}`;
      assert.equal((await other.agent.open(url, { method: 'POST', body })).url, other.page.url);
    }
    for (const unknown of [id, 'AAAA', '%00', '%F0%9F%94%91', "'--", 'constructor']) {
      const url = `${service.issuer}/account/passkeys/${unknown}`;
      assert.equal((await other.agent.open(url)).url, other.page.url, unknown);
    }
    assert.deepEqual(
      (await listOf(account)).map(({ name }) => name),
      [''],
    );
  });

  it('change only for somebody who has signed in a short time ago', () =>
    withMovingTime(async (pass) => {
      const { account, agent, page } = await arrive();
      await enrolPasskey(service, account);
      const one = await follow(agent, await agent.open(page.url), 'change-1');
      const adding = await follow(agent, page, 'add');
      pass(11 * 60);
      const answer = createSoftPasskey(service.issuer).create(passkeyOptions(adding) as never);
      for (const signIn of [
        await agent.submit(adding, { passkey: answer }, 'use-passkey'),
        await agent.submit(one, { password: PASSWORD }, 'remove'),
        await follow(agent, page, 'add'),
      ]) {
        assert.ok(signIn.document.querySelector('#password'), signIn.url);
      }
      assert.equal((await listOf(account)).length, 1);
    }));
});
