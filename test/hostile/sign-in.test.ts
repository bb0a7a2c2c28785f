// Hostile sign-ins: guesses, forms of other sites, forms without their token, forms that are no forms.
import assert from 'node:assert/strict';
import { assertAlive, assertHarmless, assertRefused } from '../support/raw-http.ts';
import { authorizationRequest, type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const PASSWORD = 'correct horse battery';

describe('a hostile sign-in', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService({ TRUSTED_PROXIES: '127.0.0.1' });
    party = await relyingParty(service);
    const { id } = await service.accounts.add({ username: 'gone', password: PASSWORD });
    await service.accounts.disable(id);
    await service.accounts.add({ username: 'keyless' });
  });
  after(() => service[Symbol.asyncDispose]());
  afterEach(() => assertAlive(service.origin));

  let places = 0;
  /** A browser somewhere else each time: one place may not fail often. */
  function browserElsewhere(): UserAgent {
    places += 1;
    const address = `198.51.100.${places}`;
    return createUserAgent(service.origin, {
      fetch: (url: Parameters<typeof fetch>[0], init: RequestInit = {}) => {
        const headers = new Headers(init.headers);
        headers.set('x-forwarded-for', address);
        return fetch(url, { ...init, headers });
      },
    });
  }

  /** A browser at the sign-in page. */
  async function arrive(): Promise<{ agent: UserAgent; page: Page; action: string; csrf: string }> {
    const agent = browserElsewhere();
    const { url } = await authorizationRequest(party);
    const page = await agent.open(url.href);
    const form = page.document.querySelector('form');
    const csrf = page.document.querySelector('input[name=csrf]')?.getAttribute('value');
    assert.ok(form && csrf, page.text);
    return { agent, page, action: new URL(String(form.getAttribute('action')), page.url).href, csrf };
  }

  function post(
    agent: UserAgent,
    action: string,
    body: Record<string, string> | string,
    headers: Record<string, string> = {},
  ) {
    return agent.fetch(action, { method: 'POST', headers, body: new URLSearchParams(body) });
  }

  async function answerOf(response: Response) {
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  /** No session came of it: the same browser is asked to sign in again. */
  async function assertSignedOut(agent: UserAgent): Promise<void> {
    const { url } = await authorizationRequest(party, { prompt: 'none' });
    const { response } = await agent.open(url.href);
    assert.match(String(response.headers.get('location')), /[?&]error=login_required/);
  }

  it('that is none succeeds, so that the refusals below mean something', async () => {
    const { agent, page } = await arrive();
    const { response } = await agent.submit(page, { login: 'alice', password: PASSWORD });
    assert.match(String(response.headers.get('location')), /[?&]code=/);
  });

  const GUESSES: [string, Record<string, string>][] = [
    ['an unknown name', { login: 'nobody', password: PASSWORD }],
    ['a disabled account', { login: 'gone', password: PASSWORD }],
    ['a disabled account, wrong password', { login: 'gone', password: 'wrong horse battery' }],
    ['an account without a password', { login: 'keyless', password: PASSWORD }],
    ['no password', { login: 'alice', password: '' }],
    ['a password of 1,025 bytes', { login: 'alice', password: 'a'.repeat(1025) }],
    ['a name of 30,000 characters', { login: 'a'.repeat(30_000), password: PASSWORD }],
    ['SQL as a name', { login: "' OR 1=1;--", password: PASSWORD }],
    ['a wildcard as a name', { login: 'al%', password: PASSWORD }],
    ['another wildcard as a name', { login: 'alic_', password: PASSWORD }],
    ['a member of every object as a name', { login: '__proto__', password: PASSWORD }],
    ['markup as a name', { login: '"><svg onload=alert(1)>', password: PASSWORD }],
    ['the right password and more', { login: 'alice', password: `${PASSWORD} ` }],
  ];
  for (const [what, guess] of GUESSES) {
    it(`is told the same of ${what} as of a wrong password (security requirement R48)`, async () => {
      const { agent, page } = await arrive();
      const wrong = await agent.submit(page, { login: 'alice', password: 'wrong horse battery' });
      const other = await agent.submit(page, guess);
      assert.equal(wrong.response.status, 400);
      assert.deepEqual(told(other, guess['login'] ?? ''), told(wrong, 'alice'));
      assert.ok(!other.text.includes('<svg onload'));
      await assertSignedOut(agent);
    });
  }

  it('learns nothing from the time it takes (security requirement R48)', async () => {
    const { agent, page } = await arrive();
    const times: Record<string, number[]> = { alice: [], nobody: [], gone: [], keyless: [] };
    for (let round = 0; round < 8; round += 1) {
      for (const [login, samples] of Object.entries(times)) {
        const startedAt = performance.now();
        await agent.submit(page, { login, password: 'wrong horse battery' });
        samples.push(performance.now() - startedAt);
      }
    }
    const fastest = Object.values(times).map((samples) => Math.min(...samples));
    // a hash that is left out shows: it is most of the time
    assert.ok(Math.max(...fastest) < 2 * Math.min(...fastest), fastest.map(Math.round).join(' '));
  });

  const FOREIGN: [string, Record<string, string>][] = [
    ['another origin', { Origin: 'https://evil.example' }],
    ['the same host at another port', { Origin: 'http://127.0.0.1:1' }],
    ['an origin that only begins like ours', { Origin: 'ORIGIN.evil.example' }],
    ['another site, as browsers say', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a neighbour, as browsers say', { 'Sec-Fetch-Site': 'same-site' }],
    ['our origin, another site', { Origin: 'ORIGIN', 'Sec-Fetch-Site': 'cross-site' }],
  ];
  for (const [what, claimed] of FOREIGN) {
    it(`is refused when its form was sent by ${what} (security requirement R36)`, async () => {
      const { agent, action, csrf } = await arrive();
      const headers = Object.fromEntries(
        Object.entries(claimed).map(([name, value]) => [name, value.replace('ORIGIN', service.origin)]),
      );
      const answer = await answerOf(await post(agent, action, { csrf, login: 'alice', password: PASSWORD }, headers));
      assert.equal(answer.status, 403, answer.body);
      assertHarmless(answer);
      assert.deepEqual(answer.headers.getSetCookie(), []);
      await assertSignedOut(agent);
    });
  }

  const TOKENS: [string, (mine: string, other: string) => Record<string, string>][] = [
    ['no token', () => ({})],
    ['an empty token', () => ({ csrf: '' })],
    ['a token of another sign-in', (_, other) => ({ csrf: other })],
    ['a token that is cut off', (mine) => ({ csrf: mine.slice(0, -1) })],
    ['a token of another case', (mine) => ({ csrf: mine.toLowerCase() })],
  ];
  for (const [what, tokenOf] of TOKENS) {
    it(`is refused with ${what} (security requirement R36)`, async () => {
      const [mine, other] = [await arrive(), await arrive()];
      const form = { login: 'alice', password: PASSWORD, ...tokenOf(mine.csrf, other.csrf) };
      const answer = await answerOf(await post(mine.agent, mine.action, form));
      assert.equal(answer.status, 403, answer.body);
      assertHarmless(answer);
      await assertSignedOut(mine.agent);
    });
  }

  it('is refused without the cookie of its interaction, whatever it knows (security requirement R37)', async () => {
    const { action, csrf } = await arrive();
    for (const agent of [createUserAgent(service.origin), (await arrive()).agent]) {
      const answer = await answerOf(await post(agent, action, { csrf, login: 'alice', password: PASSWORD }));
      assert.equal(answer.status, 400, answer.body);
      assertHarmless(answer);
      await assertSignedOut(agent);
    }
  });

  const BODIES: [string, string, string, number, Record<string, string>?][] = [
    ['a password twice', 'application/x-www-form-urlencoded', 'login=alice&password=a&password=b', 400],
    ['a NUL', 'application/x-www-form-urlencoded', 'login=alice%00&password=a', 400],
    ['bytes that are not UTF-8', 'application/x-www-form-urlencoded', 'login=%ff&password=a', 400],
    ['more than 64 KiB', 'application/x-www-form-urlencoded', `login=${'a'.repeat(65_536)}`, 413],
    ['one that says it is JSON', 'application/json', 'login=alice&password=a', 400],
    ['compressed, it says', 'application/x-www-form-urlencoded', 'login=alice', 415, { 'content-encoding': 'gzip' }],
    ['JSON', 'application/json', '{"login":"alice","password":{"$ne":""}}', 400],
    ['text', 'text/plain', 'login=alice', 415],
  ];
  for (const [what, type, body, status, headers] of BODIES) {
    it(`is refused with ${status} when its form is ${what}`, async () => {
      const { agent, action, csrf } = await arrive();
      for (const target of [action, `${action}/cancel`]) {
        const response = await agent.fetch(target, {
          method: 'POST',
          headers: { 'content-type': type, accept: 'application/json', ...headers },
          body: body.startsWith('{') ? body : `csrf=${csrf}&${body}`,
        });
        assertRefused(await answerOf(response), status);
      }
    });
  }
});

/** Everything of a refusal but what it was asked, and what changes with every request. */
function told({ response, text }: Page, login: string) {
  const page = text
    .replace(/(<input id="login"[^>]*?) value="[^"]*"/, '$1')
    .replaceAll(String(response.headers.get('x-request-id')), '');
  assert.ok(login === '' || !page.includes(`value="${login}"`));
  const headers = [...response.headers].filter(([name]) => !['x-request-id', 'date', 'content-length'].includes(name));
  return { status: response.status, headers, page };
}
