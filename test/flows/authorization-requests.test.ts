// Stories of authorization requests that must succeed, and of what their responses look like.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as client from 'openid-client';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  logIn,
  postForm,
  type RelyingParty,
  redeem,
  signIn,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';

/** Bits of Shannon entropy, as the conformance suite counts them. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const perCharacter = [...counts.values()].map((n) => -(n / text.length) * Math.log2(n / text.length));
  return text.length * perCharacter.reduce((sum, bits) => sum + bits, 0);
}

describe('Authorization requests', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service, { require_pkce: false });
  });
  after(() => service[Symbol.asyncDispose]());

  it('answers with state, iss and a code of at least 128 bits (RFC 6749 §4.1.2, RFC 9207)', async () => {
    const state = 'aZ09-._~'.repeat(16);
    const { url } = await authorizationRequest(party, { state });
    const page = await signIn(createUserAgent(service.origin), url);
    const { searchParams } = callbackOf(page);
    assert.deepEqual([...searchParams.keys()].sort(), ['code', 'iss', 'state']);
    assert.equal(searchParams.get('state'), state);
    assert.equal(searchParams.get('iss'), service.issuer);
    assert.ok(String(searchParams.get('code')).length >= 22);
    assert.ok(entropy(String(searchParams.get('code'))) > 96);
    assert.equal(page.response.headers.get('referrer-policy'), 'no-referrer');
  });

  it('gives an ID token that a published key verifies, with nothing but protocol claims (OIDC Core §2)', async () => {
    const { tokens, claims } = await logIn(party);
    const jwks = createRemoteJWKSet(new URL(`${service.origin}/jwks`));
    await jwtVerify(String(tokens.id_token), jwks, { issuer: service.issuer, audience: party.clientId });
    const { alg, kid } = decodeProtectedHeader(String(tokens.id_token));
    assert.equal(alg, 'RS256');
    assert.ok(kid);
    const known = new Set('iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash sid'.split(' '));
    assert.deepEqual(
      Object.keys(claims).filter((name) => !known.has(name)),
      [],
    );
    assert.match(claims.sub, /^[0-9a-f-]{36}$/);
    assert.equal(tokens.token_type, 'bearer');
    assert.ok(Number(tokens.expires_in) > 0 && Number(tokens.expires_in) <= 3600);
    assert.ok(entropy(tokens.access_token) >= 96);
  });

  it('leaves nonce out of the ID token when none was sent (OIDC Core §3.1.3.6)', async () => {
    const { claims } = await logIn(party, { nonce: '' });
    assert.equal(claims.nonce, undefined);
  });

  const parameters: [name: string, parameters: Record<string, string>][] = [
    ['no PKCE from a client registered without it', { code_challenge: '', code_challenge_method: '' }],
    ['PKCE from a client registered without it', {}],
    ['display=page', { display: 'page' }],
    ['display=popup', { display: 'popup' }],
    ['ui_locales', { ui_locales: 'se' }],
    ['claims_locales', { claims_locales: 'se' }],
    ['an unknown parameter', { extra: 'foobar' }],
    ['unknown acr_values', { acr_values: '1 2' }],
    ['an unknown scope', { scope: 'openid something-else' }],
    ['response_mode=query', { response_mode: 'query' }],
  ];
  for (const [name, extra] of parameters) {
    it(`signs in with ${name} (OIDC Core §3.1.2.1)`, async () => {
      const { claims } = await logIn(party, extra);
      assert.ok(claims.sub);
    });
  }

  it('takes the parameters in any order', async () => {
    const { url, checks } = await authorizationRequest(party, { scope: 'email openid' });
    url.search = new URLSearchParams([...url.searchParams].sort(([a], [b]) => (a < b ? 1 : -1))).toString();
    const tokens = await redeem(party, callbackOf(await signIn(createUserAgent(service.origin), url)), checks);
    assert.ok(tokens.claims()?.sub);
  });

  it('names its level of authentication when it is among those asked for (OIDC Core §2)', async () => {
    const supported = party.config.serverMetadata().acr_values_supported as string[];
    const { claims } = await logIn(party, { acr_values: supported.join(' ') });
    assert.ok(supported.includes(String(claims['acr'])));
  });

  it('fills in the name that login_hint gives, escaped (OIDC Core §3.1.2.1)', async () => {
    const hint = '"><svg onload=alert(1)>';
    const { url } = await authorizationRequest(party, { login_hint: hint });
    const page = await createUserAgent(service.origin).open(url.href);
    assert.equal(page.document.querySelector('#login')?.getAttribute('value'), hint);
    assert.ok(!page.text.includes('<svg onload'));
  });

  it('answers response_mode=form_post with a form that posts to the redirect URI (OAuth 2.0 Form Post §2)', async () => {
    const { url, checks } = await authorizationRequest(party, { response_mode: 'form_post' });
    const page = await signIn(createUserAgent(service.origin), url);
    assert.equal(page.response.status, 200);
    const form = page.document.querySelector('form');
    assert.equal(form?.getAttribute('method')?.toLowerCase(), 'post');
    assert.equal(form?.getAttribute('action'), checks.redirectUri);
    const fields = form.querySelectorAll('input').filter((input) => input.getAttribute('name'));
    const body = new URLSearchParams();
    for (const field of fields) body.set(String(field.getAttribute('name')), String(field.getAttribute('value')));
    assert.deepEqual([...body.keys()].sort(), ['code', 'iss', 'state']);
    const { redirectUri, ...expected } = checks;
    const tokens = await client.authorizationCodeGrant(
      party.config,
      new Request(redirectUri, { method: 'POST', body }),
      expected,
    );
    assert.ok(tokens.id_token);
    assertScriptAllowed(page);
  });

  it('takes a POST by redirecting to the same request as a GET (OIDC Core §3.1.2.1)', async () => {
    const { url, checks } = await authorizationRequest(party, { login_hint: 'alice & co' });
    const agent = createUserAgent(service.origin);
    const posted = await agent.fetch(`${service.origin}/authorize`, { method: 'POST', body: url.searchParams });
    assert.equal(posted.status, 303);
    const target = new URL(String(posted.headers.get('location')), service.origin);
    assert.deepEqual([...target.searchParams], [...url.searchParams]);
    const tokens = await redeem(party, callbackOf(await signIn(agent, target)), checks);
    assert.ok(tokens.claims()?.sub);
  });

  it('keeps the query of a registered redirect URI (RFC 6749 §3.1.2)', async () => {
    const redirectUri = 'http://127.0.0.1:5000/callback?bar=foo';
    const withQuery = await addRelyingParty(service, { redirect_uris: [redirectUri] });
    const { url, checks } = await authorizationRequest(withQuery, { redirect_uri: redirectUri });
    const callback = callbackOf(await signIn(createUserAgent(service.origin), url), 'http://127.0.0.1:5000/callback?');
    assert.equal(callback.searchParams.get('bar'), 'foo');
    const redeemed = await postForm(withQuery, '/token', {
      grant_type: 'authorization_code',
      code: String(callback.searchParams.get('code')),
      redirect_uri: redirectUri,
      code_verifier: String(checks.pkceCodeVerifier),
    });
    assert.equal(redeemed.status, 200);
  });

  it('lets only the port of a native loopback redirect URI differ (RFC 8252 §7.3)', async () => {
    const native = await addRelyingParty(service, {
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://127.0.0.1/callback'],
    });
    const redirectUri = 'http://127.0.0.1:51234/callback';
    const { url, checks } = await authorizationRequest(native, { redirect_uri: redirectUri });
    const agent = createUserAgent(service.origin);
    const consent = await signIn(agent, url);
    const callback = callbackOf(await agent.submit(consent, {}, 'allow'), redirectUri);
    assert.ok((await redeem(native, callback, checks)).access_token);
    const elsewhere = await authorizationRequest(native, { redirect_uri: 'http://127.0.0.1:51234/other' });
    assert.equal((await agent.open(elsewhere.url.href)).response.status, 400);
  });

  it('shows logo, policy and terms of the client on the sign-in page (OpenID Connect Registration §2)', async () => {
    const presented = await addRelyingParty(service, {
      client_name: 'Photo <Printer>',
      logo_uri: 'https://photos.example/logo.png',
      policy_uri: 'https://photos.example/privacy',
      tos_uri: 'https://photos.example/terms',
    });
    const { url } = await authorizationRequest(presented);
    const { document, response } = await createUserAgent(service.origin).open(url.href);
    assert.ok(document.querySelector('img[src="https://photos.example/logo.png"]'));
    assert.ok(document.querySelector('a[href="https://photos.example/privacy"]'));
    assert.ok(document.querySelector('a[href="https://photos.example/terms"]'));
    assert.match(document.text, /Photo &lt;Printer&gt;|Photo <Printer>/);
    assert.match(String(response.headers.get('content-security-policy')), /img-src [^;]*https:\/\/photos\.example/);
  });
});

/** The script that submits the form must not be blocked by the page's own policy. */
function assertScriptAllowed({ document, response }: Page): void {
  assert.ok(document.querySelector('script'));
  assert.match(String(response.headers.get('content-security-policy')), /script-src [^;]*'sha256-/);
}
