// Stories of getting a passkey within a sign-in that needs a second factor, where the account has none.
import assert from 'node:assert/strict';
import { type Claims, createSoftPasskey } from '../support/authenticator.ts';
import { enrolPasskey, makePasskey, passkeyOptions, usePasskey } from '../support/passkeys.ts';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  type RelyingParty,
  redeem,
  showPassword as showPasswordTo,
  signIn,
  silentError,
} from '../support/relying-party.ts';
import { codeOf, giveApp, keyOn, secondFactorsOf } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const ESSENTIAL_PHR = { claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'phr' } } }) };

describe('a passkey within a sign-in that needs a second factor', () => {
  let service: Service;
  let party: RelyingParty;
  let people = 0;

  before(async () => {
    service = await startService({}, { hostname: 'localhost' });
    party = await addRelyingParty(service);
  });
  after(() => service?.[Symbol.asyncDispose]());

  async function addPerson({ requiresMfa = true } = {}): Promise<{ username: string; id: string }> {
    people += 1;
    const added = await service.accounts.add({ username: `person-${people}`, password: PASSWORD });
    if (requiresMfa) await service.accounts.requireMfa(added.id, true);
    return added;
  }

  async function showPassword(username: string, parameters?: Record<string, string>, at = party) {
    const { finish, ...shown } = await showPasswordTo(at, username, parameters);
    return { ...shown, finish: async (last: Page) => (await finish(last)).claims() };
  }

  const newPasskey = () => createSoftPasskey(service.issuer);
  const keep = (agent: UserAgent, codes: Page) => agent.submit(codes, { kept: 'yes' }, 'go-on');
  const hasSession = async (agent: UserAgent) => (await silentError(party, agent)) === undefined;
  const factorsOf = (id: string) => secondFactorsOf(service).factorsOf(id);
  const alertOf = ({ document }: Page) => document.querySelector('#error p')?.textContent;
  const tokenOf = ({ document }: Page) => String(document.querySelector('[name=csrf]')?.getAttribute('value'));
  const codesOn = ({ document }: Page) => document.querySelectorAll('#recovery-codes code').map(({ text }) => text);
  const pathOf = ({ url }: Page) => new URL(url).pathname.replace(/^\/login\/[^/]+/, '');

  /** Posts an answer without the page that asks for one. */
  function post(agent: UserAgent, page: Page, passkey: string, csrf = tokenOf(page)): Promise<Page> {
    const url = new URL(page.url);
    url.pathname = `${url.pathname.split('/').slice(0, 3).join('/')}/authenticator/passkey`;
    return agent.open(url.href, { method: 'POST', body: new URLSearchParams({ csrf, passkey }) });
  }

  it('is got beside the app that is offered too, and ends the sign-in once the recovery codes are kept', async () => {
    const strict = await addRelyingParty(service, { require_mfa: true });
    const { username, id } = await addPerson({ requiresMfa: false });
    const { agent, page, finish } = await showPassword(username, {}, strict);
    assert.equal(pathOf(page), '/authenticator');
    assert.ok(keyOn(page));
    assert.match(String(page.response.headers.get('content-security-policy')), /script-src http:\/\/localhost/);
    const passkey = newPasskey();
    const codes = await makePasskey(agent, page, passkey);
    assert.equal(pathOf(codes), '/recovery-codes', codes.text);
    assert.equal(new Set(codesOn(codes)).size, 10);
    assert.equal(await hasSession(agent), false);
    assert.equal(pathOf(await agent.submit(codes, { kept: '' }, 'go-on')), '/recovery-codes');
    const claims = await finish(await keep(agent, codes));
    assert.deepEqual([claims?.['acr'], claims?.['amr']], ['phr', ['pwd', 'hwk', 'user', 'mfa']]);
    assert.deepEqual(await factorsOf(id), { totp: false, recoveryCodes: 10, passkeys: 1 });
    const events = service.log.filter((line) => line.includes(id)).map((line) => JSON.parse(line).event);
    assert.deepEqual(
      events.filter((event) => /passkey|Factor|recovery|login/.test(event)),
      ['passkeyAdded', 'recoveryCodesReplaced', 'loginSucceeded'],
    );
    const again = await showPassword(username);
    assert.equal((await again.finish(await usePasskey(again.agent, again.page, passkey)))?.['acr'], 'phr');
  });

  for (const [what, claims, amr] of [
    ['a synced one', { backupEligible: true, backedUp: true }, ['pwd', 'swk', 'user', 'mfa']],
    ['one that asked for a touch only', { userVerified: false }, ['pwd', 'hwk', 'user', 'mfa']],
  ] as [string, Partial<Claims>, string[]][]) {
    it(`counts as it does after the password: ${what} (RFC 8176 §2)`, async () => {
      const { username } = await addPerson();
      const { agent, page, finish } = await showPassword(username);
      const claimed = await finish(await keep(agent, await makePasskey(agent, page, newPasskey(), claims)));
      assert.deepEqual([claimed?.['acr'], claimed?.['amr']], ['phr', amr]);
    });
  }

  it('is all that is offered where phr is essential, which it reaches the first time (OIDC Core §5.5.1.1)', async () => {
    const { username, id } = await addPerson({ requiresMfa: false });
    const { agent, page, finish } = await showPassword(username, ESSENTIAL_PHR);
    assert.equal(page.document.querySelector('.secret'), null);
    assert.equal(page.document.querySelector('#skip'), null);
    assert.match(page.document.querySelector('noscript')?.textContent ?? '', /Passkeys need JavaScript/);
    const body = new URLSearchParams({ csrf: tokenOf(page), code: codeOf('JBSWY3DPEHPK3PXP') });
    assert.equal((await agent.fetch(page.url, { method: 'POST', body })).status, 303);
    assert.deepEqual(await factorsOf(id), { totp: false, recoveryCodes: 0, passkeys: 0 });
    const claims = await finish(await keep(agent, await makePasskey(agent, page, newPasskey())));
    assert.equal(claims?.['acr'], 'phr');
  });

  it('raises a session to an essential phr, after the password once more', async () => {
    const { username } = await addPerson({ requiresMfa: false });
    const { agent, page, finish } = await showPassword(username);
    assert.equal((await finish(page))?.['acr'], 'aal1');
    const silent = await authorizationRequest(party, { ...ESSENTIAL_PHR, prompt: 'none' });
    const error = callbackOf(await agent.open(silent.url.href)).searchParams.get('error');
    assert.equal(error, 'login_required');
    const { url, checks } = await authorizationRequest(party, ESSENTIAL_PHR);
    const codes = await makePasskey(agent, await signIn(agent, url, username), newPasskey());
    const tokens = await redeem(party, callbackOf(await keep(agent, codes)), checks);
    assert.equal(tokens.claims()?.['acr'], 'phr');
  });

  it('is not got where there is an app: an essential phr stays out of reach', async () => {
    const { username } = await addPerson({ requiresMfa: false });
    await giveApp(service, username);
    const { page } = await showPassword(username, ESSENTIAL_PHR);
    assert.equal(callbackOf(page).searchParams.get('error'), 'unmet_authentication_requirements');
  });

  it('is left for another time where phr is only wished for (OIDC Core §3.1.2.1)', async () => {
    const { username } = await addPerson({ requiresMfa: false });
    const { agent, page, finish } = await showPassword(username, { acr_values: 'phr' });
    assert.ok(page.document.querySelector('#use-passkey'));
    assert.equal((await finish(await agent.submit(page, {}, 'skip')))?.['acr'], 'aal1');
  });

  it('says in a sentence that it was refused, and can be tried again', async () => {
    const { username, id } = await addPerson();
    const { agent, page, finish } = await showPassword(username);
    const theirs = await enrolPasskey(service, (await service.accounts.findByUsername('alice')) as never);
    const foreign = (await showPassword((await addPerson()).username)).page;
    const asked = (of: Page) => passkeyOptions(of) as never;
    let last = page;
    for (const [answer, reason, sentence] of [
      [() => '', 'malformed', /^This passkey could not be added/],
      [() => '{"id":1}', 'malformed', /^This passkey could not be added/],
      [() => newPasskey().create(asked(last), { origin: 'https://evil.example' }), 'response', /could not be added/],
      [() => newPasskey().create(asked(last), { userPresent: false }), 'response', /could not be added/],
      [() => newPasskey().create(asked(foreign)), 'challenge', /could not be added/],
      [() => newPasskey().get(asked(last)), 'malformed', /could not be added/],
      [() => theirs.create(asked(last)), 'taken', /^There is a passkey for your account on this device already\.$/],
    ] as [() => string, string, RegExp][]) {
      last = await agent.submit(last, { passkey: answer() }, 'use-passkey');
      assert.equal(last.response.status, 400, reason);
      assert.match(String(alertOf(last)), sentence);
      const event = JSON.parse(service.log.findLast((line) => line.includes('passkeyRefused')) ?? '{}');
      assert.deepEqual([event.reason, event.accountId], [reason, id]);
      assert.deepEqual(await factorsOf(id), { totp: false, recoveryCodes: 0, passkeys: 0 });
    }
    assert.equal(pathOf(await agent.open(last.url)), '/authenticator', 'a reload leads back');
    assert.equal((await finish(await keep(agent, await makePasskey(agent, last, newPasskey()))))?.['acr'], 'phr');
  });

  it('wants a fresh challenge when the page was open for too long', () =>
    withMovingTime(async (pass) => {
      const { username } = await addPerson();
      const { agent, page } = await showPassword(username);
      pass(6 * 60);
      const late = await makePasskey(agent, page, newPasskey());
      assert.equal(late.response.status, 400);
      assert.equal(alertOf(late), 'That took too long. Try again.');
      callbackOf(await keep(agent, await makePasskey(agent, late, newPasskey())));
    }));

  it('is got once from one answer, however often it is sent (Web Authentication §13.4.3)', async () => {
    const { username, id } = await addPerson();
    const { agent, page } = await showPassword(username);
    const answer = newPasskey().create(passkeyOptions(page) as never);
    await Promise.all([1, 2, 3].map(() => post(agent, page, answer)));
    assert.deepEqual(await factorsOf(id), { totp: false, recoveryCodes: 10, passkeys: 1 });
    const codes = await post(agent, page, answer);
    assert.equal(pathOf(codes), '/recovery-codes');
    assert.equal(codesOn(codes).length, 10);
    callbackOf(await keep(agent, codes));
  });

  it('is not got with a session alone: the password comes first', async () => {
    const { username, id } = await addPerson({ requiresMfa: false });
    const { agent, page, finish } = await showPassword(username);
    await finish(page);
    await service.accounts.requireMfa(id, true);
    const { url } = await authorizationRequest(party);
    const form = await agent.open(url.href);
    const stranger = await showPassword((await addPerson()).username);
    const answer = newPasskey().create(passkeyOptions(stranger.page) as never);
    assert.ok((await post(agent, form, answer)).document.querySelector('#password'));
    assert.equal((await factorsOf(id)).passkeys, 0);
  });

  it('is never got beside a second factor that there is', async () => {
    const { username, id } = await addPerson();
    const { agent, page } = await showPassword(username);
    await giveApp(service, username);
    assert.equal(pathOf(await makePasskey(agent, page, newPasskey())), '/second-factor');
    assert.equal((await factorsOf(id)).passkeys, 0);
  });

  it('is taken from our form only, in the browser that it was shown to (security requirements R36, R37)', async () => {
    const { username, id } = await addPerson();
    const { agent, page } = await showPassword(username);
    const answer = newPasskey().create(passkeyOptions(page) as never);
    assert.equal((await post(agent, page, answer, 'x')).response.status, 403);
    assert.equal((await post(createUserAgent(service.issuer), page, answer)).response.status, 400);
    assert.equal((await factorsOf(id)).passkeys, 0);
  });

  it('is not offered where the issuer is an IP address', async () => {
    await using elsewhere = await startService();
    const { id } = await elsewhere.accounts.add({ username: 'person', password: PASSWORD });
    await elsewhere.accounts.requireMfa(id, true);
    const agent = createUserAgent(elsewhere.origin);
    const { url } = await authorizationRequest(await addRelyingParty(elsewhere));
    const page = await signIn(agent, url, 'person');
    assert.ok(keyOn(page));
    assert.doesNotMatch(page.text, /passkey/i);
    assert.equal((await post(agent, page, '')).response.status, 404);
  });
});
