// The stylesheet as a file: where it is, how long it may be kept, and what is not there.
import assert from 'node:assert/strict';
import { createStylesheet } from '../../src/http/stylesheet.ts';
import { exchange, formatRequest } from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

const plain = createStylesheet('https://id.example.com');

describe('the stylesheet', () => {
  it('has another path when the installation has a colour', () => {
    const branded = createStylesheet('https://id.example.com', '#7a1fa2');
    assert.match(branded.source, /#7a1fa2/);
    assert.doesNotMatch(plain.source, /#7a1fa2/);
    assert.notEqual(branded.path, plain.path);
    assert.match(plain.path, /^\/styles\/[\w-]{16}\.css$/);
  });

  for (const [issuer, href, url] of [
    ['https://id.example.com', plain.path, `https://id.example.com${plain.path}`],
    ['https://id.example.com/', plain.path, `https://id.example.com${plain.path}`],
    ['https://id.example.com/sso', `/sso${plain.path}`, `https://id.example.com/sso${plain.path}`],
    ['http://localhost:3000', plain.path, `http://localhost:3000${plain.path}`],
  ] as const) {
    it(`is at ${href} for pages of ${issuer}`, () => {
      const { path, ...stylesheet } = createStylesheet(issuer);
      assert.deepEqual([path, stylesheet.href, stylesheet.url], [plain.path, href, url]);
    });
  }
});

describe('a browser that asks for the stylesheet', () => {
  let service: Service;
  before(async () => {
    service = await startService({ PUBLIC_URL: 'https://id.example.com/sso', TRUSTED_PROXIES: '127.0.0.1' });
  });
  after(() => service[Symbol.asyncDispose]());

  const ask = (line: string, headers: Record<string, string> = {}) =>
    exchange(service.origin, formatRequest(line, { headers: { 'X-Forwarded-Proto': 'https', ...headers } }));

  for (const path of [plain.path, `/sso${plain.path}`, `${plain.path}?x=1`]) {
    it(`gets it at ${path}, to keep for good`, async () => {
      const { status, headers, body } = await ask(`GET ${path}`);
      assert.equal(status, 200);
      assert.equal(body, plain.source);
      assert.equal(headers.get('content-type'), 'text/css; charset=utf-8');
      assert.equal(headers.get('content-length'), String(Buffer.byteLength(plain.source)));
      assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
      assert.match(String(headers.get('vary')), /accept-encoding/i);
      assert.equal(headers.get('content-encoding'), null);
      assert.deepEqual(headers.getSetCookie(), []);
    });
  }

  it('gets this one where a page asks for that of another version, and does not keep it', async () => {
    const { status, headers, body } = await ask('GET /styles/AAAAAAAAAAAAAAAA.css');
    assert.deepEqual([status, body, headers.get('cache-control')], [200, plain.source, 'no-store']);
    const script = await ask('GET /scripts/passkeys-AAAAAAAAAAAAAAAA.js');
    assert.deepEqual([script.status, script.headers.get('cache-control')], [200, 'no-store']);
  });

  for (const [accepted, encoding] of [
    ['gzip, deflate, br, zstd', 'gzip'],
    ['*', 'gzip'],
    ['br', null],
    ['gzip;q=0', null],
    ['identity', null],
  ] as const) {
    it(`gets it ${encoding ? 'compressed' : 'as it is'} with Accept-Encoding: ${accepted}`, async () => {
      const response = await fetch(`${service.origin}${plain.path}`, {
        headers: { 'accept-encoding': accepted, 'x-forwarded-proto': 'https' },
      });
      assert.equal(response.headers.get('content-encoding'), encoding);
      assert.equal(await response.text(), plain.source);
    });
  }

  it('learns by HEAD how long it is', async () => {
    const { status, headers, body } = await ask(`HEAD ${plain.path}`);
    assert.deepEqual([status, body], [200, '']);
    assert.equal(headers.get('content-length'), String(Buffer.byteLength(plain.source)));
  });

  it('gets it over plain http too: the page that says what is wrong with a proxy is of no use to read without', async () => {
    const { status, body } = await ask(`GET ${plain.path}`, { 'X-Forwarded-Proto': 'http' });
    assert.deepEqual([status, body], [200, plain.source]);
  });

  for (const [what, line] of [
    ['without a version', 'GET /styles/style.css'],
    ['that is its folder', 'GET /styles/'],
    ['by another spelling', `GET ${plain.path.toUpperCase()}`],
    ['with a slash after it', `GET ${plain.path}/`],
    ['by POST', `POST ${plain.path}`],
  ] as const) {
    it(`finds nothing ${what}, and keeps nothing`, async () => {
      const { status, headers } = await ask(line);
      assert.equal(status, 404);
      assert.equal(headers.get('cache-control'), 'no-store');
    });
  }
});
