// Attacks on the account page: forged forms, other people's sessions and links, cookies and queries that nobody sent.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { accountAgent, openAccountPage } from '../support/account-page.ts';
import { PASSWORD } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

const FORMS = [
  '/profile',
  '/email',
  '/password',
  '/sessions/end',
  '/sessions/end-others',
  '/applications/revoke',
  '/authenticator/remove',
];
const PAGES = ['', '/profile', '/email', '/password', '/sessions', '/applications', '/activity', '/callback'];
const RUBBISH = ['', '.', '..', 'null', '%00', '__proto__', 'constructor', '{}', '"><svg onload=1>', 'a'.repeat(3000)];

describe('Attacks on the account page', () => {
  let service: Service;
  let agent: UserAgent;
  let csrf: string;
  before(async () => {
    service = await startService();
    await service.accounts.add({ username: 'mallory', password: PASSWORD });
    agent = await accountAgent(service);
    csrf = await tokenOf(agent);
  });
  after(() => service[Symbol.asyncDispose]());

  async function tokenOf(whose: UserAgent): Promise<string> {
    const { document } = await whose.open(`${service.origin}/account/profile`);
    return String(document.querySelector('[name=csrf]')?.getAttribute('value'));
  }

  /** As the library signs cookies. */
  function signatureOf(pair: string): string {
    return createHmac('sha1', String(service.config.cookieSecrets[0])).update(pair).digest('base64url');
  }

  function post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    const values = { name: 'Mallory', email: 'mallory@example.org', current: PASSWORD, password: 'x'.repeat(20) };
    const body = new URLSearchParams({ ...values, ...fields });
    return agent.fetch(`${service.origin}/account${path}`, { method: 'POST', body, headers });
  }

  describe('a form that another site posts (security requirement R36)', () => {
    for (const path of FORMS) {
      it(`is refused: ${path}`, async () => {
        const before = await service.accounts.findByUsername('alice');
        const mallory = await accountAgent(service, 'mallory');
        const attempts: [fields: Record<string, string>, headers?: Record<string, string>][] = [
          [{}],
          [{ csrf: '' }],
          [{ csrf: await tokenOf(mallory) }],
          [{ csrf: csrf.slice(0, -1) }],
          [{ csrf }, { origin: 'https://evil.example' }],
          [{ csrf }, { 'sec-fetch-site': 'cross-site' }],
          [{ csrf }, { 'sec-fetch-site': 'same-site' }],
        ];
        for (const [fields, headers] of attempts) {
          assert.equal((await post(path, fields, headers)).status, 403, JSON.stringify([fields, headers]));
        }
        assert.deepEqual(await service.accounts.findByUsername('alice'), before);
        assert.equal((await agent.open(`${service.origin}/account`)).url, `${service.origin}/account`);
      });
    }

    it('does nothing without a session, either', async () => {
      const stranger = createUserAgent(service.origin);
      for (const path of FORMS) {
        const body = new URLSearchParams({ csrf });
        const { status, headers } = await stranger.fetch(`${service.origin}/account${path}`, { method: 'POST', body });
        assert.equal(status, 303);
        assert.equal(new URL(String(headers.get('location'))).pathname, '/authorize');
      }
    });
  });

  describe('a sign-in that somebody else began (RFC 9700 §4.7)', () => {
    /** The callback with which mallory's browser would complete mallory's sign-in. */
    async function callbackOfMallory(): Promise<string> {
      const theirs = createUserAgent(service.origin);
      const form = await theirs.open(`${service.origin}/account`);
      const action = new URL(String(form.document.querySelector('form')?.getAttribute('action')), form.url).href;
      const fields = form.document.querySelectorAll('form')[0]?.querySelectorAll('input[type=hidden]') ?? [];
      const body = new URLSearchParams(
        fields.map((field): [string, string] => [
          String(field.getAttribute('name')),
          String(field.getAttribute('value')),
        ]),
      );
      body.set('login', 'mallory');
      body.set('password', PASSWORD);
      let location = (await theirs.fetch(action, { method: 'POST', body })).headers.get('location');
      while (location && !location.includes('/account/callback')) {
        location = (await theirs.fetch(new URL(location, service.origin).href)).headers.get('location');
      }
      assert.ok(location);
      return new URL(location, service.origin).href;
    }

    it('does not sign anybody in to that account', async () => {
      const link = await callbackOfMallory();
      for (const victim of [createUserAgent(service.origin), await accountAgent(service)]) {
        await victim.open(`${service.origin}/`);
        const page = await victim.open(link);
        assert.equal(page.response.status, 400);
        assert.equal(page.document.querySelector('#next')?.getAttribute('href'), '/account');
        assert.doesNotMatch((await victim.open(`${service.origin}/account`)).text, /mallory/);
      }
    });

    it('leads nobody into that account by its cookie, either: a neighbouring host could set it', async () => {
      const url = `${service.origin}/account`;
      const planted = await (await accountAgent(service, 'mallory')).cookies.getCookies(url);
      for (const victim of [createUserAgent(service.origin), await accountAgent(service)]) {
        for (const cookie of planted.filter(({ key }) => key.startsWith('account'))) {
          await victim.cookies.setCookie(cookie, url);
        }
        assert.doesNotMatch((await victim.open(url)).text, /mallory/);
      }
    });

    it('is answered by a page that leads on, whatever the query holds', async () => {
      const begun = createUserAgent(service.origin);
      const authorize = new URL(String((await begun.fetch(`${service.origin}/account`)).headers.get('location')));
      const state = String(authorize.searchParams.get('state'));
      const forged = `x.${Buffer.from('//evil.example').toString('base64url')}.${'A'.repeat(43)}`;
      const iss = encodeURIComponent(service.issuer);
      for (const query of [
        '',
        '?',
        `?state=${state}`,
        `?state=${state}&code=x`,
        `?state=${state}&code=x&iss=${iss}`,
        `?state=${state}&code=x&code=y&iss=${iss}`,
        `?state=${state}&state=${state}&code=x&iss=${iss}`,
        `?state=${state}&code=x&iss=https://evil.example`,
        `?state=${state}&error=server_error&error_description=%3Csvg%3E&iss=${iss}`,
        `?state=${state}&response=eyJ&iss=${iss}`,
        `?state=${state}&code=x&id_token=eyJ&iss=${iss}`,
        `?state=${forged}&code=x&iss=${iss}`,
        '?state[]=x&code[]=y',
        ...RUBBISH.map((text) => `?state=${encodeURIComponent(text)}&code=${encodeURIComponent(text)}&iss=${iss}`),
      ]) {
        const page = await begun.open(`${service.origin}/account/callback${query}`);
        assert.equal(page.response.status, 400, query);
        assert.equal(page.document.querySelector('#next')?.getAttribute('href'), '/account', query);
        assert.doesNotMatch(page.text, /<svg on|evil\.example/);
      }
    });
  });

  it('is no way off this origin (security requirement R34)', async () => {
    for (const path of ['//evil.example', '/%2f%2fevil.example', '/\\evil.example', '/..//evil.example', '/%09/evil']) {
      for (const query of ['', '?return_to=https://evil.example', '?next=//evil.example']) {
        const { status, headers } = await agent.fetch(`${service.origin}/account${path}${query}`);
        assert.equal(headers.get('location'), null, `${path} ${status}`);
      }
    }
    const stranger = createUserAgent(service.origin);
    const { headers } = await stranger.fetch(`${service.origin}/account?return_to=https://evil.example&next=//evil`);
    assert.doesNotMatch(decodeURIComponent(String(headers.get('location'))), /evil/);
  });

  describe('no cookie', () => {
    const names = ['account', 'account-request', 'account-outcome', 'session'];

    for (const signed of [false, true]) {
      it(`is answered with an error of ours: ${signed ? 'with our signature' : 'unsigned'}`, async () => {
        for (const value of RUBBISH) {
          const pairs = names.flatMap((name) => {
            const pair = `${name}=${encodeURIComponent(value)}`;
            return signed ? [pair, `${name}.sig=${signatureOf(pair)}`] : [pair, `${name}.sig=x`];
          });
          for (const path of PAGES) {
            const { status, headers } = await fetch(`${service.origin}/account${path}`, {
              headers: { cookie: pairs.join('; '), accept: 'text/html' },
              redirect: 'manual',
            });
            assert.ok(status === 303 || status === 400, `${status} ${path} ${value}`);
            assert.doesNotMatch(String(headers.get('location')), /evil/);
          }
        }
      });
    }

    it('of one page is taken for that of another', async () => {
      const cookies = await agent.cookies.getCookies(`${service.origin}/account`);
      const session = cookies.find(({ key }) => key === 'account')?.value;
      const pair = `account-outcome=${session}`;
      const own = cookies.map(({ key, value }) => `${key}=${value}`);
      const page = await fetch(`${service.origin}/account`, {
        headers: { cookie: [...own, pair, `account-outcome.sig=${signatureOf(pair)}`].join('; '), accept: 'text/html' },
      });
      assert.equal(page.status, 200);
      assert.doesNotMatch(await page.text(), /id="notice"/);
    });
  });

  it('escapes what people call themselves, and what their browser says', async () => {
    const name = '"><svg onload=alert(1)>';
    await post('/profile', { csrf, name });
    for (const path of PAGES.slice(0, -1)) {
      const { text } = await openAccountPage(service, agent, path);
      assert.doesNotMatch(text, /<svg onload/);
    }
  });

  it('has the headers of every page (security requirement R40)', async () => {
    for (const path of PAGES.slice(0, -1)) {
      const { response } = await openAccountPage(service, agent, path);
      const policy = String(response.headers.get('content-security-policy'));
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.equal(response.headers.get('cache-control'), 'no-store');
      assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
    }
  });
});
