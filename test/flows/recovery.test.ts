// Stories of sign-ins that got lost: each is continued by one button, in this browser, and nobody else's flow is touched.
import assert from 'node:assert/strict';
import { parse } from 'node-html-parser';
import * as client from 'openid-client';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  REDIRECT_URI,
  type RelyingParty,
  redeem,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const CREDENTIALS = { login: 'alice', password: PASSWORD };

describe('A lost sign-in', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service, {}, { 'logging-service': null });
  });
  after(() => service[Symbol.asyncDispose]());

  async function begin(agent: UserAgent, parameters: Record<string, string> = {}, from = party) {
    const { url, checks } = await authorizationRequest(from, parameters);
    return { form: await agent.open(url.href), checks };
  }

  /** Where the page's one button leads. */
  function buttonOf(page: Page): string {
    const { document, url } = page;
    const buttons = document.querySelectorAll('main a, main button');
    assert.equal(buttons.length, 1, wordsOf(page));
    return new URL(String(buttons[0]?.getAttribute('href')), url).href;
  }

  function wordsOf({ document }: Page): string {
    return `${document.querySelector('h1')?.text} ${document.querySelector('main p')?.text}`;
  }

  async function signInByButton(agent: UserAgent, page: Page): Promise<URL> {
    assert.equal(page.response.status, 400);
    const form = await agent.open(buttonOf(page));
    return callbackOf(await agent.submit(form, CREDENTIALS));
  }

  it('begins again with every parameter that it had', async () => {
    const parameters = {
      scope: 'openid email logs:write',
      audience: 'logging-service',
      claims: '{"id_token":{"email":{"essential":true}}}',
      login_hint: 'alice',
      max_age: '60',
      response_mode: 'query',
      state: 'ä & ü=+%',
    };
    const { form, checks } = await begin(createUserAgent(service.origin), parameters);
    const stranger = createUserAgent(service.origin);
    const again = await stranger.open(buttonOf(await stranger.open(form.url)));
    assert.equal(again.document.querySelector('#login')?.getAttribute('value'), 'alice');
    const callback = callbackOf(await stranger.submit(again, CREDENTIALS));
    assert.equal(callback.searchParams.get('state'), parameters.state);
    const tokens = await redeem(party, callback, checks, { audience: 'logging-service' });
    assert.equal(tokens.claims()?.['email'], 'demo@example.com');
    assert.equal(tokens.scope, 'logs:write');
  });

  it('begins anew in the other browser, while the first one finishes its own (security requirement R37)', async () => {
    const [owner, stranger] = [createUserAgent(service.origin), createUserAgent(service.origin)];
    const { form, checks } = await begin(owner);
    const page = await stranger.open(form.url);
    assert.deepEqual(page.response.headers.getSetCookie(), []);
    const again = await stranger.open(buttonOf(page));
    assert.notEqual(new URL(again.url).pathname, new URL(form.url).pathname);
    callbackOf(await stranger.submit(again, CREDENTIALS));
    assert.ok((await redeem(party, callbackOf(await owner.submit(form, CREDENTIALS)), checks)).access_token);
  });

  it('goes on with a cancelled form, a resumption and a submission alike', async () => {
    for (const button of ['cancel', 'sign-in']) {
      const agent = createUserAgent(service.origin);
      const { form } = await begin(agent);
      await agent.cookies.removeAllCookies();
      await signInByButton(agent, await agent.submit(form, CREDENTIALS, button));
    }
    const agent = createUserAgent(service.origin);
    const { form } = await begin(agent);
    const body = new URLSearchParams(CREDENTIALS);
    body.set('csrf', String(form.document.querySelector('[name=csrf]')?.getAttribute('value')));
    const answer = await agent.fetch(form.url, { method: 'POST', body });
    await agent.cookies.removeAllCookies();
    await signInByButton(agent, await agent.open(String(answer.headers.get('location'))));
  });

  it('gives the parameters that a client pushed to no browser (RFC 9126 §1)', async () => {
    const pushing = await addRelyingParty(service, { require_pushed_authorization_requests: true });
    const { url, checks } = await authorizationRequest(pushing, { scope: 'openid email' });
    const pushed = await client.buildAuthorizationUrlWithPAR(pushing.config, url.searchParams);
    const form = await createUserAgent(service.origin).open(pushed.href);
    const agent = createUserAgent(service.origin);
    const page = await agent.open(form.url);
    const sent = new URL(String((await agent.fetch(buttonOf(page))).headers.get('location')), service.origin);
    assert.deepEqual([...sent.searchParams.keys()].sort(), ['client_id', 'request_uri', 'sent_again']);
    const tokens = await redeem(pushing, await signInByButton(agent, page), checks);
    assert.ok(tokens.claims()?.sub);
  });

  it('sends nobody to an address that its client has not registered (security requirement R34)', async () => {
    const { form } = await begin(createUserAgent(service.origin));
    const agent = createUserAgent(service.origin);
    const page = await agent.open(`${form.url}&redirect_uri=https://evil.example`);
    const answer = await agent.fetch(`${buttonOf(page)}&redirect_uri=https://evil.example&next=//evil.example`);
    assert.equal(answer.status, 303);
    const sent = new URL(String(answer.headers.get('location')), service.origin);
    assert.equal(sent.origin, service.origin);
    assert.equal(sent.searchParams.get('redirect_uri'), REDIRECT_URI);
    assert.ok(!sent.href.includes('evil'));
  });

  it('is validated again: a client that is gone meanwhile gets no answer', async () => {
    const gone = await addRelyingParty(service);
    const { form } = await begin(createUserAgent(service.origin), {}, gone);
    const agent = createUserAgent(service.origin);
    const again = buttonOf(await agent.open(form.url));
    await service.store.clients.remove(gone.clientId);
    const { response, text } = await agent.open(again);
    assert.equal(response.status, 400);
    assert.match(text, /invalid_client/);
  });

  it('says that the browser keeps no cookies, when it went round once in vain', async () => {
    const forgetful = createUserAgent(service.origin);
    forgetful.cookies.setCookie = async () => undefined;
    const first = await forgetful.open((await authorizationRequest(party)).url.href);
    assert.match(wordsOf(first), /took too long/);
    const second = await forgetful.open(buttonOf(first));
    assert.match(wordsOf(second), /keeps no cookies.*allow cookies for 127\.0\.0\.1:/);
    assert.match(wordsOf(await forgetful.open(buttonOf(second))), /keeps no cookies/);
  });

  it('leads to the application once this browser has brought it the answer, be it a refusal', async () => {
    for (const button of ['sign-in', 'cancel']) {
      const agent = createUserAgent(service.origin);
      const { form } = await begin(agent);
      callbackOf(await agent.submit(form, CREDENTIALS, button));
      const page = await agent.open(form.url);
      assert.match(wordsOf(page), /is done/);
      assert.equal(buttonOf(page), new URL('/', REDIRECT_URI).href);
    }
  });

  it('whose form was sent twice goes on by one click, as long as its answer may have been left for the second one', async () => {
    await withMovingTime(async (pass) => {
      const agent = createUserAgent(service.origin);
      const { form, checks } = await begin(agent);
      callbackOf(await agent.submit(form, CREDENTIALS));
      const page = await agent.submit(form, CREDENTIALS);
      assert.equal(page.response.status, 400);
      assert.match(wordsOf(page), /You are signed in The form was sent twice/);
      assert.ok((await redeem(party, callbackOf(await agent.open(buttonOf(page))), checks)).id_token);

      pass(11);
      assert.match(wordsOf(await agent.submit(form, CREDENTIALS)), /is done/);
      const { form: refused } = await begin(agent, { prompt: 'login' });
      callbackOf(await agent.submit(refused, CREDENTIALS, 'cancel'));
      assert.match(wordsOf(await agent.submit(refused, CREDENTIALS)), /is done/);
    });
  });

  it('asks whoever is signed in now for consent, when it was another account before', async () => {
    await service.accounts.add({ username: 'bob', password: PASSWORD });
    const asking = await addRelyingParty(service, { first_party: false });
    const agent = createUserAgent(service.origin);
    const { form, checks } = await begin(agent, {}, asking);
    const consent = await agent.submit(form, CREDENTIALS);
    assert.match(consent.text, /Signed in as <strong>alice/);

    const { form: second } = await begin(agent, { prompt: 'login' });
    const switched = await agent.submit(second, { login: 'bob', password: PASSWORD });
    callbackOf(await agent.submit(switched));

    const again = await agent.open(buttonOf(await agent.submit(consent, {}, 'allow')));
    assert.match(again.text, /Signed in as <strong>bob/);
    assert.ok((await redeem(asking, callbackOf(await agent.submit(again, {}, 'allow')), checks)).id_token);
  });

  it('of a request that is too long to travel has to begin at the application, and works while it is open', async () => {
    const agent = createUserAgent(service.origin);
    const { form, checks } = await begin(agent, { state: 's'.repeat(5000) });
    assert.equal(new URL(form.url).search, '');
    assert.match(wordsOf(await createUserAgent(service.origin).open(form.url)), /Start from your application/);
    assert.ok((await redeem(party, callbackOf(await agent.submit(form, CREDENTIALS)), checks)).access_token);
  });

  it('leads to a page that the client names, and nowhere by a cookie that is not ours', async () => {
    const named = await addRelyingParty(service, { client_uri: 'https://reports.example/start' });
    const agent = createUserAgent(service.origin);
    const { form } = await begin(agent, {}, named);
    callbackOf(await agent.submit(form, CREDENTIALS));
    for (const url of [form.url, `${service.origin}/login/no-such-id`]) {
      assert.equal(buttonOf(await agent.open(url)), 'https://reports.example/start');
    }
    const value = `chain.${Buffer.from('https://evil.example/').toString('base64url')}`;
    await agent.cookies.setCookie(`answered=${value}; Path=/`, service.origin);
    assert.equal(buttonOf(await agent.open(`${service.origin}/login/no-such-id`)), `${service.origin}/`);
  });

  it('leads to the application after a day, and stays closed', async () => {
    await withMovingTime(async (pass) => {
      const { form } = await begin(createUserAgent(service.origin));
      const agent = createUserAgent(service.origin);
      const again = buttonOf(await agent.open(form.url));
      pass(24 * 60 * 60 + 1);
      for (const url of [form.url, again]) {
        const page = await agent.open(url);
        assert.equal(page.response.status, 400);
        assert.equal(buttonOf(page), new URL('/', REDIRECT_URI).href);
      }
    });
  });

  const altered: [name: string, alter: (sealed: string, other: string) => string][] = [
    ['none', () => ''],
    ['another interaction’s', (_sealed, other) => other],
    ['altered in one place', (sealed) => sealed.slice(0, -3) + (sealed.at(-3) === 'A' ? 'B' : 'A') + sealed.slice(-2)],
    ['cut off', (sealed) => sealed.slice(0, 40)],
    ['of an unknown key', (sealed) => sealed.replace(/\.[^.]+\./, '.AAAAAAAA.')],
    ['not sealed', () => Buffer.from('{"parameters":{}}').toString('base64url')],
    ['there twice', (sealed) => `${sealed}&r=${sealed}`],
  ];
  for (const [name, alter] of altered) {
    it(`is not opened by a sealed request that is ${name}`, async () => {
      const owner = createUserAgent(service.origin);
      const [url, other] = [new URL((await begin(owner)).form.url), new URL((await begin(owner)).form.url)];
      const sealed = alter(String(url.searchParams.get('r')), String(other.searchParams.get('r')));
      const agent = createUserAgent(service.origin);
      for (const path of [url.pathname, `${url.pathname}/again`, url.pathname.replace('/login/', '/authorize/')]) {
        const page = await agent.open(`${service.origin}${path}?r=${sealed}`);
        assert.equal(page.response.status, 400);
        assert.equal(buttonOf(page), `${service.origin}/`);
      }
    });
  }

  it('shows a stranger nothing of the request', async () => {
    const { form } = await begin(createUserAgent(service.origin), { login_hint: 'somebody@example.com' });
    const { text, url } = await createUserAgent(service.origin).open(form.url);
    assert.ok(!`${text}${url}`.includes('somebody'));
  });

  it('survives a change of keys, below a path: what was sealed with the former encryption key opens', async () => {
    const issuer = 'http://id.localhost/sso';
    const former = 'the-former-encryption-key-of-this-installation';
    const latter = 'the-latter-encryption-key-of-this-installation';
    await using before = await startService({ ENCRYPTION_KEY: former, PUBLIC_URL: issuer });
    await using after = await startService({
      ENCRYPTION_KEY: `${latter},${former}`,
      PUBLIC_URL: issuer,
    });
    const query = new URLSearchParams({
      client_id: 'browser-ui',
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    const begun = await fetch(`${before.origin}/authorize?${query}`, { redirect: 'manual' });
    const location = String(begun.headers.get('location'));
    const page = await fetch(`${after.origin}${location}`, { headers: { accept: 'text/html' } });
    const href = parse(await page.text())
      .querySelector('#next')
      ?.getAttribute('href');
    assert.match(String(href), /^\/sso\/login\/[\w-]+\/again\?r=/);
    const sent = await fetch(`${after.origin}${href}`, { redirect: 'manual' });
    assert.match(String(sent.headers.get('location')), /^\/sso\/authorize\?client_id=browser-ui&/);
  });
});
