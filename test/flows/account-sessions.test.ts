// Stories of where somebody is signed in, and of what an application keeps when that ends.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { decodeJwt } from 'jose';
import { accountAgent, itemsOf, outcomeOf } from '../support/account-page.ts';
import {
  addRelyingParty,
  assertTokenError,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  postForm,
  type RelyingParty,
  redeem,
  signIn,
  silentError,
  type Tokens,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';
const AUDIENCE = 'logging-service';

let people = 0;

describe('Where somebody is signed in', () => {
  let service: Service;
  let told: Record<string, unknown>[];
  let sink: Server;
  let party: RelyingParty;
  let username: string;

  before(async () => {
    sink = createServer(async (request, response) => {
      told.push(decodeJwt(String(new URLSearchParams(await text(request)).get('logout_token'))));
      response.writeHead(200).end();
    });
    sink.listen(0, '127.0.0.1');
    await once(sink, 'listening');
    service = await startService({}, { fetch: reachLoopback });
    party = await addRelyingParty(
      service,
      {
        client_name: 'Example Reports',
        backchannel_logout_uri: `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`,
        backchannel_logout_session_required: true,
      },
      { [AUDIENCE]: null },
    );
  });
  beforeEach(async () => {
    told = [];
    people += 1;
    username = `person-${people}`;
    await service.accounts.add({ username, password: PASSWORD });
  });
  after(async () => {
    await service?.[Symbol.asyncDispose]();
    sink.closeAllConnections();
    sink.close();
  });

  /** Somebody who is signed in to the application, in a browser of this kind. */
  async function useApplication(
    agentName: string,
    parameters: Record<string, string> = {},
  ): Promise<{ agent: UserAgent; tokens: Tokens }> {
    const agent = createUserAgent(service.origin, {
      fetch: ((url: string, init?: RequestInit) => {
        const headers = new Headers(init?.headers);
        headers.set('user-agent', agentName);
        return fetch(url, { ...init, headers });
      }) as typeof fetch,
    });
    const { url, checks } = await authorizationRequest(party, { scope: 'openid offline_access', ...parameters });
    const signedIn = await signIn(agent, url, username);
    const answered = parameters['prompt'] ? await agent.submit(signedIn, {}, 'allow') : signedIn;
    const audience = parameters['audience'];
    const tokens = await redeem(party, callbackOf(answered), checks, audience ? { audience } : {});
    return { agent, tokens };
  }

  async function assertDead({ agent, tokens }: Awaited<ReturnType<typeof useApplication>>): Promise<void> {
    assert.equal(await silentError(party, agent), 'login_required');
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
    assertTokenError(await postForm(party, '/token', refresh), 'invalid_grant');
    const userinfo = await fetch(`${service.origin}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    assert.equal(userinfo.status, 401);
  }

  async function assertAlive({ agent, tokens }: Awaited<ReturnType<typeof useApplication>>): Promise<void> {
    assert.equal(await silentError(party, agent), undefined);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
    assert.equal((await postForm(party, '/token', refresh)).status, 200);
  }

  const sessionsPage = (agent: UserAgent) => agent.open(`${service.origin}/account/sessions`);

  /** Presses the button beside the browser of this name. */
  function endAt(agent: UserAgent, page: Page, browser: string): Promise<Page> {
    const item = page.document.querySelectorAll('.items > li').find(({ text }) => text.includes(browser));
    const values = item
      ?.querySelectorAll('input')
      .map((input) => [input.getAttribute('name'), input.getAttribute('value')]);
    const action = item?.querySelector('form')?.getAttribute('action');
    assert.ok(values && action, page.text);
    const body = new URLSearchParams(Object.fromEntries(values) as Record<string, string>);
    return agent.open(new URL(action, service.origin).href, { method: 'POST', body });
  }

  it('says which browser, from where, for what, and which one this is', async () => {
    const agent = await accountAgent(service, username);
    await useApplication(IPHONE);
    const [here, phone, ...others] = itemsOf(await sessionsPage(agent));
    assert.match(
      String(here),
      /^Unknown browser ?This browser ?From 127\.0\.0\.1 ?Signed in .* UTC ?Last used .* UTC$/,
    );
    assert.match(
      String(phone),
      /^Safari on iPhone ?From 127\.0\.0\.1 ?Signed in .*Last used .*Used for Example Reports/,
    );
    assert.deepEqual(others, []);
  });

  it('ends one session: its tokens die at once, its applications are told, the others go on', async () => {
    const agent = await accountAgent(service, username);
    const [phone, desk] = [await useApplication(IPHONE), await useApplication(FIREFOX)];
    const ended = await endAt(agent, await sessionsPage(agent), 'Safari on iPhone');
    assert.equal(outcomeOf(ended), 'You are signed out there.');
    assert.equal(itemsOf(ended).length, 2);
    await assertDead(phone);
    await assertAlive(desk);
    const sid = phone.tokens.claims()?.['sid'];
    assert.ok(sid);
    assert.deepEqual(
      told.map((token) => token['sid']),
      [sid],
    );
  });

  it('puts the JWTs of the session on the deny-list', async () => {
    const agent = await accountAgent(service, username);
    const { tokens } = await useApplication(IPHONE, { audience: AUDIENCE, scope: 'openid' });
    const verify = async () =>
      (
        await fetch(`${service.origin}/verify`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ token: tokens.access_token, aud: AUDIENCE }),
        })
      ).status;
    assert.equal(await verify(), 200);
    await endAt(agent, await sessionsPage(agent), 'Safari on iPhone');
    assert.equal(await verify(), 401);
  });

  it('signs out everywhere else, and takes what applications were to keep', async () => {
    const agent = await accountAgent(service, username);
    const devices = [await useApplication(IPHONE), await useApplication(FIREFOX)];
    const kept = await useApplication(FIREFOX, { prompt: 'consent' });
    // gone from the list, but not what the application keeps (OpenID Connect Core §11)
    await kept.agent.submit(await kept.agent.open(`${service.origin}/logout`), {}, 'sign-out');
    const refresh = { grant_type: 'refresh_token', refresh_token: String(kept.tokens.refresh_token) };
    const refreshed = await postForm(party, '/token', refresh);
    assert.equal(refreshed.status, 200);

    const ended = await agent.submit(await sessionsPage(agent), {}, 'end-others');
    assert.equal(outcomeOf(ended), 'You are signed out everywhere else.');
    assert.equal(itemsOf(ended).length, 1);
    for (const device of devices) await assertDead(device);
    const last = { grant_type: 'refresh_token', refresh_token: String(refreshed.body['refresh_token']) };
    assertTokenError(await postForm(party, '/token', last), 'invalid_grant');
    assert.equal((await agent.open(`${service.origin}/account`)).url, `${service.origin}/account`);
  });

  it('is not brought back by a request that was under way (security requirement R12)', async () => {
    const agent = await accountAgent(service, username);
    const phone = await useApplication(IPHONE);
    const page = await sessionsPage(agent);
    const silent = async () => {
      const { url } = await authorizationRequest(party, { prompt: 'none' });
      return phone.agent.fetch(url.href).catch(() => undefined);
    };
    let latest = String(phone.tokens.refresh_token);
    const refresh = async () => {
      for (let attempt = 0; attempt < 10; attempt += 1) {
        const { status, body } = await postForm(party, '/token', {
          grant_type: 'refresh_token',
          refresh_token: latest,
        });
        if (status !== 200) return;
        latest = String(body['refresh_token']);
      }
    };
    await Promise.all([endAt(agent, page, 'Safari on iPhone'), refresh(), ...Array.from({ length: 10 }, silent)]);
    const again = { grant_type: 'refresh_token', refresh_token: latest };
    assertTokenError(await postForm(party, '/token', again), 'invalid_grant');
    assert.equal(await silentError(party, phone.agent), 'login_required');
    assert.equal(itemsOf(await sessionsPage(agent)).length, 1);
  });

  it('says so when the session had ended before, or is somebody else’s (not a word about which)', async () => {
    const other = `other-${username}`;
    const { id } = await service.accounts.add({ username: other, password: PASSWORD });
    const theirs = await accountAgent(service, other);
    const [session] = (await service.store.artifacts.listOf('Session', id)) as { uid: string }[];
    const agent = await accountAgent(service, username);
    const csrf = String((await sessionsPage(agent)).document.querySelector('[name=csrf]')?.getAttribute('value'));
    for (const uid of [String(session?.uid), 'unknown', '']) {
      const body = new URLSearchParams({ csrf, session: uid });
      const page = await agent.open(`${service.origin}/account/sessions/end`, { method: 'POST', body });
      assert.equal(outcomeOf(page), 'That sign-in had ended already.');
    }
    assert.equal((await theirs.open(`${service.origin}/account`)).url, `${service.origin}/account`);
  });

  describe('applications', () => {
    it('are listed with what they may do, since when, and lose their access by a button', async () => {
      const third = await addRelyingParty(service, { client_name: 'Example Calendar', first_party: false });
      const agent = await accountAgent(service, username);
      const { url, checks } = await authorizationRequest(third, { scope: 'openid email' });
      const consent = await agent.open(url.href);
      const tokens = await redeem(third, callbackOf(await agent.submit(consent, {}, 'allow')), checks);
      const page = await agent.open(`${service.origin}/account/applications`);
      const [item, ...others] = itemsOf(page);
      assert.match(String(item), /^Example Calendar ?Since .* UTC ?Can see your e-mail address/);
      assert.deepEqual(others, []);

      const ended = await endAt(agent, page, 'Example Calendar');
      assert.equal(outcomeOf(ended), 'The application has no access any more.');
      assert.deepEqual(itemsOf(ended), []);
      const headers = { authorization: `Bearer ${tokens.access_token}` };
      assert.equal((await fetch(`${service.origin}/userinfo`, { headers })).status, 401);
      assert.ok((await agent.open((await authorizationRequest(third)).url.href)).document.querySelector('#allow'));
    });

    it('of other accounts are out of reach', async () => {
      const agent = await accountAgent(service, username);
      const page = await agent.open(`${service.origin}/account/sessions`);
      const csrf = String(page.document.querySelector('[name=csrf]')?.getAttribute('value'));
      for (const client of [party.clientId, 'account', 'unknown', '']) {
        const body = new URLSearchParams({ csrf, client });
        const answered = await agent.open(`${service.origin}/account/applications/revoke`, { method: 'POST', body });
        assert.equal(outcomeOf(answered), 'That application had no access any more.');
      }
    });
  });
});

/** Leaves out the library's guard against private and loopback addresses. */
async function reachLoopback(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { dispatcher: _, ...options } = (init ?? {}) as RequestInit & { dispatcher?: unknown };
  return fetch(input, options as RequestInit);
}
