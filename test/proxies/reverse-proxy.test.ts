// The service behind reverse proxies of both kinds, at an issuer with and without a path (security requirements R42 to R46).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import * as client from 'openid-client';
import { hasNginx, startNginx } from '../support/nginx.ts';
import { authorizationRequest, callbackOf, signIn } from '../support/relying-party.ts';
import { createPublicUserAgent, type ReverseProxy, rerouted, startReverseProxy } from '../support/reverse-proxy.ts';
import { type Service, startService } from '../support/service.ts';

const PREFIXED = 'https://id.example.com/identity-backend';
const POST_LOGOUT = 'https://web.example.com/goodbye';

const KINDS = [
  ['a proxy of our own', () => true, startReverseProxy],
  ['nginx (skipped on a machine without it)', hasNginx, startNginx],
] as const;

const STYLES = [
  ['an issuer with a path, which the proxy keeps', PREFIXED, ''],
  ['an issuer with a path, which the proxy strips', PREFIXED, '/identity-backend'],
  ['an issuer without a path', 'https://id.example.com', ''],
] as const;

for (const [[kind, isHere, startProxy], [style, issuer, strip]] of KINDS.flatMap((kind) =>
  STYLES.map((style) => [kind, style] as const),
)) {
  describe(`proxies: ${kind}, ${style}`, () => {
    const { origin: publicOrigin, pathname } = new URL(issuer);
    const prefix = pathname === '/' ? '' : pathname;
    let service: Service;
    let proxy: ReverseProxy;
    let web: { clientId: string; secret: string };
    let publicFetch: typeof fetch;

    before(async function () {
      if (!isHere()) this.skip();
      service = await startService({ PUBLIC_URL: issuer, TRUSTED_PROXIES: '127.0.0.1' });
      proxy = await startProxy({ target: service.origin, strip });
      publicFetch = rerouted(publicOrigin, proxy.origin);
      web = await service.addClient({
        clientId: 'web',
        metadata: {
          redirect_uris: ['http://127.0.0.1:5000/callback'],
          post_logout_redirect_uris: [POST_LOGOUT],
          first_party: true,
        },
      });
    });
    after(async () => {
      await proxy?.[Symbol.asyncDispose]();
      await service?.[Symbol.asyncDispose]();
    });

    it('signs in, gives tokens and claims, refreshes, signs out', async () => {
      const config = await client.discovery(new URL(issuer), web.clientId, web.secret, undefined, {
        [client.customFetch]: publicFetch as client.CustomFetch,
      });
      const agent = createPublicUserAgent(publicOrigin, proxy.origin);
      const { url, checks } = await authorizationRequest({ config }, { scope: 'openid email offline_access' });
      const { redirectUri: _, ...expected } = checks;
      const callback = callbackOf(await signIn(agent, url));
      assert.equal(callback.searchParams.get('iss'), issuer);
      const tokens = await client.authorizationCodeGrant(config, callback, expected);
      const { sub, iss } = tokens.claims() as client.IDToken;
      assert.equal(iss, issuer);
      assert.equal((await client.fetchUserInfo(config, tokens.access_token, sub)).email, 'demo@example.com');
      const refreshed = await client.refreshTokenGrant(config, String(tokens.refresh_token));
      assert.ok(refreshed.access_token);

      const silent = await authorizationRequest({ config }, { prompt: 'none' });
      assert.ok(callbackOf(await agent.open(silent.url.href)).searchParams.get('code'), 'the session cookie came back');

      const logout = client.buildEndSessionUrl(config, {
        id_token_hint: String(tokens.id_token),
        post_logout_redirect_uri: POST_LOGOUT,
      });
      const question = await agent.open(logout.href);
      const action = question.document.querySelector('form')?.getAttribute('action');
      assert.equal(new URL(String(action), question.url).href, `${issuer}/logout/confirm`);
      const signedOut = await agent.submit(question, { logout: 'yes' });
      assert.equal(signedOut.response.headers.get('location'), POST_LOGOUT);
      const again = await authorizationRequest({ config }, { prompt: 'none' });
      assert.equal(callbackOf(await agent.open(again.url.href)).searchParams.get('error'), 'login_required');
    });

    it('answers both shapes of both well-known URLs, with nothing but URLs below the issuer (RFC 8414 §3.1)', async () => {
      const shapes = ['openid-configuration', 'oauth-authorization-server'].flatMap((name) => [
        `${issuer}/.well-known/${name}`,
        `${publicOrigin}/.well-known/${name}${prefix}`,
      ]);
      for (const shape of shapes) {
        const answer = await publicFetch(shape);
        assert.equal(answer.status, 200, shape);
        const metadata = (await answer.json()) as Record<string, unknown>;
        assert.equal(metadata['issuer'], issuer);
        const urls = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$|session_iframe$/.test(name));
        assert.ok(urls.length >= 7);
        for (const [name, url] of urls) assert.ok(String(url).startsWith(`${issuer}/`), `${name}: ${url}`);
      }
    });

    it('sets cookies for the issuer alone: Secure, HttpOnly, SameSite=Lax, with a prefixed name below its path (R41)', async () => {
      const agent = createPublicUserAgent(publicOrigin, proxy.origin);
      const config = await client.discovery(new URL(issuer), web.clientId, web.secret, undefined, {
        [client.customFetch]: publicFetch as client.CustomFetch,
      });
      const { url } = await authorizationRequest({ config });
      await signIn(agent, url);
      const cookies = (await agent.cookies.serialize()).cookies;
      const session = cookies.filter(({ key }) => /session/.test(String(key)));
      assert.ok(session.length > 0);
      for (const cookie of cookies) {
        assert.match(String(cookie['key']), /^__(Secure|Host)-/);
        assert.deepEqual([cookie['secure'], cookie['httpOnly'], cookie['sameSite']], [true, true, 'lax']);
        assert.ok(`${cookie['path']}/`.startsWith(`${prefix}/`), String(cookie['path']));
        assert.equal(cookie['hostOnly'], true, 'no Domain');
      }
      for (const { key, path } of session) {
        assert.match(String(key), prefix ? /^__Secure-/ : /^__Host-/);
        assert.equal(path, prefix || '/');
      }
    });

    const claims: [string, Record<string, string>][] = [
      ['Host', { host: 'evil.example' }],
      ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.example' }],
      ['X-Forwarded-Port', { 'x-forwarded-port': '6666' }],
      ['X-Forwarded-Prefix', { 'x-forwarded-prefix': '/evil' }],
      ['Forwarded', { forwarded: 'host=evil.example;proto=http' }],
      ['X-Original-URL', { 'x-original-url': '/evil' }],
    ];
    for (const [name, headers] of claims) {
      it(`derives nothing from ${name} (R44)`, async () => {
        const metadata = '/.well-known/openid-configuration';
        const [honest, lying] = [await ask(metadata), await ask(metadata, headers)];
        assert.equal(lying.status, 200);
        assert.equal(lying.body, honest.body);
        const query = new URLSearchParams({
          client_id: 'web',
          response_type: 'code',
          scope: 'openid',
          redirect_uri: 'http://127.0.0.1:5000/callback',
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
          code_challenge_method: 'S256',
        });
        const answer = await ask(`/authorize?${query}`, headers);
        assert.equal(answer.status, 303);
        assert.match(String(answer.headers.location), new RegExp(`^(${publicOrigin})?${prefix}/login/`));
        assert.doesNotMatch(String(answer.headers['set-cookie']), /evil|domain=/i);
      });
    }

    /** A request to the proxy with just these headers: `fetch` would not lie about `Host`. */
    async function ask(path: string, headers: Record<string, string> = {}) {
      const asked = request(`${proxy.origin}${prefix}${path}`, { headers }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      return { status: response.statusCode, headers: response.headers, body: await text(response) };
    }

    // everybody who asks nginx comes from this machine, which is trusted
    const logsTheAddress = startProxy === startReverseProxy ? it : () => {};
    logsTheAddress('logs the address that the proxy saw, not the one that the client pretends (R45)', async () => {
      service.log.length = 0;
      await publicFetch(`${issuer}/jwks`, { headers: { 'x-forwarded-for': '203.0.113.66' } });
      assert.equal(JSON.parse(String(service.log.at(-1))).ip, '198.51.100.7');
    });
  });
}

