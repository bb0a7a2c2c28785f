// Every method on every path: what is not there looks the same everywhere, and nothing is done by surprise.
import assert from 'node:assert/strict';
import { assertAlive, assertHarmless, exchange, formatRequest, type RawAnswer } from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

/** What each path answers; other methods find nothing there. HEAD is GET without the body (RFC 9110 §9.3.2). */
const PATHS: Record<string, Record<string, number>> = {
  '/': { GET: 200 },
  '/ping': { GET: 200 },
  '/ready': { GET: 200 },
  '/jwks': { GET: 200 },
  '/.well-known/openid-configuration': { GET: 200 },
  '/.well-known/oauth-authorization-server': { GET: 200 },
  '/authorize': { GET: 400, POST: 303 },
  '/authorize/abc': { GET: 400 },
  '/token': { POST: 415 },
  '/userinfo': { GET: 401, POST: 401 },
  '/introspect': { POST: 415 },
  '/revoke': { POST: 415 },
  '/par': { POST: 415 },
  '/verify': { POST: 415 },
  '/login': { GET: 303 },
  '/login/abc': { GET: 400, POST: 415 },
  '/login/abc/cancel': { POST: 400 },
  '/reset-password/abc': { GET: 400, POST: 415 },
  '/reset-password/done': { GET: 200, POST: 415 },
  '/invitation/abc': { GET: 400, POST: 415 },
  '/invitation/done': { GET: 200, POST: 415 },
  '/invitation/done/unproven': { GET: 200 },
  '/verify-email/abc': { GET: 400, POST: 415 },
  '/verify-email/done': { GET: 200, POST: 415 },
  '/account': { GET: 303 },
  '/account/callback': { GET: 400 },
  '/account/profile': { GET: 303, POST: 303 },
  '/account/sessions': { GET: 303 },
  '/account/sessions/end': { POST: 303 },
  '/logout': { GET: 200, POST: 303 },
  '/logout/confirm': { POST: 415 },
  '/logout/success': { GET: 200 },
};

/** Switched off, or of development only (security requirements R35 and R63). */
const ABSENT = [
  '/register',
  '/register/abc',
  '/device_authorization',
  '/device',
  '/backchannel',
  '/challenge',
  '/interaction/abc',
  '/metrics',
  '/invitation',
  '/verify-email',
  '/reset-password',
  '/sign-up',
  '/sign-up/abc',
  '/test-token',
  '/TEST-TOKEN',
  '/test-token/',
  '/test%2dtoken',
  '/debug-env',
  '/Debug-Env',
  '/debug-env/',
  '/debug%2denv',
  '//debug-env',
];

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND'];

/** Public keys and metadata, which caches may keep. */
function isPublished(path: string): boolean {
  return path === '/jwks' || path.startsWith('/.well-known/');
}

/** Everything of an answer but the id of its request and the time. */
function comparable({ status, headers, body }: RawAnswer) {
  // an endpoint with CORS varies by origin, also where it answers none
  const names = [...headers].filter(([name]) => !['x-request-id', 'date', 'vary'].includes(name));
  return { status, headers: names, body: body.replaceAll(String(headers.get('x-request-id')), '') };
}

describe('a method', () => {
  let service: Service;
  let nothing: RawAnswer;
  before(async () => {
    service = await startService({
      NODE_ENV: 'production',
      PUBLIC_URL: 'https://id.example.com',
      JWT_ISSUER: 'id',
      TRUSTED_PROXIES: '127.0.0.1',
    });
    nothing = await send('GET', '/surely-nothing-is-here');
  });
  after(() => service[Symbol.asyncDispose]());
  afterEach(() => assertAlive(service.origin));

  function send(method: string, path: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
    return exchange(
      service.origin,
      formatRequest(`${method} ${path}`, { headers: { 'X-Forwarded-Proto': 'https', ...headers } }),
    );
  }

  for (const [path, answers] of Object.entries(PATHS)) {
    it(`that ${path} does not have finds nothing there`, async () => {
      for (const method of METHODS) {
        const answer = await send(method, path);
        if (!(answer.status === 200 && isPublished(path))) assertHarmless(answer);
        const expected = answers[method];
        if (expected === undefined) assert.deepEqual(comparable(answer), comparable(nothing), method);
        else assert.equal(answer.status, expected, `${method} ${answer.body}`);
      }
    });

    it(`HEAD of ${path} is its GET without the body`, async () => {
      const [head, get] = [await send('HEAD', path), await send('GET', path)];
      assert.equal(head.status, get.status);
      assert.equal(head.body, '');
    });
  }

  for (const path of ABSENT) {
    it(`finds nothing at ${path}, exactly like nowhere else`, async () => {
      const disguises = [
        {},
        { Host: 'localhost' },
        { 'X-Forwarded-For': '127.0.0.1' },
        { 'X-Forwarded-Host': 'localhost' },
      ];
      for (const method of METHODS) {
        for (const headers of disguises) {
          assert.deepEqual(comparable(await send(method, path, headers)), comparable(nothing), method);
        }
      }
    });
  }

  it('finds for a browser the same page at every address that does not exist', async () => {
    const accept = { Accept: 'text/html' };
    const expected = comparable(await send('GET', '/surely-nothing-is-here', accept));
    assert.match(expected.body, /Page not found.*<a [^>]*href="\/">Go to the start page<\/a>/s);
    for (const path of ABSENT) assert.deepEqual(comparable(await send('GET', path, accept)), expected, path);
  });

  it('TRACE does not say what it was sent (RFC 9110 §9.3.8)', async () => {
    const answer = await send('TRACE', '/ping', { Cookie: 'canary=1', 'X-Canary': 'canary' });
    assert.doesNotMatch(answer.body, /canary/);
  });
});
