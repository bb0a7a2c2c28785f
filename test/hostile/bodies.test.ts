// Bodies that no endpoint takes: malformed, mistyped, encoded, deep, ambiguous.
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { assertAlive, assertHarmless, assertRefused, exchange, formatRequest } from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
const FORM_ENDPOINTS = ['/token', '/introspect', '/revoke', '/par', '/userinfo', '/verify', '/authorize', '/logout'];
const JSON_ENDPOINTS = ['/token', '/verify'];

type Headers = Record<string, string>;

const FORMS: [string, string | Buffer, number, Headers?][] = [
  ['a NUL, escaped', 'client_id=a%00', 400],
  ['a NUL', 'client_id=a\0b', 400],
  ['a NUL in a name', 'client_id%00=a', 400],
  ['a malformed escape', 'client_id=%ZZ', 400],
  ['half an escape', 'client_id=%a', 400],
  ['bytes that are not UTF-8', Buffer.from([0x61, 0x3d, 0xff, 0xfe]), 400],
  ['escaped bytes that are not UTF-8', 'client_id=%ff%fe', 400],
  ['a lone surrogate, escaped', 'client_id=%ed%a0%80', 400],
  ['2,000 parameters', Array.from({ length: 2000 }, (_, index) => `a${index}=1`).join('&'), 400],
  ['a repeated parameter', 'client_id=a&client_id=b', 400],
  ['a parameter repeated with the same value', 'scope=a&scope=a', 400],
  ['a parameter repeated that nobody knows', 'nonsense=1&nonsense=2', 400],
  ['a repeated parameter, one of them escaped', 'client_id=a&client%5Fid=b', 400],
  ['a compressed body', gzipSync('client_id=a'), 415, { 'Content-Encoding': 'gzip' }],
  ['an encoding that nobody knows', 'client_id=a', 415, { 'Content-Encoding': 'gzip, identity' }],
  ['a form that says it is text', '{"a":1}', 415, { 'Content-Type': 'text/plain' }],
  ['a multipart form', '--x--', 415, { 'Content-Type': 'multipart/form-data; boundary=x' }],
  ['XML', '<a/>', 415, { 'Content-Type': 'application/xml' }],
  ['a content type that is none', 'a=b', 415, { 'Content-Type': '///;;;' }],
  ['two content types in one', 'a=b', 415, { 'Content-Type': `${FORM}, ${JSON_TYPE}` }],
];

