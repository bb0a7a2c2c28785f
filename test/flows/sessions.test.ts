// Stories of the session that a sign-in leaves behind: single sign-on, prompt, max_age, and the identity of the cookie.
import assert from 'node:assert/strict';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  continueSession,
  logIn,
  PASSWORD,
  type RelyingParty,
  redeem,
  signIn,
  silentError,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

describe('Sessions', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service);
  });
  after(() => service[Symbol.asyncDispose]());

  const sessionCookie = async (agent: UserAgent) => (await agent.cookie('session'))?.value;

  /** Follows a request that must show the sign-in page, through it, to the ID token. */
  async function signInAgain(agent: UserAgent, parameters: Record<string, string>) {
    const { url, checks } = await authorizationRequest(party, parameters);
    const tokens = await redeem(party, callbackOf(await signIn(agent, url)), checks);
    return tokens.claims();
  }

  it('signs in silently, with the same subject and time (OIDC Core §3.1.2.1)', async () => {
    const { agent, claims } = await logIn(party, { max_age: '15000' });
    const silent = await continueSession(party, agent, { prompt: 'none', max_age: '10000' });
    assert.equal(silent.claims.sub, claims.sub);
    assert.equal(typeof claims.auth_time, 'number');
    assert.equal(silent.claims.auth_time, claims.auth_time);
  });

  it('is one for all clients, with a sid of its own for each (OIDC Back-Channel Logout §2.1)', async () => {
    const logout = { backchannel_logout_uri: 'https://web.example/logout', backchannel_logout_session_required: true };
    const [one, two] = [await addRelyingParty(service, logout), await addRelyingParty(service, logout)];
    const { agent, claims } = await logIn(one);
    const other = await continueSession(two, agent);
    assert.equal(other.claims.sub, claims.sub);
    assert.ok(claims['sid'] && other.claims['sid'] && claims['sid'] !== other.claims['sid']);
  });

  it('goes on with an id_token_hint of its own (OIDC Core §3.1.2.1)', async () => {
    const { agent, tokens, claims } = await logIn(party);
    const again = await continueSession(party, agent, { prompt: 'none', id_token_hint: String(tokens.id_token) });
    assert.equal(again.claims.sub, claims.sub);
  });

  it('asks for the account that id_token_hint names, and says so (OIDC Core §3.1.2.1)', async () => {
    await service.accounts.add({ username: 'bob', password: PASSWORD });
    const { tokens } = await logIn(party);
    const agent = createUserAgent(service.origin);
    await signIn(agent, (await authorizationRequest(party)).url, 'bob');
    const hint = { id_token_hint: String(tokens.id_token) };
    const silent = await agent.open((await authorizationRequest(party, { ...hint, prompt: 'none' })).url.href);
    assert.equal(callbackOf(silent).searchParams.get('error'), 'login_required');
    const form = await agent.open((await authorizationRequest(party, hint)).url.href);
    assert.match(form.document.querySelector('#notice')?.text ?? '', /another account/);
  });

  it('asks for the password again with prompt=login, and says so in auth_time', async () => {
    await withMovingTime(async (pass) => {
      const { agent, claims } = await logIn(party, { max_age: '15000' });
      pass(2);
      const again = await signInAgain(agent, { prompt: 'login', max_age: '15000' });
      assert.equal(again?.sub, claims.sub);
      assert.ok(Number(again?.auth_time) > Number(claims.auth_time));
    });
  });

  it('asks for the password again when the sign-in is older than max_age', async () => {
    await withMovingTime(async (pass) => {
      const { agent, claims } = await logIn(party, { max_age: '15000' });
      pass(2);
      const again = await signInAgain(agent, { max_age: '1' });
      assert.ok(Number(again?.auth_time) > Number(claims.auth_time));
    });
  });

  it('gets a new id at every sign-in, and the old cookie is worth nothing (security requirement R39)', async () => {
    const agent = createUserAgent(service.origin);
    const { url } = await authorizationRequest(party);
    await agent.open(url.href);
    const anonymous = await sessionCookie(agent);
    await signIn(agent, url);
    const first = await sessionCookie(agent);
    assert.ok(first && first !== anonymous);

    const before = await agent.cookies.clone();
    await signInAgain(agent, { prompt: 'login' });
    assert.notEqual(await sessionCookie(agent), first);

    const thief = createUserAgent(service.origin);
    for (const cookie of await before.getCookies(service.origin)) await thief.cookies.setCookie(cookie, service.origin);
    assert.equal(await sessionCookie(thief), first);
    assert.equal(await silentError(party, thief), 'login_required');
    assert.equal(await silentError(party, agent), undefined);
  });

  it('needs a signed cookie', async () => {
    const { agent } = await logIn(party);
    const forger = createUserAgent(service.origin);
    await forger.cookies.setCookie(`session=${await sessionCookie(agent)}; Path=/`, service.origin);
    assert.equal(await silentError(party, forger), 'login_required');
  });
});
