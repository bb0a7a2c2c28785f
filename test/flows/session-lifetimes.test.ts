// Stories of how long a session lives: idle, absolute, remembered, and with the browser.
import assert from 'node:assert/strict';
import type { Cookie } from 'tough-cookie';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  type RelyingParty,
  silentError,
} from '../support/relying-party.ts';
import { startRestartingService } from '../support/restarting-service.ts';
import { codeOf, giveApp, typeCode } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('The lifetime of a session', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service);
  });
  after(() => service[Symbol.asyncDispose]());

  /** Signs in by the form, with the box ticked or as it is. */
  async function signIn(
    options: { remember?: boolean; agent?: UserAgent; at?: Service; as?: RelyingParty; prompt?: string } = {},
  ): Promise<UserAgent> {
    const { at = service, as = party, agent = createUserAgent(at.origin), prompt = '' } = options;
    const form = await agent.open((await authorizationRequest(as, { prompt })).url.href);
    const box = form.document.querySelector('[name=remember]');
    const ticked = options.remember ?? box?.hasAttribute('checked') === true;
    box?.remove();
    callbackOf(await agent.submit(form, { login: 'alice', password: PASSWORD, ...(ticked && { remember: 'yes' }) }));
    return agent;
  }

  async function sessionCookie(agent: UserAgent): Promise<Cookie> {
    const cookie = await agent.cookie('session');
    assert.ok(cookie);
    return cookie;
  }

  it('ends with the browser and after 12 hours without use, unless it is remembered', async () => {
    await withMovingTime(async (pass) => {
      const agent = await signIn();
      assert.equal((await sessionCookie(agent)).expires, 'Infinity');
      for (let use = 0; use < 3; use += 1) {
        pass(12 * HOUR - MINUTE);
        assert.equal(await silentError(party, agent), undefined);
      }
      assert.equal((await sessionCookie(agent)).expires, 'Infinity');
      pass(12 * HOUR + MINUTE);
      assert.equal(await silentError(party, agent), 'login_required');
    });
  });

  it('is 30 days when it is remembered, used or not, and the cookie says so', async () => {
    await withMovingTime(async (pass) => {
      const agent = await signIn({ remember: true });
      const { expires } = await sessionCookie(agent);
      assert.ok(Math.abs(Number(expires) / 1000 - (Date.now() / 1000 + 30 * DAY)) < MINUTE, String(expires));
      pass(30 * DAY - MINUTE);
      assert.equal(await silentError(party, agent), undefined);
      const kept = await agent.cookies.getCookies(service.origin);
      pass(2 * MINUTE);
      assert.equal(await silentError(party, agent), 'login_required');
      // a browser that does not drop the cookie gets nothing for it
      const keeping = createUserAgent(service.origin);
      for (const { key, value } of kept) await keeping.cookies.setCookie(`${key}=${value}; Path=/`, service.origin);
      assert.equal((await sessionCookie(keeping)).value, kept.find(({ key }) => key === 'session')?.value);
      assert.equal(await silentError(party, keeping), 'login_required');
    });
  });

  it('begins anew with every sign-in', async () => {
    await withMovingTime(async (pass) => {
      const agent = await signIn({ remember: true });
      pass(29 * DAY);
      await signIn({ agent, prompt: 'login' });
      pass(29 * DAY);
      assert.equal(await silentError(party, agent), undefined);
    });
  });

  it('stays remembered when somebody signs in again, unless they say otherwise', async () => {
    const agent = await signIn({ remember: true });
    await signIn({ agent, prompt: 'login' });
    assert.notEqual((await sessionCookie(agent)).expires, 'Infinity');
    await signIn({ agent, prompt: 'login', remember: false });
    assert.equal((await sessionCookie(agent)).expires, 'Infinity');
    await signIn({ agent, prompt: 'login', remember: true });
    assert.notEqual((await sessionCookie(agent)).expires, 'Infinity');
  });

  for (const remember of [true, false]) {
    it(`is ${remember ? '' : 'not '}remembered through a second factor, as the box was`, async () => {
      const username = `with-app-${remember}`;
      await service.accounts.add({ username, password: PASSWORD });
      const { secret } = await giveApp(service, username);
      const agent = createUserAgent(service.origin);
      const form = await agent.open((await authorizationRequest(party)).url.href);
      const ticked = remember ? 'yes' : 'no';
      const second = await agent.submit(form, { login: username, password: PASSWORD, remember: ticked });
      callbackOf(await typeCode(agent, second, codeOf(secret)));
      assert.equal((await sessionCookie(agent)).expires === 'Infinity', !remember);
    });
  }

  it('keeps the box ticked when the password was wrong', async () => {
    const agent = createUserAgent(service.origin);
    const form = await agent.open((await authorizationRequest(party)).url.href);
    assert.equal(form.document.querySelector('[name=remember]')?.hasAttribute('checked'), false);
    const again = await agent.submit(form, { login: 'alice', password: 'not the password', remember: 'yes' });
    assert.equal(again.document.querySelector('[name=remember]')?.hasAttribute('checked'), true);
  });

  it('does not go on for longer than SESSION_DAYS, however much it is used', async () => {
    await using short = await startService({ SESSION_DAYS: '1' });
    const as = await addRelyingParty(short);
    await withMovingTime(async (pass) => {
      const agent = await signIn({ at: short, as });
      for (let use = 0; use < 3; use += 1) {
        pass(8 * HOUR - MINUTE);
        assert.equal(await silentError(as, agent), undefined, `use ${use}`);
      }
      pass(5 * MINUTE);
      assert.equal(await silentError(as, agent), 'login_required');
    });
  });

  it('is over after SESSION_DAYS also for those that began when it was longer', async () => {
    await using restarting = await startRestartingService({ SESSION_DAYS: '30' });
    const as = await addRelyingParty(restarting.current());
    await withMovingTime(async (pass) => {
      const agent = await signIn({ agent: createUserAgent(restarting.issuer), as, remember: true });
      pass(2 * DAY);
      assert.equal(await silentError(as, agent), undefined);
      await restarting.restart({ SESSION_DAYS: '1' });
      assert.equal(await silentError(as, agent), 'login_required');
    });
  });

  it('is what SESSION_IDLE_MINUTES and SESSION_DAYS say', async () => {
    await using short = await startService({ SESSION_IDLE_MINUTES: '5', SESSION_DAYS: '1' });
    const as = await addRelyingParty(short);
    await withMovingTime(async (pass) => {
      const idle = await signIn({ at: short, as });
      const remembered = await signIn({ at: short, as, remember: true });
      pass(6 * MINUTE);
      assert.equal(await silentError(as, idle), 'login_required');
      assert.equal(await silentError(as, remembered), undefined);
      pass(DAY);
      assert.equal(await silentError(as, remembered), 'login_required');
    });
  });
});
