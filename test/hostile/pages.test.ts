// What every page and every cookie carries, wherever it comes from, and what other sites get to read.
import assert from 'node:assert/strict';
import { parse } from 'node-html-parser';
import { assertHarmless, exchange, formatRequest, type RawAnswer } from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

const MARKUP = '"><svg onload=alert(1)>';
const REDIRECT_URI = 'https://web.example/callback';
const REQUEST = {
  client_id: 'browser-ui',
  redirect_uri: REDIRECT_URI,
  response_type: 'code',
  scope: 'openid',
  state: MARKUP,
  login_hint: MARKUP,
};
const authorize = (parameters: Record<string, string> = {}) =>
  `/authorize?${new URLSearchParams({ ...REQUEST, ...parameters })}`;

const ISSUERS = [
  { issuer: 'https://id.example.com', path: '/', session: '__Host-session' },
  { issuer: 'https://id.example.com/sso', path: '/sso', session: '__Secure-session' },
] as const;

for (const { issuer, path, session } of ISSUERS) {
  describe(`a browser at ${issuer}`, () => {
    const prefix = path.replace(/\/$/, '');
    let service: Service;
    before(async () => {
      service = await startService({
        PUBLIC_URL: issuer,
        TRUSTED_PROXIES: '127.0.0.1',
        BROWSER_UI_REDIRECT_URIS: REDIRECT_URI,
        SMTP_URL: 'smtp://127.0.0.1:1',
        MAIL_FROM: 'accounts@example.com',
        ALLOW_SIGN_UP: 'true',
      });
    });
    after(() => service[Symbol.asyncDispose]());

    function ask(line: string, headers: Record<string, string> = {}, body?: string): Promise<RawAnswer> {
      const [method, target] = line.split(' ');
      const all = { Accept: 'text/html', 'X-Forwarded-Proto': 'https', ...headers };
      return exchange(
        service.origin,
        formatRequest(`${method} ${prefix}${target}`, { headers: all, ...(body === undefined ? {} : { body }) }),
      );
    }

    /** The cookies of an answer, as a browser sends them back. */
    const cookiesOf = ({ headers }: RawAnswer) =>
      headers
        .getSetCookie()
        .map((cookie) => cookie.split(';')[0])
        .join('; ');

    /** Begins a sign-in: the redirect to it, its page, and its cookies. */
    async function arrive() {
      const redirect = await ask(`GET ${authorize()}`);
      const target = String(redirect.headers.get('location')).slice(prefix.length);
      const cookies = cookiesOf(redirect);
      return { redirect, target, cookies, page: await ask(`GET ${target}`, { Cookie: cookies }) };
    }

    async function signIn() {
      const { target, cookies, page } = await arrive();
      const csrf = String(parse(page.body).querySelector('input[name=csrf]')?.getAttribute('value'));
      const form = (password: string) =>
        ask(
          `POST ${target}`,
          { Cookie: cookies, 'Content-Type': 'application/x-www-form-urlencoded' },
          String(new URLSearchParams({ csrf, login: 'alice', password })),
        );
      const wrong = await form('wrong horse battery');
      const right = await form('correct horse battery');
      const resume = await ask(`GET ${String(right.headers.get('location')).replace(issuer, '')}`, { Cookie: cookies });
      return { wrong, right, resume };
    }

    const PAGES: [string, string, number, Record<string, string>?][] = [
      ['the home page', 'GET /', 200],
      ['an address that does not exist', `GET /nothing${encodeURIComponent(MARKUP)}`, 404],
      ['no parameters at all', 'GET /authorize', 400],
      ['an unknown client', `GET ${authorize({ client_id: MARKUP })}`, 400],
      ['a redirect URI that is not registered', `GET ${authorize({ redirect_uri: 'https://evil.example/' })}`, 400],
      ['a redirect URI of script', `GET ${authorize({ redirect_uri: 'javascript:alert(1)' })}`, 400],
      ['a repeated client', `GET ${authorize()}&client_id=other`, 400],
      ['a repeated redirect URI', `GET ${authorize()}&redirect_uri=https://evil.example/`, 400],
      ['a malformed escape', 'GET /authorize?client_id=%ZZ', 400],
      ['a malformed target', 'GET /authorize?client_id=%00', 400],
      ['a resumption without its cookie', 'GET /authorize/abc', 400],
      ['a sign-in without its cookie', 'GET /login/abc', 400],
      ['a sign-in to the account page from nowhere', `GET /account/callback?state=${encodeURIComponent(MARKUP)}`, 400],
      ['a form of another site', 'POST /login/abc', 403, { Origin: 'https://evil.example' }],
      ['a forgotten password', 'GET /reset-password?uid=abc&r=v1.abc.abc', 200],
      ['a letter that is on its way', `GET /reset-password/sent?uid=${encodeURIComponent(MARKUP)}`, 200],
      ['a password that is changed', `GET /reset-password/done?r=${encodeURIComponent(MARKUP)}`, 200],
      ['the link of a letter that is none', `GET /reset-password/${encodeURIComponent(MARKUP)}`, 400],
      ['an invitation that is none', 'GET /invitation/abc', 400],
      ['an address that nobody gave', 'GET /verify-email/abc', 400],
      ['somebody without an account', 'GET /sign-up?uid[]=abc', 200],
      ['a malformed way back', 'GET /sign-up?uid=%ZZ', 200],
      ['the form for a letter of another site', 'POST /reset-password', 403, { Origin: 'https://evil.example' }],
      ['the form for a letter that is no form', 'POST /sign-up', 415],
      ['the end of a session', 'GET /logout/success', 200],
      ['an answer to a logout that nobody asked for', 'POST /logout/confirm', 415],
      ['a logout with a forged hint', 'GET /logout?id_token_hint=a.b.c', 400],
      [
        'a logout to another site',
        'GET /logout?post_logout_redirect_uri=https://evil.example/&client_id=browser-ui',
        400,
      ],
    ];
    for (const [what, line, status, headers] of PAGES) {
      it(`gets a page that guards itself for ${what} (RFC 9700 §4.16)`, async () => {
        const answer = await ask(line, headers);
        assert.equal(answer.status, status, answer.body);
        assertGuardedPage(answer);
      });
    }

    it('gets pages that guard themselves all through a sign-in, with markup only as text', async () => {
      const { page } = await arrive();
      const { wrong } = await signIn();
      for (const answer of [page, wrong]) {
        assertGuardedPage(answer);
        assert.ok(!answer.body.includes('<svg onload'));
      }
      assert.equal(parse(page.body).querySelector('#login')?.getAttribute('value'), MARKUP);
    });

    it('gets a page to leave by that runs no script but the one it is known for', async () => {
      const answer = await ask('GET /logout');
      assert.equal(answer.status, 200);
      assertHarmless(answer);
      assert.match(
        policyOf(answer),
        /^default-src 'none'; style-src https:\/\/id\.example\.com(\/sso)?\/styles\/[\w-]{16}\.css; script-src 'sha256-[^']+'; img-src data:; form-action 'self' \S+; base-uri 'none'; frame-ancestors 'none'$/,
      );
    });

    it('gets no cookie that another site, a script or plain http could have', async () => {
      const { redirect } = await arrive();
      const { right, resume } = await signIn();
      const cookies = [redirect, right, resume, await ask('GET /logout')].flatMap(({ headers }) =>
        headers.getSetCookie(),
      );
      for (const cookie of cookies) {
        const [pair = '', ...attributes] = cookie.toLowerCase().split('; ');
        assert.ok(attributes.includes('secure') && attributes.includes('httponly'), cookie);
        assert.ok(attributes.includes('samesite=lax') || attributes.includes('samesite=strict'), cookie);
        assert.ok(!attributes.some((attribute) => attribute.startsWith('domain')), cookie);
        const cookiePath = attributes.find((attribute) => attribute.startsWith('path='))?.slice(5) ?? '';
        assert.ok(cookiePath === path || cookiePath.startsWith(`${prefix}/`), cookie);
        assert.match(pair, /^__(host|secure)-/, cookie);
        if (pair.startsWith('__host-')) assert.equal(cookiePath, '/', cookie);
      }
      const names = new Set(cookies.map((cookie) => cookie.split('=')[0]));
      for (const name of [session, `${session}.sig`, '__Secure-interaction', '__Secure-resume.sig']) {
        assert.ok(names.has(name), `${name} is not among ${[...names].join(' ')}`);
      }
    });

    it('is sent to the client by a 303 that names no referrer (RFC 9700 §4.12)', async () => {
      const { resume } = await signIn();
      assert.equal(resume.status, 303, resume.body);
      const location = new URL(String(resume.headers.get('location')));
      assert.equal(location.origin + location.pathname, REDIRECT_URI);
      assert.equal(location.searchParams.get('state'), MARKUP);
      assert.equal(resume.headers.get('referrer-policy'), 'no-referrer');
      assert.equal(resume.headers.get('cache-control'), 'no-store');
    });

    it('of another site reads nothing with credentials', async () => {
      const evil = { Origin: 'https://evil.example', Accept: '*/*' };
      const preflight = {
        ...evil,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization',
      };
      for (const target of [
        '/authorize',
        '/token',
        '/userinfo',
        '/introspect',
        '/revoke',
        '/par',
        '/verify',
        '/login/a',
        '/logout',
        '/jwks',
        '/ping',
        '/',
      ]) {
        for (const [method, headers] of [
          ['GET', evil],
          ['POST', evil],
          ['OPTIONS', preflight],
        ] as const) {
          const answer = await ask(`${method} ${target}`, headers);
          assert.equal(answer.headers.get('access-control-allow-credentials'), null);
        }
      }
      for (const target of ['/authorize', '/login/a', '/logout', '/verify', '/ready', '/']) {
        for (const [method, headers] of [
          ['GET', evil],
          ['OPTIONS', preflight],
        ] as const) {
          assert.equal(
            (await ask(`${method} ${target}`, headers)).headers.get('access-control-allow-origin'),
            null,
            target,
          );
        }
      }
    });

    it('of another site reads no token, only that of a registered origin does', async () => {
      const credentials = Buffer.from('browser-ui:a-browser-ui-secret-for-tests').toString('base64');
      const headers = {
        Accept: '*/*',
        Authorization: `Basic ${credentials}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      };
      const body = 'token=abc';
      const evil = await ask('POST /introspect', { ...headers, Origin: 'https://evil.example' }, body);
      assert.equal(evil.status, 400);
      assert.equal(evil.headers.get('access-control-allow-origin'), null);
      const own = await ask('POST /introspect', { ...headers, Origin: new URL(REDIRECT_URI).origin }, body);
      assert.equal(own.status, 200, own.body);
      assert.equal(own.headers.get('access-control-allow-origin'), 'https://web.example');
    });
  });
}

const policyOf = ({ headers }: RawAnswer) => String(headers.get('content-security-policy'));

/** Of every page. */
const STYLESHEET = String.raw`(/sso)?/styles/[\w-]{16}\.css`;
const STYLESHEET_LINK = new RegExp(`<link rel="stylesheet" href="${STYLESHEET}">`);
const STYLESHEET_SOURCE = new RegExp(`^style-src https://id\\.example\\.com${STYLESHEET}$`);
/** Of the pages of a sign-in. */
const SCRIPT = String.raw`(/sso)?/scripts/(forms|passkeys)-[\w-]{16}\.js`;
const OTHER_SCRIPT_SOURCE = new RegExp(`script-src (?!(https://id\\.example\\.com${SCRIPT} ?)+;)`);
const OTHER_SCRIPT = new RegExp(`<script(?! src="${SCRIPT}" defer(="defer")?></script>)`, 'i');

/** A page of ours: no frame, no sniffing, no cache, no referrer, no script but two, nothing of another site. */
function assertGuardedPage(answer: RawAnswer): void {
  const { headers, body } = answer;
  assertHarmless(answer);
  assert.match(String(headers.get('content-type')), /^text\/html; charset=utf-8$/);
  const policy = policyOf(answer).split('; ');
  for (const directive of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(directive), policyOf(answer));
  }
  assert.ok(policy.some((directive) => directive.startsWith("form-action 'self'")));
  assert.doesNotMatch(policyOf(answer), /unsafe|\*/);
  assert.doesNotMatch(policyOf(answer), OTHER_SCRIPT_SOURCE);
  assert.doesNotMatch(body, OTHER_SCRIPT);
  assert.ok(
    policy.some((directive) => STYLESHEET_SOURCE.test(directive)),
    policyOf(answer),
  );
  assert.match(body, STYLESHEET_LINK);
  assert.doesNotMatch(body, /<style|\sstyle=/i);
  assert.equal(headers.get('x-frame-options'), 'DENY');
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  assert.equal(headers.get('referrer-policy'), 'no-referrer');
  assert.equal(headers.get('strict-transport-security'), 'max-age=31536000');
  assert.equal(headers.get('location'), null);
  assert.doesNotMatch(body, /<svg onload|\s(src|href|action)="(https?:)?\/\/(?!id\.example\.com)/i);
}
