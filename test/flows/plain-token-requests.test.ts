// Token requests that are answered before Koa sees them get what Koa answers: each is sent both ways.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { after, before, describe, it } from 'mocha';
import { exchange, formatRequest, type RawAnswer } from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

const ALGS = ['ES256', 'EdDSA', 'RS256', 'PS256', 'HS256'] as const;
const AUDIENCES = [...ALGS.map((alg) => `${alg}-service`), 'https://api.example/v1', 'unscoped-service'];
const SERVICE = 'ES256-service';

const basic = (clientId: string, secret: string) =>
  `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`;

/** A service with resource servers of every kind and a few clients, whose secrets are in the second member. */
async function startGrantingService(env: Record<string, string>): Promise<[Service, Record<string, string>]> {
  const service = await startService(env);
  const secrets: Record<string, string> = {};
  for (const alg of ALGS) {
    await service.resourceServers.add({ audience: `${alg}-service`, scope: 'read write', alg, expiresIn: 60 });
  }
  await service.resourceServers.add({ audience: 'https://api.example/v1', scope: 'api:read' });
  await service.resourceServers.add({ audience: 'unscoped-service' });
  const granted = Object.fromEntries(AUDIENCES.map((audience) => [audience, null]));
  const clients: [name: string, metadata: Record<string, unknown>, audiences?: Record<string, string>][] = [
    ['plain', {}],
    ['posting', { token_endpoint_auth_method: 'client_secret_post' }],
    ['default', { default_audience: 'HS256-service' }],
    ['claiming', { access_token_claims: { tenant: 'a', team: ['b'] } }],
    ['bound', { dpop_bound_access_tokens: true }],
    ['scoped', { scope: 'openid' }],
    ['writing', {}, { [SERVICE]: 'write' }],
    ['a:b%c', {}],
    ['signing-in', { grant_types: ['authorization_code'], redirect_uris: ['https://app.example/callback'] }],
  ];
  for (const [clientId, more, audiences = granted] of clients) {
    const metadata = { grant_types: ['client_credentials'], ...more };
    secrets[clientId] = (await service.addClient({ clientId, metadata, audiences })).secret;
  }
  return [service, secrets];
}

/** The same bytes, but their length is not announced: nobody but Koa reads such a body. */
function chunked(request: Buffer): Buffer {
  const [head = '', body = ''] = request.toString().split('\r\n\r\n');
  const fields = head.replace(/^Content-Length: \d+$/m, 'Transfer-Encoding: chunked');
  return Buffer.from(`${fields}\r\n\r\n${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`);
}

const ID = /^[\da-f-]{36}$/;

/** What is the same for the same request: the answer, what its token says but for id and time, and what was logged. */
function comparable({ status, headers, body }: RawAnswer, log: readonly string[]) {
  const { token, access_token: accessToken = token, ...members } = JSON.parse(body) as Record<string, unknown>;
  const { jti, iat = 0, nbf = 0, exp = 0, ...claims } = typeof accessToken === 'string' ? decodeJwt(accessToken) : {};
  const { 'x-request-id': requestId, date, ...others } = Object.fromEntries(headers);
  assert.match(String(requestId), ID);
  return {
    status,
    headers: { ...others, 'content-length': Number(others['content-length']) > 0 },
    members,
    tokens: [token, accessToken].map((one) => typeof one),
    same: token === accessToken,
    claims: { ...claims, identified: ID.test(String(jti)), lifetime: exp - iat, since: nbf - iat },
    header: typeof accessToken === 'string' ? decodeProtectedHeader(accessToken) : undefined,
    log: log.map((line) => {
      const { time, durationMs, tokenHash, ...fields } = JSON.parse(line) as Record<string, unknown>;
      return { ...fields, requestId: fields['requestId'] === requestId, hashed: Boolean(tokenHash) };
    }),
  };
}

/** Sends the request as it is, and so that only Koa answers. */
async function bothWays(service: Service, request: Buffer) {
  const answers = [];
  for (const bytes of [request, chunked(request)]) {
    const from = service.log.length;
    const answer = await exchange(service.origin, bytes);
    answers.push(comparable(answer, service.log.slice(from)));
  }
  return answers as [ReturnType<typeof comparable>, ReturnType<typeof comparable>];
}

