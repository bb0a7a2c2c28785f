// Stories of levels of authentication: what a client asks for, what a session has, and what the ID token says of it.
import assert from 'node:assert/strict';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  postForm,
  type RelyingParty,
  redeem,
  signIn,
  verifiedClaims,
} from '../support/relying-party.ts';
import { codeOf, giveApp, typeCode } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const HOUR = 60 * 60;
const essential = (...values: string[]) => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, values } } }),
});

describe('Step-up', () => {
  let service: Service;
  let party: RelyingParty;
  let people = 0;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service);
  });
  after(() => service[Symbol.asyncDispose]());

  /** A browser signed in by password; the person may get an authenticator app afterwards. */
  async function signedIn({ app = true } = {}) {
    people += 1;
    const { username, id } = await service.accounts.add({ username: `person-${people}`, password: PASSWORD });
    const agent = createUserAgent(service.origin);
    const { url, checks } = await authorizationRequest(party);
    const tokens = await redeem(party, callbackOf(await signIn(agent, url, username)), checks);
    const { secret } = app ? await giveApp(service, username) : { secret: '' };
    return { agent, username, id, secret, claims: tokens.claims() };
  }

  async function ask(agent: UserAgent, parameters: Record<string, string>, at = party) {
    const { url, checks } = await authorizationRequest(at, parameters);
    const page = await agent.open(url.href);
    return { page, finish: async (last: Page) => (await redeem(at, callbackOf(last), checks)).claims() };
  }

  async function errorOf(agent: UserAgent, parameters: Record<string, string>, at = party) {
    const { page } = await ask(agent, parameters, at);
    return callbackOf(page).searchParams.get('error') ?? undefined;
  }

  const sessionCookie = async (agent: UserAgent) => (await agent.cookie('session'))?.value;

  for (const [what, parameters] of [
    ['acr_values', { acr_values: 'aal2' }],
    ['acr_values in order of preference', { acr_values: 'phr aal2' }],
    ['an essential acr', essential('aal2')],
    ['an essential acr beside acr_values', { ...essential('aal2'), acr_values: 'aal1' }],
    ['nothing, since the account has a second factor by now', {}],
  ] as [string, Record<string, string>][]) {
    it(`asks for the second factor alone, for ${what}`, async () => {
      await withMovingTime(async (pass) => {
        const { agent, secret, claims: before } = await signedIn();
        const cookie = await sessionCookie(agent);
        pass(HOUR);
        const { page, finish } = await ask(agent, parameters);
        const claims = await finish(await typeCode(agent, page, codeOf(secret)));
        assert.deepEqual([claims?.['acr'], claims?.['amr']], ['aal2', ['pwd', 'otp', 'mfa']]);
        assert.equal(claims?.sub, before?.sub);
        assert.equal(claims?.auth_time, before?.auth_time, 'the password is no younger');
        assert.notEqual(await sessionCookie(agent), cookie, 'the session has a new id (security requirement R39)');
        const silent = await ask(agent, { ...parameters, prompt: 'none' });
        assert.equal((await silent.finish(silent.page))?.['acr'], 'aal2');
      });
    });
  }

  it('asks for the password too when that was more than twelve hours ago', async () => {
    await withMovingTime(async (pass) => {
      const { agent, username, secret, claims: before } = await signedIn();
      pass(12 * HOUR + 60);
      const { page, finish } = await ask(agent, { acr_values: 'aal2' });
      assert.ok(page.document.querySelector('#password'));
      const second = await agent.submit(page, { login: username, password: PASSWORD });
      const claims = await finish(await typeCode(agent, second, codeOf(secret)));
      assert.ok(Number(claims?.auth_time) > Number(before?.auth_time));
    });
  });

  for (const [what, parameters] of [
    ['prompt=login', { prompt: 'login' }],
    ['max_age', { max_age: '60' }],
    ['prompt=login with acr_values', { prompt: 'login', acr_values: 'aal2' }],
    ['prompt=login with an essential acr', { prompt: 'login', ...essential('aal2') }],
    ['max_age with acr_values', { max_age: '60', acr_values: 'aal2' }],
    ['max_age with an essential acr', { max_age: '60', ...essential('aal2') }],
    ['max_age=0 with acr_values', { max_age: '0', acr_values: 'aal2' }],
  ] as [string, Record<string, string>][]) {
    it(`asks for all factors again with ${what}, and auth_time is new`, async () => {
      await withMovingTime(async (pass) => {
        const { agent, username, secret, claims: before } = await signedIn();
        pass(HOUR);
        const { page, finish } = await ask(agent, parameters);
        assert.ok(page.document.querySelector('#password'));
        const second = await agent.submit(page, { login: username, password: PASSWORD });
        const claims = await finish(await typeCode(agent, second, codeOf(secret)));
        assert.equal(claims?.['acr'], 'aal2');
        assert.ok(Number(claims?.auth_time) >= Number(before?.auth_time) + HOUR);
        pass(120);
        const again = await ask(agent, parameters);
        assert.ok(again.page.document.querySelector('#password'), 'a second factor does not make it young for ever');
      });
    });
  }

  it('asks for both factors at once where the first one would be older than max_age when the second one is typed', async () => {
    await withMovingTime(async (pass) => {
      const { agent, username, secret, claims: before } = await signedIn();
      pass(10 * 60 - 10);
      const { page, finish } = await ask(agent, { max_age: String(10 * 60), acr_values: 'aal2' });
      assert.ok(page.document.querySelector('#password'));
      const second = await agent.submit(page, { login: username, password: PASSWORD });
      const claims = await finish(await typeCode(agent, second, codeOf(secret)));
      assert.equal(claims?.['acr'], 'aal2');
      assert.ok(Number(claims?.auth_time) > Number(before?.auth_time));
    });
  });

  it('never answers with a first factor older than max_age, however long the second one takes', async () => {
    await withMovingTime(async (pass) => {
      const { agent, username, secret, claims: before } = await signedIn();
      const { page, finish } = await ask(agent, { max_age: String(10 * 60), acr_values: 'aal2' });
      pass(10 * 60 + 10);
      const first = await typeCode(agent, page, codeOf(secret));
      assert.equal((await agent.open(page.url)).url, first.url, 'a reload leads there too');
      const second = await agent.submit(first, { login: username, password: PASSWORD });
      const claims = await finish(await typeCode(agent, second, codeOf(secret)));
      assert.equal(claims?.['acr'], 'aal2');
      assert.ok(Number(claims?.auth_time) > Number(before?.auth_time) + 10 * 60);
    });
  });

  it('cannot be had by prompt=none (OIDC Core §3.1.2.6)', async () => {
    const strict = await addRelyingParty(service, { require_mfa: true });
    const { agent } = await signedIn();
    assert.equal(await errorOf(agent, { prompt: 'none', ...essential('aal2') }), 'login_required');
    assert.equal(await errorOf(agent, { prompt: 'none', acr_values: 'aal2' }), 'login_required');
    assert.equal(await errorOf(agent, { prompt: 'none' }, strict), 'login_required');
  });

  it('is no more asked for once the session has it, by whatever client', async () => {
    const strict = await addRelyingParty(service, { require_mfa: true });
    const { agent, secret } = await signedIn();
    const { page } = await ask(agent, {}, strict);
    callbackOf(await typeCode(agent, page, codeOf(secret)));
    for (const at of [party, strict]) assert.equal(await errorOf(agent, { prompt: 'none' }, at), undefined);
  });

  it('answers an essential lower level with that level, though more was shown (OIDC Core §5.5.1.1)', async () => {
    const { agent, secret } = await signedIn();
    const { page, finish } = await ask(agent, essential('aal1'));
    assert.equal((await finish(await typeCode(agent, page, codeOf(secret))))?.['acr'], 'aal1');
    const silent = await ask(agent, { prompt: 'none' });
    assert.equal((await silent.finish(silent.page))?.['acr'], 'aal2', 'others are told the level of the session');
  });

  it('does not ask for a level that is only wished for and out of reach, and tells the truth', async () => {
    const { agent, secret } = await signedIn({ app: false });
    const voluntary = await ask(agent, { acr_values: 'aal2' });
    assert.equal((await voluntary.finish(voluntary.page))?.['acr'], 'aal1');
    assert.equal(secret, '');
    const wishing = await signedIn();
    const { page, finish } = await ask(wishing.agent, { acr_values: 'phr' });
    const claims = await finish(await typeCode(wishing.agent, page, codeOf(wishing.secret)));
    assert.equal(claims?.['acr'], 'aal2');
  });

  it('refuses an essential level that the account cannot reach (OIDC Unmet Authentication Requirements 1.0)', async () => {
    const { agent, username } = await signedIn();
    assert.equal(await errorOf(agent, essential('phr')), 'unmet_authentication_requirements');
    assert.equal(await errorOf(agent, { ...essential('phr'), prompt: 'none' }), 'unmet_authentication_requirements');
    for (const name of [username, (await signedIn({ app: false })).username]) {
      const stranger = createUserAgent(service.origin);
      const { url } = await authorizationRequest(party, essential('phr'));
      const last = await signIn(stranger, url, name);
      assert.equal(callbackOf(last).searchParams.get('error'), 'unmet_authentication_requirements');
      assert.equal(await errorOf(stranger, { prompt: 'none' }), 'login_required', 'nothing came of it');
    }
  });

  it('is told to resource servers, also after a refresh (RFC 9068 §2.2.1)', async () => {
    const api = await addRelyingParty(service, {}, { 'logging-service': null });
    const { agent, secret, claims: before } = await signedIn();
    const { url, checks } = await authorizationRequest(api, { audience: 'logging-service', acr_values: 'aal2' });
    const last = await typeCode(agent, await agent.open(url.href), codeOf(secret));
    const tokens = await redeem(api, callbackOf(last), checks, { audience: 'logging-service' });
    const parameters = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
    const refreshed = await postForm(api, '/token', { ...parameters, audience: 'logging-service' });
    for (const token of [tokens.access_token, String(refreshed.body['access_token'])]) {
      const { acr, amr, auth_time } = await verifiedClaims(service, token, 'logging-service');
      const expected = { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'], auth_time: before?.auth_time };
      assert.deepEqual({ acr, amr, auth_time }, expected);
    }
  });

  it('asks for the password before a first factor can be enrolled', async () => {
    const { agent } = await signedIn({ app: false });
    const { page } = await ask(agent, essential('aal2'));
    assert.ok(page.document.querySelector('#password'));
  });

  it('goes on where the second factor is asked for when the sign-in page is opened again', async () => {
    const { agent, secret } = await signedIn();
    const { page, finish } = await ask(agent, { acr_values: 'aal2' });
    const again = await agent.open(page.url.replace('/second-factor', ''));
    assert.equal(again.url, page.url);
    assert.ok(await finish(await typeCode(agent, again, codeOf(secret))));
  });

  it('does not serve a browser that has only the address (security requirement R37)', async () => {
    const { agent, secret } = await signedIn();
    const { page } = await ask(agent, { acr_values: 'aal2' });
    const thief = createUserAgent(service.origin);
    assert.equal((await thief.open(page.url)).response.status, 400);
    const body = new URLSearchParams({
      csrf: page.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '',
      code: codeOf(secret),
    });
    assert.equal((await thief.fetch(page.url, { method: 'POST', body })).status, 400);
  });

  it('ends with the session that it was for: signed out meanwhile, nobody is signed in by a code', async () => {
    const { agent, secret } = await signedIn();
    const { page } = await ask(agent, { acr_values: 'aal2' });
    const logout = await agent.open(`${service.origin}/logout`);
    await agent.submit(logout, {}, 'sign-out');
    const last = await typeCode(agent, page, codeOf(secret));
    assert.equal(last.response.status, 400);
    assert.equal(await errorOf(agent, { prompt: 'none' }), 'login_required');
  });

  it('ends with that session also when somebody else signs in in its place', async () => {
    const { agent, secret } = await signedIn();
    const { page } = await ask(agent, {});
    const { username } = await service.accounts.add({ username: 'somebody-else', password: PASSWORD });
    const csrf = page.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '';
    const body = new URLSearchParams({ csrf, login: username, password: PASSWORD });
    const answered = await agent.fetch(page.url.replace('/second-factor', ''), { method: 'POST', body });
    const resumed = await agent.open(String(answered.headers.get('location')));
    const form = new URLSearchParams(
      resumed.document.querySelectorAll('input').map((input) => {
        return [input.getAttribute('name') ?? '', input.getAttribute('value') ?? ''] as [string, string];
      }),
    );
    const signedOut = await agent.fetch(`${service.origin}/logout/confirm`, { method: 'POST', body: form });
    assert.equal(signedOut.status, 303, 'the first session is over, the second one is yet to begin');
    const back = await agent.open(page.url);
    assert.equal(back.response.status, 400, back.url);
    const last = await agent.fetch(page.url, {
      method: 'POST',
      body: new URLSearchParams({ csrf, code: codeOf(secret) }),
    });
    assert.equal(last.status, 400);
  });
});
