// Requests that cost the sender little: long parameters, and connections that never finish what they began.
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { openListener } from '../../src/process/listener.ts';
import { assertAlive, assertHarmless, exchange, formatRequest } from '../support/raw-http.ts';
import { authorizationRequest, PASSWORD, relyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const names = (count: number) => Array.from({ length: count }, (_, index) => `s${index.toString(36)}`).join(' ');

/** Milliseconds of work of this process, whatever else the machine does meanwhile. */
function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('a request that wants much work', () => {
  let service: Service;
  before(async () => {
    service = await startService();
    await service.addClient({
      clientId: 'web',
      metadata: { redirect_uris: ['https://web.example/callback'], token_endpoint_auth_method: 'none' },
    });
  });
  after(() => service[Symbol.asyncDispose]());
  afterEach(() => assertAlive(service.origin));

  const request = {
    client_id: 'web',
    redirect_uri: 'https://web.example/callback',
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'A'.repeat(43),
    code_challenge_method: 'S256',
  };

  const COSTLY: [string, Record<string, string>][] = [
    ['10,000 scopes', { scope: `openid ${names(10_000)}` }],
    ['the same scope 8,000 times', { scope: 'openid '.repeat(8_000) }],
    [
      '2,000 claims',
      {
        claims: JSON.stringify({
          userinfo: Object.fromEntries(
            names(2_000)
              .split(' ')
              .map((name) => [name, null]),
          ),
        }),
      },
    ],
    ['2,500 objects in each other as claims', { claims: nested(2_500) }],
    ['a prompt of 500 spaces', { prompt: ' '.repeat(500) }],
    ['a prompt of 10,000 words', { prompt: 'login '.repeat(10_000).slice(0, 50_000) }],
    ['4 KB of languages', { ui_locales: 'en-GB '.repeat(700) }],
    ['10,000 levels of authentication', { acr_values: names(10_000) }],
    ['a redirect URI of 24 KB', { redirect_uri: `https://web.example/${'a/'.repeat(12_000)}` }],
    ['a challenge of 50 KB', { code_challenge: 'A'.repeat(50_000) }],
    ['50 KB of dots as a request object', { request: '.'.repeat(50_000) }],
    ['50 KB of state', { state: 'a'.repeat(50_000) }],
    ['a resource of 50 KB', { resource: `urn:audience:${'a'.repeat(50_000)}` }],
  ];
  for (const [what, parameters] of COSTLY) {
    it(`is answered by less than 50 ms of work with ${what} (security requirement R72)`, async () => {
      const times: number[] = [];
      for (let round = 0; round < 4; round += 1) {
        const body = String(new URLSearchParams({ ...request, ...parameters }));
        assert.ok(body.length < 56 * 1024, 'the library would not read it');
        const before = process.cpuUsage();
        const answer = await exchange(
          service.origin,
          formatRequest('POST /par', { body, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
        );
        times.push(millisecondsSince(before));
        assertHarmless(answer);
      }
      assert.ok(Math.min(...times) < 50, times.map(Math.round).join(' '));
    });
  }

  it('is answered by less than 20 ms of work when it is 64 KiB of JSON (security requirement R28)', async () => {
    for (const text of [
      `{"a":${'['.repeat(32_000)}${']'.repeat(32_000)}}`,
      `{${'"a":1,'.repeat(10_000)}"b":1}`,
      `{"a":"${'\\u0061'.repeat(10_000)}"}`,
    ]) {
      const times: number[] = [];
      for (let round = 0; round < 4; round += 1) {
        const before = process.cpuUsage();
        const answer = await exchange(
          service.origin,
          formatRequest('POST /verify', { body: text, headers: { 'Content-Type': 'application/json' } }),
        );
        times.push(millisecondsSince(before));
        assert.equal(answer.status, text.length > 64 * 1024 ? 413 : 400);
      }
      assert.ok(Math.min(...times) < 20, times.map(Math.round).join(' '));
    }
  });
});

describe('sign-ins that never say who it is', () => {
  it('turn away nobody who does, however many they are (security requirement R51)', async () => {
    await using service = await startService();
    const party = await relyingParty(service);
    const agent = createUserAgent(service.origin);
    const { url } = await authorizationRequest(party);
    const page = await agent.open(url.href);
    const { pathname, search } = new URL(page.url);
    const fields = `Host: a\r\nCookie: ${await agent.cookies.getCookieString(page.url)}\r\nContent-Length: 100`;
    const type = 'Content-Type: application/x-www-form-urlencoded';
    const begun = `POST ${pathname}${search} HTTP/1.1\r\n${fields}\r\n${type}\r\nExpect: 100-continue\r\n\r\n`;
    const { hostname, port } = new URL(service.origin);
    const sockets = await Promise.all(
      Array.from({ length: 60 }, () => {
        return new Promise<Socket>((resolve) => {
          const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(begun));
          socket.on('error', () => {});
          // it says `100 Continue`, and so has begun
          socket.once('data', () => resolve(socket));
        });
      }),
    );
    try {
      const { response, text } = await agent.submit(page, { login: 'alice', password: PASSWORD });
      assert.equal(response.status, 303, text);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});

describe('connections that never finish what they began', () => {
  const EACH = 100;

  it('are told so and closed within 15 s, while others are served (security requirement R71)', async () => {
    const handler: RequestListener = (req, res) => {
      if (req.url === '/ping') res.end('OK');
    };
    const listener = await openListener(handler, { host: '127.0.0.1', port: 0 }, pino({ level: 'silent' }));
    const origin = `http://${listener.address}`;
    const half = [
      'GET /ping HTTP/1.1\r\nHost: a\r\nX-',
      'POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\na',
      'POST /token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n64\r\na',
    ];
    const startedAt = performance.now();
    const closed = half.flatMap((text) => Array.from({ length: EACH }, () => hold(origin, text)));
    const delays: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const askedAt = performance.now();
      assert.equal(await (await fetch(`${origin}/ping`)).text(), 'OK');
      delays.push(performance.now() - askedAt);
    }
    assert.ok(Number(delays.sort((a, b) => a - b)[18]) < 250, delays.join(' '));
    const answers = await Promise.all(closed);
    assert.ok(performance.now() - startedAt < 15_000);
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 408 /);
    await listener.close(1_000);
  });

  /** Sends this, then a byte every now and then; what it got once the connection is closed. */
  function hold(origin: string, text: string): Promise<string> {
    return new Promise((resolve) => {
      let answer = '';
      const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(text));
      const drip = setInterval(() => socket.write('a'), 3_000);
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        clearInterval(drip);
        resolve(answer);
      });
    });
  }
});