const JSONS: [string, string | Buffer, number, Headers?][] = [
  ['nothing', '', 400],
  ['half an object', '{"sub":', 400],
  ['an array', '[]', 400],
  ['null', 'null', 400],
  ['a string', '"sub"', 400],
  ['a form', 'sub=a&aud=b', 400],
  ['JavaScript', "{sub:'a'}", 400],
  ['two objects', '{}{}', 400],
  ['a trailing comma', '{"sub":"a",}', 400],
  ['a byte order mark', '\ufeff{"sub":"a","aud":"b","token":"c"}', 400],
  ['UTF-16', Buffer.from('{"sub":"a"}', 'utf16le'), 400],
  ['bytes that are not UTF-8', Buffer.from('{"sub":"\xff","aud":"b","token":"c"}', 'latin1'), 400],
  ['a lone surrogate', '{"sub":"\\ud800","aud":"b","token":"c"}', 400],
  ['a lone surrogate in a name', '{"\\udfff":1,"sub":"a","aud":"b","token":"c"}', 400],
  ['a NUL', '{"sub":"a\\u0000","aud":"b","token":"c"}', 400],
  ['a NUL in a list', '{"grant_type":"client_credentials","resource":["a\\u0000"]}', 400],
  ['a member twice', '{"sub":"a","aud":"b","aud":"b","token":"c"}', 400],
  ['a member twice, once escaped', '{"aud":"b","a\\u0075d":"c","token":"c","sub":"a"}', 400],
  ['a member twice, deep inside', '{"sub":"a","aud":"b","token":"c","x":{"y":1,"y":2}}', 400],
  ['17 objects in each other', `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`, 400],
  ['30,000 arrays in each other', `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400],
  ['101 members', JSON.stringify(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`a${i}`, i]))), 400],
  ['a string of more than 8 KiB', JSON.stringify({ sub: 'a', aud: 'b', token: 'c'.repeat(8193) }), 400],
  ['a prototype', '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}', 400],
  ['JSON of another type', '{}', 415, { 'Content-Type': 'application/ld+json' }],
  ['JSON that says it is text', '{}', 415, { 'Content-Type': 'text/json' }],
  ['compressed JSON', gzipSync('{}'), 415, { 'Content-Encoding': 'gzip' }],
];

describe('a hostile body', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());
  afterEach(() => assertAlive(service.origin));

  const post = (path: string, type: string, body: string | Buffer, headers: Headers = {}) =>
    exchange(service.origin, formatRequest(`POST ${path}`, { body, headers: { 'Content-Type': type, ...headers } }));

  for (const [what, body, status, headers] of FORMS) {
    it(`is refused with ${status} wherever forms are posted: ${what}`, async () => {
      for (const path of FORM_ENDPOINTS) {
        assertRefused(await post(path, FORM, body, headers), status);
      }
    });
  }

  for (const [what, body, status, headers] of JSONS) {
    it(`is refused with ${status} wherever JSON is posted: ${what}`, async () => {
      for (const path of JSON_ENDPOINTS) assertRefused(await post(path, JSON_TYPE, body, headers), status);
    });
  }

  it('of JSON is refused where only forms are taken', async () => {
    for (const path of FORM_ENDPOINTS.filter((path) => !JSON_ENDPOINTS.includes(path))) {
      assertRefused(await post(path, JSON_TYPE, '{"client_id":"a"}'), 400);
    }
  });

  it('without a content type is refused, never guessed', async () => {
    for (const path of ['/token', '/introspect', '/revoke', '/par', '/verify', '/logout/confirm']) {
      const request = formatRequest(`POST ${path}`, { body: 'grant_type=client_credentials' });
      assertRefused(await exchange(service.origin, request), 415);
    }
  });

  it('that repeats a parameter of the query is refused (RFC 6749 §3.1)', async () => {
    for (const path of FORM_ENDPOINTS) {
      assertRefused(await post(`${path}?client_id=a&token=a`, FORM, 'client_id=a&token=a&aud=b'), 400);
    }
  });

  it('does not reach into objects by the names of its parameters', async () => {
    const names = '__proto__[x]=1&__proto__=2&constructor.prototype.x=3&a[b]=c&a[]=1&hasOwnProperty=4';
    for (const path of FORM_ENDPOINTS) {
      const answer = await post(path, FORM, names);
      assert.ok(answer.status < 500);
      assertHarmless(answer);
    }
    assertRefused(await post('/token', FORM, names), 400);
  });

  it('has no credentials in the query that count (RFC 6749 §2.3.1)', async () => {
    const { clientId, secret } = await service.addClient({
      clientId: 'query',
      metadata: { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post' },
      audiences: { 'logging-service': null },
    });
    const credentials = `client_id=${clientId}&client_secret=${secret}`;
    const grant = 'grant_type=client_credentials&audience=logging-service';
    assertRefused(await post(`/token?${credentials}`, FORM, grant), 400);
    assertRefused(await post(`/token?${grant}`, FORM, credentials), 400);
    const genuine = await post('/token', FORM, `${credentials}&${grant}`);
    assert.equal(genuine.status, 200, genuine.body);
  });

  it('is as harmless in JSON with a grant_type as in a form', async () => {
    const cases: [object, number][] = [
      [{ grant_type: 1 }, 400],
      [{ grant_type: ['client_credentials', 'client_credentials'] }, 400],
      [{ grant_type: { $ne: '' } }, 400],
      [{ grant_type: 'client_credentials', scope: null }, 400],
      [{ grant_type: 'client_credentials', client_id: true }, 400],
      [{ grant_type: 'client_credentials', scope: ['a', 'b'] }, 400],
    ];
    for (const [body, status] of cases) {
      assertRefused(await post('/token', JSON_TYPE, JSON.stringify(body)), status);
    }
  });
});
