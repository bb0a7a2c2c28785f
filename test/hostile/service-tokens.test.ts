// Hostile requests of services: the JSON forms of /token and /verify with every wrong type and every wrong credential.
import assert from 'node:assert/strict';
import {
  assertAlive,
  assertHarmless,
  assertRefused,
  exchange,
  formatRequest,
  type RawAnswer,
} from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

const WRONG_TYPES: [string, unknown][] = [
  ['null', null],
  ['true', true],
  ['a number', 1],
  ['a number beyond all integers', 1e308],
  ['a list', ['logging-service']],
  ['an empty list', []],
  ['an object', { $ne: null }],
  ['an object that is a string to some', { toString: 'logging-service' }],
  ['the empty string', ''],
];

/** Names that a careless query would take for more than a name (security requirement R73). */
const INJECTIONS = [
  "'",
  '"',
  "' OR '1'='1",
  "logging-service'; DROP TABLE clients;--",
  '%',
  'logging%',
  'logging_service',
  '\\',
  '*',
  '../logging-service',
  '$(id)',
  '{{7*7}}',
  '<svg onload=alert(1)>',
  '18446744073709551616',
  '-9223372036854775809',
  '__proto__',
  'constructor',
  'toString',
  'LOGGING-SERVICE',
  'logging-service ',
  ' logging-service',
  'ｌogging-service',
  'a'.repeat(8000),
];

const basic = (clientId: string, secret: string) =>
  `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`;

