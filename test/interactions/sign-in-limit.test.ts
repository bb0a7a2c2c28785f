// Sign-ins beyond what can be served, refused before Koa sees them: nothing tells those answers from Koa's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import Koa from 'koa';
import inject, { type InjectOptions, type Response } from 'light-my-request';
import { createSignInLimit } from '../../interactions/sign-in-limit.ts';
import { createDefaultHeaders, defaultHeaders } from '../../src/http/default-headers.ts';
import { createErrorHandler } from '../../src/http/errors.ts';
import { createPageResponses } from '../../src/http/page-responses.ts';
import { createPages } from '../../src/http/pages.ts';
import { createRequestGate } from '../../src/http/request-gate.ts';
import { createRequestLog } from '../../src/http/request-log.ts';
import { createLogger } from '../../src/logging/logger.ts';
import { createKnownDevices } from '../../src/provider/known-devices.ts';
import { pageFiles } from '../support/page-samples.ts';

/** With hashing at its slowest. */
const MOST = 8;

const FORM = {
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-proto': 'https' },
  payload: 'login=alice&password=a',
} as const satisfies InjectOptions;

type Sent = { path?: string; headers?: Record<string, string>; method?: 'POST' | 'GET' };

/** A server of which so many sign-ins never end, and what it logged. */
async function fullServer(waiting = MOST) {
  const issuer = 'https://id.example.com/sso';
  const log: Record<string, unknown>[] = [];
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void log.push(JSON.parse(line)) } });
  const pages = createPageResponses(createPages({ name: 'Example' }, pageFiles), issuer);
  const headers = defaultHeaders(issuer);
  const trustedProxies = ['127.0.0.1'];
  const limit = createSignInLimit({
    accounts: { verifiedWithin: () => 0 },
    pages,
    knownDevices: createKnownDevices({ issuer, secrets: ['a secret of the cookies of this test'] }),
    issuer,
    trustedProxies,
    headers,
    logger,
  });
  const koa = new Koa();
  koa.proxy = true;
  koa.keys = ['a secret of the cookies of this test'];
  let entered = 0;
  koa.use(createRequestLog(logger));
  koa.use(createDefaultHeaders(headers));
  koa.use(createErrorHandler({ logger, pages }));
  koa.use(createRequestGate({ issuer, trustedProxies, logger }));
  koa.use(limit.middleware);
  koa.use(async (ctx) => {
    entered += 1;
    if (ctx.method === 'POST') await new Promise(() => undefined);
    ctx.body = 'let in';
  });
  let passedOn = 0;
  const callback = koa.callback();
  const handle = limit.before((request, response) => {
    passedOn += 1;
    return callback(request, response);
  });
  const send = (to: typeof handle, { path = '/sso/login/abc', method = 'POST', headers: own }: Sent) =>
    inject(to as never, { ...FORM, method, url: path, headers: { ...FORM.headers, ...own } });
  for (let n = 0; n < waiting; n++) void send(handle, {});
  while (entered < waiting) await new Promise((resolve) => setTimeout(resolve, 5));
  passedOn = 0;
  return {
    log,
    viaKoa: (sent: Sent) => send(callback, sent),
    direct: (sent: Sent) => send(handle, sent),
    handle,
    passedOn: () => passedOn,
  };
}

/** Of an answer and its line in the log, what two answers to the same request have in common. */
async function seen(answer: Promise<Response>, log: Record<string, unknown>[]) {
  const { statusCode, headers, body } = await answer;
  const requestId = String(headers['x-request-id']);
  const { durationMs, requestId: logged, time, ...line } = log.at(-1) ?? {};
  assert.deepEqual([logged, typeof durationMs], [requestId, 'number']);
  const { date, 'x-request-id': _, ...others } = headers;
  assert.match(requestId, /^[0-9a-f-]{36}$/);
  return { statusCode, headers: others, body: body.replaceAll(requestId, 'ID'), line };
}

describe('A sign-in too many', () => {
  for (const [name, sent] of [
    ['as any', {}],
    ['with its sealed request', { path: '/sso/login/abc?r=v1.a.b' }],
    ['with a question mark in its query', { path: '/sso/login/abc?r=a?b' }],
    ['where the proxy took the prefix off', { path: '/login/abc' }],
    ['in German', { headers: { 'accept-language': 'de-AT, en;q=0.5' } }],
    ['in no language of ours', { headers: { 'accept-language': 'fr' } }],
    ['with other cookies', { headers: { cookie: '__Host-session=a; __Host-session.sig=b' } }],
    ['from elsewhere', { headers: { 'x-forwarded-for': '192.0.2.7' } }],
  ] as [string, Sent][]) {
    it(`is refused before Koa sees it as Koa would: ${name}`, async () => {
      const server = await fullServer();
      const expected = await seen(server.viaKoa(sent), server.log);
      assert.deepEqual(await seen(server.direct(sent), server.log), expected);
      assert.equal(server.passedOn(), 0);
      assert.deepEqual([expected.statusCode, expected.headers['retry-after']], [503, '2']);
      assert.equal(expected.headers['strict-transport-security'], 'max-age=31536000');
    });
  }

  for (const [name, sent, status] of [
    ['the page is asked for', { method: 'GET' }, 200],
    ['the path is another one', { path: '/sso/login/abc/cancel', method: 'GET' }, 200],
    ['it came over plain http', { headers: { 'x-forwarded-proto': 'http' } }, 400],
    ['another site posted it', { headers: { 'sec-fetch-site': 'cross-site' } }, 403],
    ['the language is in its query', { path: '/sso/login/abc?ui_locales=de' }, 503],
    ['its query is escaped', { path: '/sso/login/abc?ui%5Flocales=de' }, 503],
    ['a device may be known', { headers: { cookie: '__Secure-device=abc.def; __Secure-device.sig=abc' } }, 503],
  ] as [string, Sent, number][]) {
    it(`is for Koa when ${name}`, async () => {
      const server = await fullServer();
      const { statusCode } = await server.direct(sent);
      assert.deepEqual([server.passedOn(), statusCode], [1, status]);
    });
  }

  for (const target of ['/sso/login/abc?a#b', '/sso/login/#', '/sso/login/a\\b']) {
    it(`is for Koa when its target is ${target}, which no browser sends`, async () => {
      const full = await fullServer();
      const server = createServer((request, response) => void full.handle(request, response)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const socket = connect(port, '127.0.0.1');
      socket.write(`POST ${target} HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nContent-Length: 0\r\n\r\n`);
      while (full.passedOn() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      socket.destroy();
      server.closeAllConnections();
      server.close();
    });
  }

  it('is none while others may come in', async () => {
    const server = await fullServer(MOST - 1);
    void server.direct({});
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(server.passedOn(), 1);
    assert.equal((await server.direct({})).statusCode, 503);
    assert.equal(server.passedOn(), 1);
  });
});
