// Stories of client authentication: each method as registered, and one refusal for every kind of failure.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { addRelyingParty, logIn, type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

function basic(clientId: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`;
}

function unsignedAssertion(clientId: string): string {
  const part = (members: object) => Buffer.from(JSON.stringify(members)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part({ iss: clientId, sub: clientId })}.AAAA`;
}

describe('Client authentication', () => {
  let service: Service;
  let withBasic: RelyingParty;
  let withPost: RelyingParty;
  before(async () => {
    service = await startService();
    await register();
  });
  after(() => service[Symbol.asyncDispose]());

  async function register() {
    const grants = { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] };
    withBasic = await addRelyingParty(service, { ...grants, token_endpoint_auth_method: 'client_secret_basic' });
    withPost = await addRelyingParty(
      service,
      { ...grants, token_endpoint_auth_method: 'client_secret_post' },
      {},
      client.ClientSecretPost(),
    );
  }

  function requestToken(headers: Record<string, string>, body: Record<string, string> = {}, path = '/token') {
    return fetch(service.origin + path, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ grant_type: 'client_credentials', token: 'x', ...body }),
    });
  }

  it('takes a secret by HTTP Basic, form-encoded (RFC 6749 §2.3.1)', async () => {
    assert.ok((await logIn(withBasic)).tokens.access_token);
  });

  it('takes a secret either way from a client for which no method was chosen', async () => {
    const party = await addRelyingParty(service);
    assert.ok((await logIn(party)).tokens.access_token);
    const config = await client.discovery(
      new URL(service.issuer),
      party.clientId,
      party.secret,
      client.ClientSecretPost(party.secret),
      { execute: [client.allowInsecureRequests] },
    );
    assert.ok((await logIn({ ...party, config })).tokens.access_token);
  });

  it('takes a secret in the body of a client registered for it', async () => {
    const config = await client.discovery(
      new URL(service.issuer),
      withPost.clientId,
      withPost.secret,
      client.ClientSecretPost(withPost.secret),
      { execute: [client.allowInsecureRequests] },
    );
    assert.ok((await logIn({ ...withPost, config })).tokens.access_token);
  });

  it('takes a public client at its word, with PKCE', async () => {
    const party = await addRelyingParty(service, { token_endpoint_auth_method: 'none' });
    assert.equal(party.secret, '');
    assert.ok((await logIn(party)).tokens.access_token);
  });

  const refused: [name: string, headers: () => Record<string, string>, body?: () => Record<string, string>][] = [
    ['a wrong secret', () => ({ authorization: basic(withBasic.clientId, 'wrong') })],
    ['an unknown client', () => ({ authorization: basic('nobody', withBasic.secret) })],
    ['a space behind the secret', () => ({ authorization: basic(withBasic.clientId, `${withBasic.secret} `) })],
    ['a secret cut short', () => ({ authorization: basic(withBasic.clientId, withBasic.secret.slice(0, -1)) })],
    ['the secret of another client', () => ({ authorization: basic(withBasic.clientId, withPost.secret) })],
    ['a client id in other case', () => ({ authorization: basic(withBasic.clientId.toUpperCase(), withBasic.secret) })],
    ['no secret', () => ({}), () => ({ client_id: withBasic.clientId })],
    [
      'the right secret in the body, when registered for the header',
      () => ({}),
      () => ({ client_id: withBasic.clientId, client_secret: withBasic.secret }),
    ],
    [
      'the right secret in the header, when registered for the body',
      () => ({ authorization: basic(withPost.clientId, withPost.secret) }),
    ],
    [
      'a wrong secret in the body',
      () => ({}),
      () => ({ client_id: withPost.clientId, client_secret: withBasic.secret }),
    ],
    [
      'an assertion from a client registered for a secret',
      () => ({}),
      () => ({ client_assertion_type: ASSERTION_TYPE, client_assertion: unsignedAssertion(withBasic.clientId) }),
    ],
  ];
  for (const path of ['/token', '/introspect', '/revoke', '/par']) {
    it(`refuses every failure at ${path} alike: 401 invalid_client (RFC 6749 §5.2)`, async () => {
      await register(); // who failed often already would be asked to wait
      const answers = new Map<string, string[]>();
      for (const [name, headers, body] of refused) {
        const response = await requestToken(headers(), body?.(), path);
        const answer = JSON.stringify([response.status, await response.text()]);
        answers.set(answer, [...(answers.get(answer) ?? []), name]);
        assert.equal(response.headers.get('cache-control'), 'no-store', name);
      }
      const [answer] = answers.keys();
      assert.equal(answers.size, 1, JSON.stringify([...answers], undefined, 2));
      assert.match(String(answer), /^\[401,"\{\\"error\\":\\"invalid_client\\"/);
    });
  }

  const malformed: [name: string, authorization: () => string][] = [
    ['an empty secret', () => basic(withBasic.clientId, '')],
    ['a NUL behind the secret', () => basic(withBasic.clientId, `${withBasic.secret}\0`)],
    ['a line feed behind the secret', () => basic(withBasic.clientId, `${withBasic.secret}\n`)],
    ['no colon', () => `Basic ${Buffer.from(withBasic.clientId).toString('base64')}`],
    ['base64 that is none', () => 'Basic !'],
    ['another scheme', () => 'Digest username="a"'],
  ];
  for (const [name, authorization] of malformed) {
    it(`refuses an Authorization header with ${name}`, async () => {
      const response = await requestToken({ authorization: authorization() });
      assert.equal(response.status, 400);
      assert.equal(((await response.json()) as { error: string }).error, 'invalid_request');
    });
  }

  it('takes the secret of browser-ui in the body, as the older clients of the platform send it', async () => {
    const browserUi = await relyingParty(
      service,
      'browser-ui',
      'a-browser-ui-secret-for-tests',
      client.ClientSecretPost('a-browser-ui-secret-for-tests'),
    );
    assert.ok((await logIn(browserUi)).tokens.access_token);
  });

  it('lets no more than 20 failures a minute pass as such, but the right secret always (RFC 6585 §4)', async () => {
    await register();
    const authorization = (secret: string) => ({ authorization: basic(withBasic.clientId, secret) });
    const statuses = new Map<number, number>();
    let throttled: Response | undefined;
    for (let count = 0; count < 45; count++) {
      const response = await requestToken(authorization('wrong'), {}, ['/token', '/introspect', '/par'][count % 3]);
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      if (response.status === 429) throttled = response;
    }
    // at most two minutes were touched
    assert.ok([20, 40].includes(statuses.get(401) ?? 0) && statuses.size === 2, JSON.stringify([...statuses]));
    const wait = Number(throttled?.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 60, String(wait));
    assert.match(String(await throttled?.text()), /^\{"error":"invalid_client",/);
    assert.equal((await requestToken(authorization(withBasic.secret))).status, 200);
  });

  it('counts failures of a client that does not exist too, and of the JSON form', async () => {
    const body = JSON.stringify({ sub: 'nobody-at-all', aud: 'logging-service', client_secret: 'wrong' });
    const headers = { 'content-type': 'application/json' };
    let status = 0;
    for (let count = 0; count < 45 && status !== 429; count++) {
      ({ status } = await fetch(`${service.origin}/token`, { method: 'POST', headers, body }));
    }
    assert.equal(status, 429);
  });

  it('names the scheme to a client that tried it (RFC 6749 §5.2)', async () => {
    await register();
    const response = await requestToken({ authorization: basic(withBasic.clientId, 'wrong') });
    assert.match(String(response.headers.get('www-authenticate')), /^Basic /);
  });

  it('refuses two methods at once (RFC 6749 §2.3)', async () => {
    const response = await requestToken(
      { authorization: basic(withBasic.clientId, withBasic.secret) },
      { client_id: withBasic.clientId, client_secret: withBasic.secret },
    );
    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as { error: string }).error, 'invalid_request');
  });
});