describe('a hostile service', () => {
  let service: Service;
  let secret: string;
  before(async () => {
    service = await startService();
    ({ secret } = await service.addClient({
      clientId: 'reports',
      metadata: { grant_types: ['client_credentials'] },
      audiences: { 'logging-service': null },
    }));
    await service.addClient({
      clientId: 'web',
      metadata: { redirect_uris: ['https://web.example/callback'] },
      audiences: { 'logging-service': null },
    });
  });
  after(() => service[Symbol.asyncDispose]());
  afterEach(() => assertAlive(service.origin));

  const post = (path: string, body: object | string, headers: Record<string, string> = {}) =>
    exchange(
      service.origin,
      formatRequest(`POST ${path}`, {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: {
          'Content-Type': typeof body === 'string' ? 'application/x-www-form-urlencoded' : 'application/json',
          ...headers,
        },
      }),
    );

  const request = () => ({ sub: 'reports', aud: 'logging-service', client_secret: secret });

  it('that is none gets its token, so that the refusals below mean something', async () => {
    const answer = await post('/token', request());
    assert.equal(answer.status, 200, answer.body);
    const verified = await post('/verify', { token: JSON.parse(answer.body).token, aud: 'logging-service' });
    assert.equal(verified.status, 200, verified.body);
  });

  for (const [what, value] of WRONG_TYPES) {
    for (const name of ['sub', 'aud', 'client_secret', 'client_id', 'grant_type']) {
      it(`gets no token with ${what} as ${name}`, async () => {
        const answer = await post('/token', { ...request(), [name]: value });
        const unauthenticated = value === '' && name.startsWith('client_');
        if (unauthenticated) assertRefused(answer, 401, 'invalid_client');
        else assertRefused(answer, 400, JSON.parse(answer.body).error);
      });
    }
    for (const name of ['token', 'aud']) {
      it(`verifies nothing with ${what} as ${name}`, async () => {
        assertRefused(await post('/verify', { token: 'a.b.c', aud: 'logging-service', [name]: value }), 400);
      });
    }
  }

  for (const name of ['sub', 'aud']) {
    it(`gets no token without ${name}`, async () => {
      assertRefused(await post('/token', { ...request(), [name]: undefined }), 400);
    });
  }

  it('gets no member of its request into the token but sub and aud', async () => {
    const extra = {
      iss: 'x',
      exp: 99_999_999_999,
      iat: 1,
      nbf: 1,
      jti: 'x',
      scope: 'admin',
      act: { sub: 'root' },
      kid: 'x',
    };
    const { body } = await post('/token', { ...request(), ...extra });
    const claims = JSON.parse(Buffer.from(JSON.parse(body).token.split('.')[1], 'base64url').toString());
    assert.deepEqual({ sub: claims.sub, aud: claims.aud }, { sub: 'reports', aud: 'logging-service' });
    for (const [name, value] of Object.entries(extra)) assert.notDeepEqual(claims[name], value, name);
  });

  for (const name of INJECTIONS) {
    it(`is as unknown as any other as ${JSON.stringify(name.slice(0, 40))}`, async () => {
      assertRefused(await post('/token', { ...request(), aud: name }), 403, 'invalid_target');
      assertRefused(
        await post('/token', { ...request(), sub: name }),
        name.length > 255 ? 400 : 401,
        name.length > 255 ? 'invalid_request' : 'invalid_client',
      );
      const form = `grant_type=client_credentials&client_id=${encodeURIComponent(name)}&client_secret=${secret}`;
      assertRefused(await post('/token', form), 401, 'invalid_client');
      const verified = await post('/verify', { token: name, aud: name });
      assert.deepEqual(
        [verified.status, verified.body],
        [401, '{"valid":false,"error":"invalid_token","reason":"unverifiable"}'],
      );
    });
  }

  /** What tells one refusal from another. */
  const told = ({ status, headers, body }: RawAnswer) => ({
    status,
    body,
    headers: [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date'),
  });

  it('cannot tell an unknown client from a wrong secret (RFC 6749 §5.2)', async () => {
    const ways: ((clientId: string, presented: string) => Promise<RawAnswer>)[] = [
      (clientId, presented) => post('/token', { sub: clientId, aud: 'logging-service', client_secret: presented }),
      (clientId, presented) =>
        post('/token', { sub: clientId, aud: 'logging-service' }, { Authorization: basic(clientId, presented) }),
      (clientId, presented) =>
        post('/token', `grant_type=client_credentials&client_id=${clientId}&client_secret=${presented}`),
      (clientId, presented) =>
        post('/token', 'grant_type=client_credentials', { Authorization: basic(clientId, presented) }),
      (clientId, presented) => post('/introspect', 'token=abc', { Authorization: basic(clientId, presented) }),
      (clientId, presented) => post('/revoke', 'token=abc', { Authorization: basic(clientId, presented) }),
    ];
    for (const [index, way] of ways.entries()) {
      // one of each for every way: who failed often already is asked to wait
      const [known, unknown] = [`known-${index}`, `unknown-${index}`];
      const { secret } = await service.addClient({
        clientId: known,
        metadata: { grant_types: ['client_credentials'] },
      });
      assertRefused(await way(unknown, 'wrong'), 401, 'invalid_client');
      for (const presented of ['wrong', `${secret}x`, secret.slice(0, -1), `${secret}%00`, `${secret}%20`]) {
        assert.deepEqual(told(await way(known, presented)), told(await way(unknown, presented)), presented);
      }
    }
  });

  const CREDENTIALS: [string, string, number, string][] = [
    ['nothing behind Basic', 'Basic', 401, 'invalid_client'],
    ['Basic that is not base64', 'Basic ####', 401, 'invalid_client'],
    ['Basic without a colon', `Basic ${Buffer.from('reports').toString('base64')}`, 401, 'invalid_client'],
    ['Basic with a malformed escape', `Basic ${Buffer.from('reports:%ZZ').toString('base64')}`, 401, 'invalid_client'],
    ['Basic that is not UTF-8', `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString('base64')}`, 401, 'invalid_client'],
    ['another scheme', 'Bearer abc', 401, 'invalid_client'],
    ['a scheme that nobody knows', 'Negotiate abc', 401, 'invalid_client'],
    ['10 KB', `Basic ${'QUFB'.repeat(2500)}`, 401, 'invalid_client'],
  ];
  for (const [what, authorization, status, error] of CREDENTIALS) {
    it(`is not authenticated by ${what}`, async () => {
      const { client_secret: _, ...body } = request();
      const answer = await post('/token', body, { Authorization: authorization });
      assertRefused(answer, status, error);
      const form = await post('/token', 'grant_type=client_credentials', { Authorization: authorization });
      assert.ok(form.status === 400 || form.status === 401, form.body);
      assertHarmless(form);
    });
  }

  it('may use one way of authentication only (RFC 6749 §2.3)', async () => {
    assertRefused(await post('/token', request(), { Authorization: basic('reports', secret) }), 400);
  });

  for (const bound of ['dpop_bound_access_tokens', 'tls_client_certificate_bound_access_tokens']) {
    it(`gets no token for whoever has its secret when it registered ${bound} (RFC 9449 §5.2, RFC 8705 §3.4)`, async () => {
      await using mtls = await startService({ OIDC_FEATURES: 'mtls' });
      const client = await mtls.addClient({
        clientId: 'bound',
        metadata: { grant_types: ['client_credentials'], [bound]: true },
        audiences: { 'logging-service': null },
      });
      const response = await fetch(`${mtls.origin}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sub: 'bound', aud: 'logging-service', client_secret: client.secret }),
      });
      assert.equal(response.status, 400);
      assert.equal(((await response.json()) as { error: string }).error, 'invalid_grant');
    });
  }

  it('may not do what its client is not registered for', async () => {
    assertRefused(
      await post('/token', { ...request(), sub: 'somebody-else', client_id: 'reports' }),
      403,
      'unauthorized_client',
    );
  });

  it('gets a 401 that says how to authenticate (RFC 9110 §11.6.1)', async () => {
    const answer = await post(
      '/token',
      { sub: 'reports', aud: 'logging-service' },
      { Authorization: basic('reports', 'x') },
    );
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic realm="/);
  });
});
