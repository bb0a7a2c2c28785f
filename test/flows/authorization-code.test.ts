// Stories of signing in by the authorization code flow, with openid-client as the relying party.
import assert from 'node:assert/strict';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const REDIRECT_URI = 'http://127.0.0.1:5000/callback';
const PASSWORD = 'correct horse battery';

async function discover(service: Service, clientId = 'browser-ui', secret = 'a-browser-ui-secret-for-tests') {
  const config = await client.discovery(new URL(service.issuer), clientId, secret, undefined, {
    execute: [client.allowInsecureRequests],
  });
  return config;
}

/** An authorization request by the book, and what the client remembers of it. */
async function begin(config: client.Configuration, parameters: Record<string, string> = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: 'openid',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...parameters,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce } };
}

async function signIn(agent: UserAgent, url: URL, login = 'alice', password = PASSWORD): Promise<Page> {
  const form = await agent.open(url.href);
  assert.equal(form.response.status, 200, form.text);
  return agent.submit(form, { login, password });
}

function callbackOf(page: Page): URL {
  const location = page.response.headers.get('location');
  assert.ok(
    location?.startsWith(REDIRECT_URI),
    `expected the callback, got ${page.response.status} ${location} ${page.text}`,
  );
  return new URL(String(location));
}

describe('Authorization code flow', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());

  it('signs in, gives ID token, claims by scope and a rotating refresh token (OIDC Core §3.1)', async () => {
    const config = await discover(service);
    const agent = createUserAgent(service.origin);
    const { url, checks } = await begin(config, { scope: 'openid profile email offline_access' });
    const tokens = await client.authorizationCodeGrant(config, callbackOf(await signIn(agent, url)), checks);
    const { sub } = tokens.claims() as client.IDToken;

    const claims = await client.fetchUserInfo(config, tokens.access_token, sub);
    assert.equal(claims.name, 'Demo User');
    assert.equal(claims.email, 'demo@example.com');
    assert.equal(claims['phone_number'], undefined);

    assert.ok(tokens.refresh_token);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' });
    await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token as string), {
      error: 'invalid_grant',
    });
  });

  it('gives a JWT for a granted audience, which verifies (RFC 8707, RFC 9068)', async () => {
    const config = await discover(service);
    const agent = createUserAgent(service.origin);
    const { url, checks } = await begin(config, { scope: 'openid logs:write', audience: 'logging-service' });
    const callback = callbackOf(await signIn(agent, url));
    const tokens = await client.authorizationCodeGrant(config, callback, checks, { audience: 'logging-service' });
    const claims = decodeJwt(tokens.access_token);
    assert.equal(claims.aud, 'logging-service');
    assert.equal(claims['scope'], 'logs:write');
    const answer = await fetch(`${service.origin}/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: tokens.access_token, aud: 'logging-service' }),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
  });
});
