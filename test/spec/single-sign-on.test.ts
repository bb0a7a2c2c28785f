// The specification of the identity provider: its REST API and its two sequence diagrams, as the old clients speak them.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose';
import { type Platform, startPlatform } from '../support/platform.ts';
import { newSecret } from '../support/service.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';
import { invokeRestMethod } from './command-line.ts';

const redirectUri = 'http://localhost:5000/callback';
const clientSecret = 'dev-client-secret-default';
const json = { 'Content-Type': 'application/json' };

describe('spec: single sign-on and its REST API', () => {
  let platform: Platform;
  let identity: string;
  let agent: UserAgent;

  before(async () => {
    platform = await startPlatform({
      BROWSER_UI_CLIENT_SECRET: clientSecret,
      BROWSER_UI_REDIRECT_URIS: redirectUri,
    });
    identity = platform.identity;
    await platform.service.accounts.add({ username: 'u', password: 'p' });
  });
  beforeEach(() => {
    agent = createUserAgent(identity);
  });
  after(() => platform[Symbol.asyncDispose]());

  /** The diagram's first request: without PKCE, which the clients of the old service do not know. */
  const authorize = (parameters: Record<string, string> = {}) => {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: 'browser-ui',
      redirect_uri: redirectUri,
      state: 'af0ifjsldkj',
      scope: 'openid',
      ...parameters,
    });
    return agent.open(`${identity}/authorize?${query}`);
  };
  const redirectOf = (page: Page) => new URL(page.response.headers.get('location') ?? 'none:');
  const signIn = async () => redirectOf(await agent.submit(await authorize(), { login: 'u', password: 'p' }));
  const exchange = (code: string) =>
    invokeRestMethod({
      uri: `${identity}/token`,
      method: 'POST',
      headers: json,
      body: JSON.stringify({
        grant_type: 'authorization_code',
        code,
        client_id: 'browser-ui',
        client_secret: clientSecret,
        redirect_uri: redirectUri,
      }),
    }) as Promise<{ id_token: string; access_token: string }>;

  describe('1. user SSO', () => {
    it('shows the login form, redirects with code and state, and exchanges the code for an ID token', async () => {
      const form = await authorize();
      assert.ok(form.document.querySelector('form input[name=password]'));
      const callback = redirectOf(await agent.submit(form, { login: 'u', password: 'p' }));
      assert.equal(callback.origin + callback.pathname, redirectUri);
      assert.equal(callback.searchParams.get('state'), 'af0ifjsldkj');

      const { id_token } = await exchange(callback.searchParams.get('code') ?? '');
      const keys = createRemoteJWKSet(new URL(`${identity}/jwks`));
      const { payload, protectedHeader } = await jwtVerify(id_token, keys, {
        issuer: identity,
        audience: 'browser-ui',
      });
      assert.equal(protectedHeader.alg, 'RS256');
      assert.ok(payload.sub);
    });

    it('shows an error when the login failed, and the same form again', async () => {
      const failed = await agent.submit(await authorize(), { login: 'u', password: 'wrong' });
      assert.ok(failed.document.querySelector('[role=alert]'));
      const callback = redirectOf(await agent.submit(failed, { login: 'u', password: 'p' }));
      assert.ok(callback.searchParams.get('code'));
    });

    it('accepts the code once', async () => {
      const code = (await signIn()).searchParams.get('code') ?? '';
      await exchange(code);
      await assert.rejects(exchange(code), /400 .*invalid_grant/);
    });

    it('signs in silently while the session lasts, and asks again after logout', async () => {
      await signIn();
      assert.ok(redirectOf(await authorize({ prompt: 'none' })).searchParams.get('code'));
      const signedOut = await agent.submit(await agent.open(`${identity}/logout`), {}, 'sign-out');
      assert.equal(signedOut.response.status, 200);
      const silent = redirectOf(await authorize({ prompt: 'none' }));
      assert.equal(silent.searchParams.get('error'), 'login_required');
    });
  });

  describe('2. a service signs its own JWT with the shared secret', () => {
    const signed = (secret: string) =>
      new SignJWT({ iss: identity, sub: 'worker', aud: 'logging-service' })
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(Buffer.from(secret));
    const write = (token: string) =>
      invokeRestMethod({
        uri: `${platform.logging}/log`,
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, ...json },
        body: '{"service":"worker","level":"INFO","message":"from the worker"}',
      });

    it('which the logging service and /verify accept', async () => {
      const token = await signed(platform.service.config.jwtSecrets[0] ?? '');
      await write(token);
      const body = JSON.stringify({ token, aud: 'logging-service' });
      const uri = `${identity}/verify`;
      assert.deepEqual(await invokeRestMethod({ uri, method: 'POST', headers: json, body }), {
        valid: true,
        claims: decodeJwt(token),
      });
    });

    it('which the logging service refuses when the secret is another', async () => {
      await assert.rejects(write(await signed(newSecret())), /401/);
    });
  });

  describe('the REST API', () => {
    it('GET /test-token issues a JWT for testing', async () => {
      const { token } = (await invokeRestMethod({ uri: `${identity}/test-token` })) as { token: string };
      const logs = { uri: `${platform.logging}/logs`, headers: { Authorization: `Bearer ${token}` } };
      assert.ok(Array.isArray(await invokeRestMethod(logs)));
    });

    it('GET /.well-known/openid-configuration names the endpoints of the specification', async () => {
      const metadata = await invokeRestMethod({ uri: `${identity}/.well-known/openid-configuration` });
      const { issuer, authorization_endpoint, token_endpoint, end_session_endpoint } = metadata as Record<
        string,
        string
      >;
      assert.deepEqual(
        { issuer, authorization_endpoint, token_endpoint, end_session_endpoint },
        {
          issuer: identity,
          authorization_endpoint: `${identity}/authorize`,
          token_endpoint: `${identity}/token`,
          end_session_endpoint: `${identity}/logout`,
        },
      );
    });
  });
});
