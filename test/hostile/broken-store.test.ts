// What strangers learn when everything behind the endpoints fails: that it fails, and the id of their request.
import assert from 'node:assert/strict';
import { assertAlive, exchange, formatRequest } from '../support/raw-http.ts';
import { newSecret, type Service, startService } from '../support/service.ts';

describe('a service whose database is closed', () => {
  let service: Service;
  before(async () => {
    service = await startService();
    await service.store[Symbol.asyncDispose]();
  });
  after(() => service[Symbol.asyncDispose]());
  afterEach(() => assertAlive(service.origin));

  const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const REQUESTS: [string, string, Record<string, string>, string?][] = [
    ['a token request', 'POST /token', FORM, 'grant_type=client_credentials&client_id=a&client_secret=b'],
    [
      'a service token request',
      'POST /token',
      { 'Content-Type': 'application/json' },
      '{"sub":"a","aud":"b","client_secret":"c"}',
    ],
    ['an introspection', 'POST /introspect', FORM, 'token=a&client_id=a&client_secret=b'],
    ['a request for claims', 'GET /userinfo', { Authorization: `Bearer ${newSecret()}` }],
    ['an authorization request', 'GET /authorize?client_id=a&response_type=code&redirect_uri=https://web.example/', {}],
    ['readiness', 'GET /ready', {}],
  ];
  for (const [what, line, headers, body] of REQUESTS) {
    for (const accept of ['application/json', 'text/html']) {
      it(`says no more than that about ${what} to who wants ${accept} (security requirement R30)`, async () => {
        const request = formatRequest(line, { headers: { ...headers, Accept: accept }, ...(body ? { body } : {}) });
        const answer = await exchange(service.origin, request);
        assert.ok(answer.status === 500 || answer.status === 503, `${answer.status} ${answer.body}`);
        assert.doesNotMatch(answer.body, /sqlite|database|driver|destroyed|\bat \S+ \(|\.ts:|node_modules|\/tmp\//i);
        assert.match(String(answer.headers.get('x-request-id')), /^[\da-f-]{36}$/);
        assert.equal(answer.headers.get('cache-control'), 'no-store');
        assert.deepEqual(answer.headers.getSetCookie(), []);
      });
    }
  }
});
