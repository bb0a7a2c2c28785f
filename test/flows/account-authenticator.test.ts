// Stories of the authenticator app on the account page: set up, replaced, removed, and its recovery codes.
import assert from 'node:assert/strict';
import { openAccountPage } from '../support/account-page.ts';
import { PASSWORD } from '../support/relying-party.ts';
import { codeOf, giveApp, keyOn, secondFactorsOf, typeCode, withinOneStep } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const SHORT = 'x9-Kumquat';

describe('The authenticator app on the account page', () => {
  let service: Service;
  let people = 0;
  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());

  const pageAt = (agent: UserAgent, path: string) => agent.open(`${service.origin}/account${path}`);

  /** Somebody at their page; with an app, the code of now has been used. */
  async function begin({ app = false, password = PASSWORD } = {}) {
    people += 1;
    const { username, id } = await service.accounts.add({ username: `person-${people}`, password });
    const { secret } = app ? await giveApp(service, username) : { secret: '' };
    const agent = createUserAgent(service.origin);
    const second = await openAccountPage(service, agent, '/authenticator', { login: username, password });
    const page = app ? await typeCode(agent, second, codeOf(secret)) : second;
    assert.equal(page.response.status, 200, page.text);
    assert.equal(page.url, `${service.origin}/account/authenticator`);
    return { agent, page, username, id, secret };
  }

  const factorsOf = (id: string) => secondFactorsOf(service).factorsOf(id);
  const codesOn = (page: Page) => page.document.querySelectorAll('#recovery-codes code').map(({ text }) => text);
  const notice = (page: Page) => page.document.querySelector('#notice')?.text;
  const alert = (page: Page) => page.document.querySelector('[role=alert]')?.text;

  it('is set up with a code of it, shows recovery codes once, and is asked for from then on', async () => {
    const { agent, page, id, username } = await begin();
    assert.equal(page.document.querySelector('#remove'), null);
    const setUp = await pageAt(agent, '/authenticator/set-up');
    const secret = keyOn(setUp);
    assert.equal(keyOn(await pageAt(agent, '/authenticator/set-up')), secret);
    const codes = await agent.submit(setUp, { code: codeOf(secret) }, 'enrol');
    assert.equal(new Set(codesOn(codes)).size, 10);
    const done = await agent.submit(codes, { kept: 'yes' }, 'go-on');
    assert.equal(notice(done), 'Your recovery codes are ready.');
    assert.deepEqual(await factorsOf(id), { totp: true, recoveryCodes: 10, passkeys: 0 });
    assert.deepEqual(codesOn(await pageAt(agent, '/recovery-codes')), [], 'they are not shown again');

    const other = createUserAgent(service.origin);
    const second = await other.submit(await pageAt(other, ''), { login: username, password: PASSWORD });
    assert.match(second.url, /\/second-factor/);
    const [log] = service.log.filter((line) => line.includes('secondFactorEnrolled') && line.includes(id));
    assert.ok(log);
  });

  it('is asked for in other browsers too, which were at the account page before', async () => {
    const { agent, username } = await begin();
    const other = createUserAgent(service.origin);
    const there = await other.submit(await pageAt(other, '/authenticator'), { login: username, password: PASSWORD });
    assert.equal(there.url, `${service.origin}/account/authenticator`);
    const setUp = await pageAt(agent, '/authenticator/set-up');
    await agent.submit(setUp, { code: codeOf(keyOn(setUp)) }, 'enrol');
    assert.match((await pageAt(other, '/authenticator')).url, /\/second-factor/);
    assert.equal((await pageAt(agent, '/authenticator')).url, `${service.origin}/account/authenticator`);
  });

  it('is not set up by a wrong code', async () => {
    const { agent, id } = await begin();
    const setUp = await pageAt(agent, '/authenticator/set-up');
    const refused = await agent.submit(setUp, { code: '000000' }, 'enrol');
    assert.equal(refused.response.status, 400);
    assert.match(alert(refused) ?? '', /not the code that the app shows/);
    assert.equal((await factorsOf(id)).totp, false);
  });

  it('is replaced by another one, whose codes alone are good then', async () => {
    const { agent, id, secret } = await begin({ app: true });
    const setUp = await pageAt(agent, '/authenticator/set-up');
    await agent.submit(setUp, { code: codeOf(keyOn(setUp)) }, 'enrol');
    assert.notEqual((await service.store.secondFactors.findTotp(id))?.secret, secret);
    const factors = secondFactorsOf(service);
    assert.equal(await factors.useTotpCode(id, codeOf(secret, 1)), 'wrong');
    assert.equal(await factors.useTotpCode(id, codeOf(keyOn(setUp), 1)), 'accepted');
  });

  it('is good in every browser when it is new, whatever was guessed at the one before', () =>
    withinOneStep(async () => {
      const { agent, username } = await begin({ app: true });
      const browser = async () => {
        const other = createUserAgent(service.origin);
        const login = await other.open(`${service.origin}/account/authenticator`);
        return { other, page: await other.submit(login, { login: username, password: PASSWORD }) };
      };
      const { other: thief, page } = await browser();
      let last = page;
      for (let attempt = 0; attempt < 8; attempt += 1) last = await typeCode(thief, last, '000000');
      const setUp = await pageAt(agent, '/authenticator/set-up');
      await agent.submit(setUp, { code: codeOf(keyOn(setUp)) }, 'enrol');
      const { other, page: second } = await browser();
      const done = await typeCode(other, second, codeOf(keyOn(setUp), 1));
      assert.equal(done.url, `${service.origin}/account/authenticator`);
    }));

  it('gets new recovery codes, and the old ones are void', async () => {
    const { agent, page, id } = await begin({ app: true });
    const [old = ''] = await secondFactorsOf(service).replaceRecoveryCodes(id);
    const codes = await agent.submit(page, {}, 'renew');
    const [fresh = ''] = codesOn(codes);
    assert.equal(await secondFactorsOf(service).useRecoveryCode(id, old), 'wrong');
    assert.equal(await secondFactorsOf(service).useRecoveryCode(id, fresh), 'accepted');
    const done = await agent.submit(codes, { kept: 'yes' }, 'go-on');
    assert.match(done.text, /You have 9 left/);
  });

  it('is removed with the password, and the recovery codes with it', async () => {
    const { agent, page, id } = await begin({ app: true });
    const refused = await agent.submit(page, { password: 'wrong' }, 'remove');
    assert.equal(refused.response.status, 400);
    assert.equal(alert(refused), 'That is not your password. Try again.');
    const done = await agent.submit(refused, { password: PASSWORD }, 'remove');
    assert.match(notice(done) ?? '', /not asked for any more/);
    assert.deepEqual(await factorsOf(id), { totp: false, recoveryCodes: 0, passkeys: 0 });
  });

  it('stays while the password is too weak to stand alone (SP 800-63B-4 §3.1.1.2)', async () => {
    const { agent, page, id } = await begin({ app: true, password: SHORT });
    const refused = await agent.submit(page, { password: SHORT }, 'remove');
    assert.equal(refused.response.status, 400);
    assert.match(alert(refused) ?? '', /too short or too easy to guess/);
    assert.equal((await factorsOf(id)).totp, true);
  });

  it('stays where the account must have it', async () => {
    const { agent, page, id } = await begin({ app: true });
    await service.accounts.requireMfa(id, true);
    assert.equal((await pageAt(agent, '/authenticator')).document.querySelector('#remove'), null);
    const refused = await agent.submit(page, { password: PASSWORD }, 'remove');
    assert.equal(refused.response.status, 400);
    assert.equal((await factorsOf(id)).totp, true);
  });

  for (const [what, press] of [
    ['set up', (agent: UserAgent) => pageAt(agent, '/authenticator/set-up')],
    ['removed', (agent: UserAgent, page: Page) => agent.submit(page, { password: PASSWORD }, 'remove')],
    ['given new recovery codes', (agent: UserAgent, page: Page) => agent.submit(page, {}, 'renew')],
  ] as [string, (agent: UserAgent, page: Page) => Promise<Page>][]) {
    it(`is not ${what} by somebody who signed in a while ago: they sign in again`, async () => {
      await withMovingTime(async (pass) => {
        const { agent, page, id } = await begin({ app: true });
        pass(11 * 60);
        const login = await press(agent, page);
        assert.ok(login.document.querySelector('#password') && login.document.querySelector('#login'), login.url);
        assert.deepEqual(await factorsOf(id), { totp: true, recoveryCodes: 10, passkeys: 0 });
      });
    });
  }

  it('takes no form without its token (security requirement R36)', async () => {
    const { agent, page, id } = await begin({ app: true });
    const refused = await agent.submit(page, { csrf: '', password: PASSWORD }, 'remove');
    assert.equal(refused.response.status, 403);
    assert.equal((await factorsOf(id)).totp, true);
  });
});
