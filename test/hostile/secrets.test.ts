// Looks for secrets where they must never be: in the log, in refusals, in the answers of the development endpoints.
import assert from 'node:assert/strict';
import { assertAlive } from '../support/raw-http.ts';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  logIn,
  postForm,
  redeem,
  signIn,
} from '../support/relying-party.ts';
import { newSecret, type Service, startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

/** Typed as a password, sent as a secret: easy to find again. */
const CANARY = 'canary-Zk3vQ8';

describe('secrets', () => {
  const environment = {
    COOKIE_SECRET: newSecret(),
    JWT_SECRET_KEY: newSecret(),
    ENCRYPTION_KEY: newSecret(),
    BROWSER_UI_CLIENT_SECRET: newSecret(),
  };
  /** what must not turn up, by what it is */
  const secrets = new Map<string, string>(Object.entries(environment));
  /** the bodies of refusals, and of everything that may show none */
  const bodies: string[] = [];
  let service: Service;

  before(async () => {
    service = await startService({ NODE_ENV: 'development', LOG_LEVEL: 'trace', ...environment });
    await service.accounts.add({ username: 'canary', password: `${CANARY} the right one` });
    await flows();
    await attacks();
  });
  after(() => service[Symbol.asyncDispose]());

  /** Everything that is done with secrets when nothing goes wrong. */
  async function flows(): Promise<void> {
    const party = await addRelyingParty(
      service,
      { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] },
      { 'logging-service': null },
    );
    secrets.set('client secret', party.secret);
    const agent = createUserAgent(service.origin);
    const { url, checks } = await authorizationRequest(party, { scope: 'openid offline_access', prompt: 'consent' });
    secrets.set('PKCE verifier', String(checks.pkceCodeVerifier));
    const consent = await signIn(agent, url, 'canary', `${CANARY} the right one`);
    const callback = callbackOf(await agent.submit(consent, {}, 'allow'));
    secrets.set('authorization code', String(callback.searchParams.get('code')));
    const tokens = await redeem(party, callback, checks);
    for (const cookie of await agent.cookies.getCookies(service.origin))
      secrets.set(`cookie ${cookie.key}`, cookie.value);
    secrets
      .set('access token', tokens.access_token)
      .set('refresh token', String(tokens.refresh_token))
      .set('ID token', String(tokens.id_token));

    await fetch(`${service.origin}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    await postForm(party, '/introspect', { token: tokens.access_token });
    const refreshed = await postForm(party, '/token', {
      grant_type: 'refresh_token',
      refresh_token: String(tokens.refresh_token),
    });
    secrets.set('second refresh token', String(refreshed.body['refresh_token']));
    const service1 = await postForm(party, '/token', { grant_type: 'client_credentials', audience: 'logging-service' });
    secrets.set('service token', String(service1.body['access_token']));
    await verify(String(service1.body['access_token']), 'logging-service');
    await fetch(`${service.origin}/logout?id_token_hint=${tokens.id_token}`);
    await postForm(party, '/revoke', { token: String(refreshed.body['refresh_token']) });

    // used up: whoever replays them is refused, and told nothing
    bodies.push(
      JSON.stringify(
        await postForm(party, '/token', { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) }),
      ),
    );
    bodies.push(
      JSON.stringify(
        await postForm(party, '/token', {
          grant_type: 'authorization_code',
          code: String(callback.searchParams.get('code')),
          redirect_uri: checks.redirectUri,
          code_verifier: String(checks.pkceCodeVerifier),
        }),
      ),
    );
    bodies.push(await (await verify(String(service1.body['access_token']), 'another-service')).text());
  }

  /** Secrets in every place where they do not belong. */
  async function attacks(): Promise<void> {
    const agent = createUserAgent(service.origin);
    const party = await addRelyingParty(service);
    secrets.set('another client secret', party.secret);
    await logIn(party, {}, agent);
    const { url } = await authorizationRequest(party);
    const stranger = createUserAgent(service.origin);
    const page = await stranger.open(url.href);
    // people type passwords where names belong
    await stranger.submit(page, { login: `${CANARY}-typed-as-a-name`, password: `${CANARY} wrong` });
    secrets.set('canary', CANARY);

    const headers = {
      authorization: `Bearer ${CANARY}`,
      cookie: `session=${CANARY}; session.sig=${CANARY}`,
      'x-api-key': CANARY,
      'user-agent': CANARY,
      referer: `http://evil.example/?code=${CANARY}`,
    };
    const parameters = {
      grant_type: 'authorization_code',
      code: CANARY,
      client_secret: CANARY,
      client_id: party.clientId,
      password: CANARY,
      refresh_token: CANARY,
      token: CANARY,
      client_assertion: CANARY,
    };
    const targets = [
      '/token',
      '/verify',
      '/introspect',
      '/revoke',
      '/par',
      '/userinfo',
      '/authorize',
      '/logout',
      '/logout/confirm',
      '/login/abc',
      '/ping',
      '/nothing',
    ];
    for (const target of targets) {
      const requests: RequestInit[] = [
        { method: 'POST', headers, body: new URLSearchParams(parameters) },
        {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ ...parameters, sub: party.clientId, aud: 'logging-service', grant_type: undefined }),
        },
        {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: `{"password":"${CANARY}"`,
        },
        {
          method: 'POST',
          headers: {
            ...headers,
            authorization: `Basic ${Buffer.from(`${party.clientId}:${CANARY}`).toString('base64')}`,
          },
          body: new URLSearchParams({ grant_type: 'client_credentials' }),
        },
        { method: 'GET', headers },
      ];
      for (const [index, request] of requests.entries()) {
        const query = index === 4 ? `?${new URLSearchParams(parameters)}` : '';
        const response = await fetch(`${service.origin}${target}${query}`, { redirect: 'manual', ...request });
        bodies.push(await response.text());
      }
    }
    for (const path of ['/debug-env', '/ready', '/', '/.well-known/openid-configuration', '/jwks']) {
      bodies.push(await (await fetch(service.origin + path)).text());
    }
    await assertAlive(service.origin);
  }

  function verify(token: string, aud: string): Promise<Response> {
    return fetch(`${service.origin}/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, aud }),
    });
  }

  /** A secret as it is, escaped for a URL, and in base64, as Basic has it. */
  const spellings = (secret: string) => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').slice(0, -4),
  ];

  function assertNowhere(texts: readonly string[]): void {
    for (const [name, secret] of secrets) {
      assert.ok(secret.length >= 10, `${name} is too short to look for: ${secret}`);
      for (const spelling of spellings(secret)) {
        const found = texts.find((text) => text.includes(spelling));
        assert.equal(found, undefined, `${name} is in ${found}`);
      }
    }
  }

  it('are in no line of the log (security requirement R59)', () => {
    assert.ok(service.log.length > 50);
    assertNowhere(service.log);
  });

  it('are in no refusal and in nothing that everybody may read (security requirement R59)', () => {
    assert.ok(bodies.length > 60);
    assertNowhere(bodies);
  });

  it('leave lines of JSON behind, one per event and none too long (security requirement R68)', async () => {
    const began = service.log.length;
    const hostile = [
      '\r\n{"level":60,"msg":"forged"}',
      '\u2028\u2029',
      '\u001b[31mred',
      '"}\n{"a":"',
      'a'.repeat(7_000),
      '\u202eevil',
    ];
    for (const text of hostile) {
      await fetch(`${service.origin}/${encodeURIComponent(text)}`);
      await fetch(`${service.origin}/authorize?client_id=${encodeURIComponent(text)}`);
      await postForm({ ...(await addRelyingParty(service)), clientId: text }, '/token', { grant_type: text });
      await verify(text, text);
    }
    const lines = service.log.slice(began);
    assert.ok(lines.length >= 4 * hostile.length);
    for (const line of lines) {
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.doesNotMatch(line.slice(0, -1), /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
      const { level, msg } = JSON.parse(line);
      assert.ok(level < 50 && msg !== 'forged', line);
      assert.ok(line.length < 8_192, line);
      for (const value of Object.values(JSON.parse(line))) assert.ok(JSON.stringify(value).length <= 1_100, line);
    }
  });
});
