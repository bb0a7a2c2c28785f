// What the request gate makes of a request, by the socket it came from and what it claims about itself.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Koa from 'koa';
import { pino } from 'pino';
import { createRequestGate } from '../../src/http/request-gate.ts';
import { exchange, formatRequest, type RawAnswer } from '../support/raw-http.ts';

const ROOT = 'https://id.example.com';
const PREFIXED = 'https://id.example.com/sso';
const LOOPBACK = ['127.0.0.1'];

type Headers = Record<string, string>;

/** Answers with what the middleware behind the gate sees. */
function createApplication(issuer: string, trustedProxies: readonly string[]): Koa {
  const koa = new Koa();
  koa.proxy = true;
  koa.silent = true;
  koa.use(createRequestGate({ issuer, trustedProxies, logger: pino({ level: 'silent' }) }));
  koa.use((ctx) => {
    ctx.body = { path: ctx.path, query: ctx.querystring, ip: ctx.ip, host: ctx.host, protocol: ctx.protocol };
  });
  return koa;
}

describe('request gate', () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) server.close();
  });

  async function listen(issuer: string, trustedProxies: readonly string[], place: object): Promise<Server> {
    const server = createServer({ requireHostHeader: false }, createApplication(issuer, trustedProxies).callback());
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(place, resolve));
    return server;
  }

  /** Asks a gate of this issuer over TCP, as a peer at 127.0.0.1. */
  async function ask(
    issuer: string,
    trusted: readonly string[],
    headers: Headers,
    target = '/jwks',
  ): Promise<RawAnswer> {
    const server = await listen(issuer, trusted, { port: 0, host: '127.0.0.1' });
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return exchange(origin, formatRequest(`GET ${target}`, { headers }));
  }

  const seen = ({ body }: RawAnswer) => JSON.parse(body);

  const TARGETS: [string, string, string, string][] = [
    [ROOT, '/token?a=b', '/token', 'a=b'],
    [ROOT, 'http://evil.example/token?a=b', '/token', 'a=b'],
    [ROOT, 'HTTPS://a:b@evil.example:1/token', '/token', ''],
    [ROOT, '/token?next=/sso/x', '/token', 'next=/sso/x'],
    [PREFIXED, '/sso/token?a=b', '/token', 'a=b'],
    [PREFIXED, '/token?a=b', '/token', 'a=b'],
    [PREFIXED, '/sso', '/', ''],
    [PREFIXED, '/sso/', '/', ''],
    [PREFIXED, '/sso?a=b', '/', 'a=b'],
    [PREFIXED, '/ssology', '/ssology', ''],
    [PREFIXED, '/SSO/token', '/SSO/token', ''],
    [PREFIXED, '/sso/sso/token', '/sso/token', ''],
    [PREFIXED, '/.well-known/oauth-authorization-server/sso', '/.well-known/oauth-authorization-server', ''],
    [PREFIXED, '/sso/.well-known/openid-configuration', '/.well-known/openid-configuration', ''],
    [PREFIXED, 'http://evil.example/sso/token', '/token', ''],
  ];
  for (const [issuer, target, path, query] of TARGETS) {
    it(`takes ${target} of ${issuer} for ${path}`, async () => {
      const answer = seen(await ask(issuer, LOOPBACK, { 'X-Forwarded-Proto': 'https' }, target));
      assert.deepEqual([answer.path, answer.query], [path, query]);
    });
  }

  const HOSTS: Headers[] = [
    { Host: 'evil.example' },
    { Host: 'a@evil.example' },
    { Host: '' },
    { 'X-Forwarded-Host': 'evil.example' },
    { Forwarded: 'host=evil.example;proto=http;for=1.2.3.4' },
    { 'X-Forwarded-Port': '81' },
    { 'X-Original-Host': 'evil.example' },
  ];
  for (const trusted of [LOOPBACK, []]) {
    for (const headers of HOSTS) {
      it(`sees the issuer's host whatever ${trusted.length ? 'a proxy' : 'anybody'} claims: ${JSON.stringify(headers)}`, async () => {
        const answer = seen(await ask('http://127.0.0.1:3000', trusted, headers));
        assert.deepEqual([answer.host, answer.protocol], ['127.0.0.1:3000', 'http']);
      });
    }
  }

  const FORWARDED_FOR: [string, readonly string[], string | undefined, string][] = [
    ['nobody trusted', [], '203.0.113.7', '127.0.0.1'],
    ['another proxy trusted', ['10.0.0.0/8'], '203.0.113.7', '127.0.0.1'],
    ['no header', LOOPBACK, undefined, '127.0.0.1'],
    ['one hop', LOOPBACK, '203.0.113.7', '203.0.113.7'],
    ['a hop that the caller made up', LOOPBACK, '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['a loopback address that the caller made up', LOOPBACK, '127.0.0.1, 203.0.113.7', '203.0.113.7'],
    ['two proxies', ['127.0.0.1', '10.1.2.3'], '198.51.100.1, 203.0.113.7, 10.1.2.3', '203.0.113.7'],
    ['a range of proxies', ['127.0.0.0/8', '10.0.0.0/8'], '203.0.113.7, 10.9.9.9, 10.8.8.8', '203.0.113.7'],
    ['nothing but proxies', ['127.0.0.0/8', '10.0.0.0/8'], '10.9.9.9, 10.8.8.8', '10.9.9.9'],
    ['IPv6', LOOPBACK, '2001:db8::7', '2001:db8::7'],
    ['IPv6 in another spelling', LOOPBACK, '2001:0DB8:0:0::0007', '2001:db8::7'],
    ['a range of IPv6 proxies', ['127.0.0.1', '2001:db8::/32'], '203.0.113.7, 2001:db8::5', '203.0.113.7'],
    ['an IPv4 address in IPv6', LOOPBACK, '::ffff:203.0.113.7', '203.0.113.7'],
    ['a proxy in IPv6 spelling', ['127.0.0.1', '10.1.2.3'], '203.0.113.7, ::ffff:10.1.2.3', '203.0.113.7'],
    ['an IPv6 proxy', ['127.0.0.1', '2001:DB8::5'], '203.0.113.7, 2001:db8:0::5', '203.0.113.7'],
    ['an IPv6 proxy in a zone', ['127.0.0.1', 'fe80::5%eth0'], '203.0.113.7, fe80::5%br-1', '203.0.113.7'],
    ['no address', LOOPBACK, 'a', '127.0.0.1'],
    ['an empty header', LOOPBACK, '', '127.0.0.1'],
    ['only commas', LOOPBACK, ',,,', '127.0.0.1'],
    ['5 KB', LOOPBACK, 'a'.repeat(5000), '127.0.0.1'],
    ['5 KB before an address', LOOPBACK, `${'a'.repeat(5000)}, 203.0.113.7`, '203.0.113.7'],
    ['a thousand addresses', LOOPBACK, `${'198.51.100.1, '.repeat(700)}203.0.113.7`, '203.0.113.7'],
    ['no address behind one', LOOPBACK, '203.0.113.7, unknown', '127.0.0.1'],
    ['no address behind a proxy', ['127.0.0.1', '10.1.2.3'], 'unknown, 10.1.2.3', '10.1.2.3'],
    ['a number, which some read as an address', LOOPBACK, '1', '127.0.0.1'],
    ['a short address', LOOPBACK, '127.1', '127.0.0.1'],
    ['an octal address', LOOPBACK, '0177.0.0.1', '127.0.0.1'],
    ['a hexadecimal address', LOOPBACK, '0x7f.0.0.1', '127.0.0.1'],
    ['an address with a port', LOOPBACK, '203.0.113.7:4711', '127.0.0.1'],
    ['an address in a zone', LOOPBACK, 'fe80::1%eth0', 'fe80::1'],
    ['an address in a zone whose name is unusual', LOOPBACK, 'fe80::1%br-1.2', 'fe80::1'],
    ['a line of log', LOOPBACK, '203.0.113.7 {"level":60}', '127.0.0.1'],
  ];
  for (const [what, trusted, forwardedFor, ip] of FORWARDED_FOR) {
    it(`takes the caller for ${ip} by X-Forwarded-For with ${what}`, async () => {
      const headers: Headers = forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor };
      assert.equal(seen(await ask('http://127.0.0.1:3000', trusted, headers)).ip, ip);
    });
  }

  const HTTPS: [string, readonly string[], Headers, string, boolean][] = [
    ['from a trusted proxy over https', LOOPBACK, { 'X-Forwarded-Proto': 'https' }, '/authorize', true],
    ['in capitals', LOOPBACK, { 'X-Forwarded-Proto': 'HTTPS' }, '/authorize', true],
    ['whose last hop was https', LOOPBACK, { 'X-Forwarded-Proto': 'http, https' }, '/authorize', true],
    ['whose last hop was http', LOOPBACK, { 'X-Forwarded-Proto': 'https, http' }, '/authorize', false],
    ['from a trusted proxy over http', LOOPBACK, { 'X-Forwarded-Proto': 'http' }, '/jwks', false],
    ['from a trusted proxy that says nothing', LOOPBACK, {}, '/authorize', false],
    ['from a proxy that is not trusted', [], { 'X-Forwarded-Proto': 'https' }, '/jwks', false],
    ['from a proxy that is not trusted, for somebody', [], { 'X-Forwarded-For': '203.0.113.7' }, '/jwks', false],
    ['with Forwarded alone, which nobody checks', LOOPBACK, { Forwarded: 'proto=https' }, '/jwks', false],
    ['of a program on this machine', [], {}, '/token', true],
    ['of a program on this machine for a page', [], {}, '/authorize', false],
    ['of a program on this machine for a resumption', [], {}, '/authorize/abc', false],
    ['of a program on this machine for a sign-in', [], {}, '/login/abc', false],
    ['of a program on this machine for a logout', [], {}, '/logout', false],
    ['of a health probe', [], { 'X-Forwarded-For': '203.0.113.7' }, '/ping', true],
    ['of a readiness probe', [], { 'X-Forwarded-For': '203.0.113.7' }, '/ready', true],
    ['for the stylesheet', [], { 'X-Forwarded-For': '203.0.113.7' }, '/styles/x.css', true],
    ['for what only begins like a probe', [], { 'X-Forwarded-For': '203.0.113.7' }, '/ping/x', false],
  ];
  for (const [what, trusted, headers, path, accepted] of HTTPS) {
    it(`${accepted ? 'accepts' : 'refuses'} a request ${what} (${path}), with an https issuer`, async () => {
      for (const [issuer, target] of [
        [ROOT, path],
        [PREFIXED, `/sso${path}`],
      ] as const) {
        const answer = await ask(issuer, trusted, headers, target);
        assert.equal(answer.status, accepted ? 200 : 400, answer.body);
        if (accepted) assert.equal(seen(answer).protocol, 'https');
      }
    });
  }

  it('believes the web server behind a unix socket, which has the client and TLS', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'identity-gate-'));
    const path = join(folder, 'gate.sock');
    const server = await listen(ROOT, [], { path });
    const get = (headers: Headers) =>
      new Promise<Record<string, string>>((resolve, reject) => {
        request({ socketPath: path, path: '/authorize', headers, agent: false }, (response) => {
          response.setEncoding('utf8').on('data', (text: string) => resolve(JSON.parse(text)));
        })
          .on('error', reject)
          .end();
      });
    const answer = await get({ 'X-Forwarded-For': '198.51.100.1, 203.0.113.7', 'X-Forwarded-Proto': 'https' });
    assert.deepEqual([answer['ip'], answer['protocol']], ['203.0.113.7', 'https']);
    server.close();
    rmSync(folder, { recursive: true });
  });

  it('does not take a peer that has reset its connection for a web server behind a unix socket', async () => {
    const koa = createApplication('http://127.0.0.1:3000', []);
    const arrived = Promise.withResolvers<{ address: string | undefined; ip: string }>();
    const server = createServer((req, res) => {
      const address = req.socket.remoteAddress;
      koa.callback()(req, res);
      setImmediate(() => arrived.resolve({ address, ip: String(req.headers['x-forwarded-for']) }));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('GET /jwks HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n', () =>
        socket.resetAndDestroy(),
      );
    });
    const { address, ip } = await arrived.promise;
    assert.equal(address, undefined, 'the connection was not reset before the request was read');
    assert.equal(ip, '0.0.0.0');
  });
});