describe('proxies: one that is not listed in TRUSTED_PROXIES', () => {
  let service: Service;
  let proxy: ReverseProxy;
  before(async () => {
    service = await startService({ PUBLIC_URL: PREFIXED });
    proxy = await startReverseProxy({ target: service.origin });
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  function warnings(): Record<string, unknown>[] {
    return service.log.map((line) => JSON.parse(line)).filter(({ level }) => level === 40);
  }

  it('gets 400 with the name of the variable, and one warning a minute with its address (R46)', async () => {
    for (const path of ['/authorize', '/token', '/.well-known/openid-configuration']) {
      const answer = await fetch(`${proxy.origin}/identity-backend${path}`);
      assert.equal(answer.status, 400);
      const { error, error_description: description } = (await answer.json()) as Record<string, string>;
      assert.equal(error, 'invalid_request');
      assert.match(String(description), /TRUSTED_PROXIES/);
      assert.deepEqual(answer.headers.getSetCookie(), []);
    }
    const page = await fetch(`${proxy.origin}/identity-backend/authorize`, { headers: { accept: 'text/html' } });
    assert.match(await page.text(), /TRUSTED_PROXIES/);

    assert.equal(warnings().length, 1);
    assert.equal(warnings()[0]?.['peer'], '127.0.0.1');
    assert.match(String(warnings()[0]?.['msg']), /127\.0\.0\.1 is your proxy, it is not listed in TRUSTED_PROXIES/);
    const now = Date.now;
    Date.now = () => now() + 61_000;
    try {
      await fetch(`${proxy.origin}/identity-backend/jwks`);
    } finally {
      Date.now = now;
    }
    assert.equal(warnings().length, 2);
  });

  it('does not stand in the way of health probes', async () => {
    assert.equal((await fetch(`${proxy.origin}/identity-backend/ping`)).status, 200);
    assert.equal((await fetch(`${proxy.origin}/identity-backend/ready`)).status, 200);
  });
});