describe('A token request of a service', () => {
  let service: Service;
  let secrets: Record<string, string>;
  before(async () => {
    [service, secrets] = await startGrantingService({});
  });
  after(() => service[Symbol.asyncDispose]());

  const json = (body: unknown, clientId = 'plain', headers: Record<string, string> = {}) =>
    formatRequest('POST /token', {
      headers: {
        'Content-Type': 'application/json',
        Authorization: basic(clientId, String(secrets[clientId])),
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  const SUCCESSES: [string, () => Buffer][] = [
    ...AUDIENCES.map((aud): [string, () => Buffer] => [`a token for ${aud}`, () => json({ sub: 'plain', aud })]),
    ['a client that may ask for one scope', () => json({ sub: 'writing', aud: SERVICE }, 'writing')],
    ['a client whose registration adds claims', () => json({ sub: 'claiming', aud: SERVICE }, 'claiming')],
    ['a client id that has to be encoded', () => json({ sub: 'a:b%c', aud: SERVICE }, 'a:b%c')],
    ['a client registered for some scope', () => json({ sub: 'scoped', aud: SERVICE }, 'scoped')],
    ['the default audience', () => json({ sub: 'default' }, 'default')],
    ['a member more', () => json({ sub: 'plain', aud: SERVICE, more: 1 })],
    ['the client id as a member', () => json({ sub: 'plain', aud: SERVICE, client_id: 'plain' })],
    [
      'a type with a parameter',
      () => json({ sub: 'plain', aud: SERVICE }, 'plain', { 'Content-Type': 'Application/JSON; charset=utf-8' }),
    ],
    ['a proof, which this form does not take', () => json({ sub: 'plain', aud: SERVICE }, 'plain', { DPoP: 'none' })],
    ['another origin', () => json({ sub: 'plain', aud: SERVICE }, 'plain', { Origin: 'https://other.example' })],
  ];
  for (const [what, request] of SUCCESSES) {
    it(`gets the same token either way: ${what}`, async () => {
      const [plain, byKoa] = await bothWays(service, request());
      assert.equal(plain.status, 200);
      assert.deepEqual(plain, byKoa);
    });
  }

  const REFUSALS: [string, number, () => Buffer][] = [
    ['no audience', 400, () => json({ sub: 'plain' })],
    ['an unknown audience', 403, () => json({ sub: 'plain', aud: 'unknown' })],
    ['an audience that was not granted', 403, () => json({ sub: 'writing', aud: 'HS256-service' }, 'writing')],
    ['an audience by its URN', 403, () => json({ sub: 'plain', aud: 'urn:audience:ES256-service' })],
    ['an audience that is a list', 400, () => json({ sub: 'plain', aud: [SERVICE] })],
    ['another subject', 403, () => json({ sub: 'writing', aud: SERVICE })],
    ['no subject', 400, () => json({ aud: SERVICE })],
    ['a member twice', 400, () => json(`{"sub":"plain","aud":"${SERVICE}","aud":"${SERVICE}"}`)],
    ['half an object', 400, () => json('{"sub":"plain"')],
    [
      'a wrong secret',
      401,
      () => json({ sub: 'plain', aud: SERVICE }, 'plain', { Authorization: basic('plain', 'x') }),
    ],
    ['an unknown client', 401, () => json({ sub: 'x', aud: SERVICE }, 'plain', { Authorization: basic('x', 'x') })],
    ['a header that is none', 401, () => json({ sub: 'plain', aud: SERVICE }, 'plain', { Authorization: 'Basic' })],
    ['two mechanisms', 400, () => json({ sub: 'plain', aud: SERVICE, client_secret: secrets['plain'] })],
    ['the header of a client registered for the body', 401, () => json({ sub: 'posting', aud: SERVICE }, 'posting')],
    ['a client whose tokens are bound to a key', 400, () => json({ sub: 'bound', aud: SERVICE }, 'bound')],
    ['a client without the grant', 400, () => json({ sub: 'signing-in', aud: SERVICE }, 'signing-in')],
    ['another type', 415, () => json({ sub: 'plain', aud: SERVICE }, 'plain', { 'Content-Type': 'text/json' })],
    ['an encoding', 415, () => json({ sub: 'plain', aud: SERVICE }, 'plain', { 'Content-Encoding': 'gzip' })],
  ];
  for (const [what, status, request] of REFUSALS) {
    it(`gets the same refusal either way: ${what}`, async () => {
      const [plain, byKoa] = await bothWays(service, request());
      assert.equal(plain.status, status);
      assert.deepEqual(plain, byKoa);
    });
  }

  it('leaves no trace when its body never arrives whole', async () => {
    const from = service.log.length;
    const whole = json({ sub: 'plain', aud: SERVICE });
    await new Promise<void>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(new URL(service.origin).port) }, () => {
        socket.write(whole.subarray(0, -1), () => socket.destroy());
      });
      socket.on('error', reject);
      socket.on('close', () => resolve());
    });
    const [plain] = await bothWays(service, whole);
    assert.equal(plain.status, 200);
    const issued = service.log.slice(from).filter((line) => line.includes('"tokenIssued"'));
    assert.equal(issued.length, 2); // of the two whole ones
  });
});

describe('A token request through a proxy', () => {
  let service: Service;
  let secrets: Record<string, string>;
  before(async () => {
    [service, secrets] = await startGrantingService({
      PUBLIC_URL: 'https://id.example.com/sso',
      TRUSTED_PROXIES: '127.0.0.1',
    });
  });
  after(() => service[Symbol.asyncDispose]());

  const PROXIED = { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https' };
  const ARRIVALS: [string, number, string, Record<string, string>][] = [
    ['over https', 200, '/sso/token', PROXIED],
    ['over https, without the prefix', 200, '/token', PROXIED],
    ['for an address in a strange zone', 200, '/sso/token', { ...PROXIED, 'X-Forwarded-For': 'fe80::1%a-b' }],
    ['with another host', 200, '/sso/token', { ...PROXIED, Host: 'other.example' }],
    ['in absolute form', 200, 'https://id.example.com/sso/token', PROXIED],
    ['from this machine', 200, '/sso/token', {}],
    ['over http', 400, '/sso/token', { ...PROXIED, 'X-Forwarded-Proto': 'http' }],
    ['at another path that ends like it', 404, '/sso/other/token', PROXIED],
  ];
  for (const [what, status, target, headers] of ARRIVALS) {
    it(`is answered the same either way: ${what}`, async () => {
      const request = formatRequest(`POST ${target}`, {
        headers: {
          'Content-Type': 'application/json',
          Authorization: basic('plain', String(secrets['plain'])),
          ...headers,
        },
        body: JSON.stringify({ sub: 'plain', aud: SERVICE }),
      });
      const [plain, byKoa] = await bothWays(service, request);
      assert.equal(plain.status, status);
      assert.deepEqual(plain, byKoa);
    });
  }
});
