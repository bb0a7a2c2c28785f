// Requests that are hardly HTTP: strange targets, lying lengths, two hosts, too many bytes.

import assert from 'node:assert/strict';
import { assertAlive, assertHarmless, assertRefused, exchange, formatRequest } from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

const HOST = 'Host: id.example.com\r\nConnection: close\r\n';
const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const CHUNK = `1000\r\n${'a'.repeat(4096)}\r\n`;

const REFUSED: [string, string, number][] = [
  ['no Host header (RFC 9112 §3.2)', 'GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  ['two Host headers (RFC 9112 §3.2)', `GET /ping HTTP/1.1\r\n${HOST}Host: b.example\r\n\r\n`, 400],
  ['the same Host header twice', `GET /ping HTTP/1.1\r\n${HOST}Host: id.example.com\r\n\r\n`, 400],
  ['a target without a slash', `GET ping HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['the asterisk as target', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a target of another scheme', `GET ftp://id.example.com/ping HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an absolute target without a host', `GET http:// HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an absolute target that does not parse', `GET http://[ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a version that does not exist', `GET /ping HTTP/3.1\r\n${HOST}\r\n`, 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['lines that end in LF alone', 'GET /ping HTTP/1.1\nHost: id.example.com\n\n', 400],
  ['a folded header', `GET /ping HTTP/1.1\r\n${HOST}X-A: b\r\n c\r\n\r\n`, 400],
  ['a space before the colon', `GET /ping HTTP/1.1\r\n${HOST}X-A : b\r\n\r\n`, 400],
  ['a NUL in a header', `GET /ping HTTP/1.1\r\n${HOST}X-A: b\0c\r\n\r\n`, 400],
  [
    'Content-Length with Transfer-Encoding (RFC 9112 §6.3)',
    `POST /token HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  [
    'chunked that is not the last coding',
    `POST /token HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ['two lengths', `POST /token HTTP/1.1\r\n${HOST}Content-Length: 4\r\nContent-Length: 5\r\n\r\na=bc`, 400],
  ['a negative length', `POST /token HTTP/1.1\r\n${HOST}Content-Length: -4\r\n\r\na=bc`, 400],
  ['more body than its length', `POST /token HTTP/1.1\r\n${HOST}${FORM}Content-Length: 2\r\n\r\na=b=c=d`, 400],
  [
    'a chunk whose size is no number',
    `POST /token HTTP/1.1\r\n${HOST}${FORM}Transfer-Encoding: chunked\r\n\r\nZZ\r\na=b\r\n0\r\n\r\n`,
    400,
  ],
  ['headers over 16 KiB (RFC 6585 §5)', `GET /ping HTTP/1.1\r\n${HOST}X-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['a target over 16 KiB', `GET /ping?${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, 431],
  ['a thousand headers', `GET /ping HTTP/1.1\r\n${HOST}${'X-A: bcdefghij\r\n'.repeat(1500)}\r\n`, 431],
  [
    'a body that says that it is over 64 KiB',
    `POST /token HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: 65537\r\n\r\n{}`,
    413,
  ],
  [
    'chunks of more than 64 KiB',
    `POST /token HTTP/1.1\r\n${HOST}${FORM}Transfer-Encoding: chunked\r\n\r\n${CHUNK.repeat(17)}0\r\n\r\n`,
    413,
  ],
  [
    'chunks without end',
    `POST /verify HTTP/1.1\r\n${HOST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n${CHUNK.repeat(60)}`,
    413,
  ],
  [
    'a body to a page that says that it is over 64 KiB',
    `POST /authorize HTTP/1.1\r\n${HOST}${FORM}Content-Length: 99999999\r\n\r\na=b`,
    413,
  ],
];

/** Odd, and yet to be answered as if they were not. */
const ANSWERED: [string, string, number][] = [
  ['an absolute target (RFC 9112 §3.2.2)', `GET http://evil.example/ping HTTP/1.1\r\n${HOST}\r\n`, 200],
  ['an absolute target with a password', `GET https://a:b@evil.example/ping HTTP/1.1\r\n${HOST}\r\n`, 200],
  ['HTTP/1.0 without a Host header', 'GET /ping HTTP/1.0\r\n\r\n', 200],
  ['an expectation that nobody knows', `GET /ping HTTP/1.1\r\n${HOST}Expect: the-unexpected\r\n\r\n`, 200],
  ['the offer of another protocol', 'GET /ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\nUpgrade: h2c\r\n\r\n', 200],
  ['a malformed escape in a path', `GET /%ZZ HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['a NUL in a path', `GET /ping%00 HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['a path that climbs', `GET /nothing/../ping HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['a path that begins with two slashes', `GET //evil.example/ping HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['a backslash', `GET /\\evil.example HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['another spelling of a path', `GET /PING HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['a slash behind a path', `GET /ping/ HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['a member of every object as path', `GET /__proto__ HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['a malformed interaction id', `GET /login/%ff%00%ZZ HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a resumption that is none', `GET /authorize/__proto__ HTTP/1.1\r\n${HOST}\r\n`, 400],
];

describe('a hostile message', () => {
  let service: Service;
  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());
  afterEach(() => assertAlive(service.origin));

  for (const [what, request, status] of REFUSED) {
    it(`is refused with ${status}: ${what}`, async () => {
      assertRefused(await exchange(service.origin, request), status);
    });
  }

  for (const [what, request, status] of ANSWERED) {
    it(`is answered with ${status}: ${what}`, async () => {
      const answer = await exchange(service.origin, request);
      assert.equal(answer.status, status, answer.body);
      assertHarmless(answer);
    });
  }

  it('that speaks of files of another service finds none of ours', async () => {
    for (const path of [
      '/.env',
      '/package.json',
      '/src/main.ts',
      '/data/identity.db',
      '/views/style.css',
      '/metrics',
    ]) {
      assertRefused(await exchange(service.origin, formatRequest(`GET ${path}`)), 404, 'not_found');
    }
  });

  it('is no error of ours in the log', () => {
    assert.deepEqual(
      service.log.filter((line) => JSON.parse(line).level >= 50),
      [],
    );
  });
});
