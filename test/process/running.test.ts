// What a running process does beyond answering: keeps its data, seeds, delivers its log, listens where it is told.
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { jwtVerify } from 'jose';
import { hang, LogService, status } from '../logging/log-service.ts';
import {
  createFolder,
  type Env,
  type Folder,
  productionEnvironment,
  startProcess,
  testEnvironment,
} from '../support/process.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

const CALLBACK = 'http://127.0.0.1:5000/callback';
const CLIENT = { BROWSER_UI_CLIENT_SECRET: 'q7Wm2Rt9Lx4Vb6Nz', BROWSER_UI_REDIRECT_URIS: CALLBACK };
const DEMO = { DEMO_USERNAME: 'u', DEMO_PASSWORD: 'p' };

/** Follows an authorization request; signs in when it is asked to. Answers how often it was asked, and the callback. */
async function authorize(agent: UserAgent, origin: string, { username = 'u', password = 'p' } = {}) {
  const query = new URLSearchParams({
    client_id: 'browser-ui',
    response_type: 'code',
    scope: 'openid',
    redirect_uri: CALLBACK,
  });
  let page = await agent.open(`${origin}/authorize?${query}`);
  const asked = page.response.status === 200;
  if (asked) page = await agent.submit(page, { login: username, password });
  return { asked, callback: page.response.headers.get('location') ?? page.text };
}

describe('process: while it runs', () => {
  let folder: Folder;

  beforeEach(() => {
    folder = createFolder();
  });
  afterEach(() => folder[Symbol.dispose]());

  it('makes .env and the data in the working directory on the first start in development', async () => {
    await using running = startProcess({ folder, env: { NODE_ENV: 'development', PORT: '0' } });
    const origin = await running.origin();
    assert.match(origin, /^http:\/\/127\.0\.0\.1:/);
    const file = `${folder.path}/.env`;
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(statSync(folder.database).isFile());
    const { written } = await running.said('made what was missing in .env');
    assert.ok((written as string[]).includes('COOKIE_SECRET'));

    const env = readFileSync(file, 'utf8');
    for (const [, value = ''] of env.matchAll(/^\w+=(.{12,})$/gm)) assert.ok(!running.stdout.includes(value));
    const password = /^DEMO_PASSWORD=(.*)$/m.exec(env)?.[1] ?? '';
    assert.ok(password.length > 8);
  });

  it('seeds the demo account, whose password may be anything', async () => {
    await using running = startProcess({ folder, env: { ...(await testEnvironment()), ...CLIENT, ...DEMO } });
    const origin = await running.origin();
    const { callback } = await authorize(createUserAgent(origin), origin);
    assert.match(callback, /^http:\/\/127\.0\.0\.1:5000\/callback\?code=/);
  });

  it('keeps keys, accounts and sessions over a restart', async () => {
    const env = { ...(await testEnvironment()), ...CLIENT };
    await using first = startProcess({ folder, env: { ...env, ...DEMO } });
    const origin = await first.origin();
    const keys = await (await fetch(`${origin}/jwks`)).text();
    const agent = createUserAgent(origin);
    assert.equal((await authorize(agent, origin)).asked, true);
    first.kill('SIGKILL');
    await first.exited;

    await using second = startProcess({ folder, env });
    await second.origin();
    assert.equal(await (await fetch(`${origin}/jwks`)).text(), keys);
    const stranger = await authorize(createUserAgent(origin), origin);
    assert.ok(stranger.asked && stranger.callback.includes('?code='), 'the account is still there');
    const { asked, callback } = await authorize(agent, origin);
    assert.equal(asked, false);
    assert.match(callback, /\?code=/);
  });

  it('records each start with a hash of its settings (security.md R70)', async () => {
    const env = await testEnvironment();
    const hashes: unknown[] = [];
    for (const more of [{}, {}, { JWT_EXPIRATION_MINUTES: '16' }]) {
      await using running = startProcess({ folder, env: { ...env, ...more } });
      const { event, configHash } = await running.said('serves with these settings');
      assert.equal(event, 'started');
      hashes.push(configHash);
      running.kill('SIGTERM');
      assert.equal((await running.exited).code, 0);
    }
    assert.match(String(hashes[0]), /^[A-Za-z0-9_-]{16}$/);
    assert.equal(hashes[1], hashes[0]);
    assert.notEqual(hashes[2], hashes[0]);
  });

  it('delivers its own log lines with a JWT for the log service', async () => {
    await using sink = await LogService.start();
    const env = { LOGGING_BACKEND_URL: sink.url, LOGGING_BACKEND_AUD: 'central-log', IDENTITY_SUB: 'identity-1' };
    const configured: Env = { ...(await testEnvironment()), ...env };
    await using running = startProcess({ folder, env: configured });
    await running.origin();
    await sink.arrivals(1);
    running.kill('SIGTERM');
    assert.equal((await running.exited).code, 0);
    assert.deepEqual(sink.messages, ['serves with these settings', 'started', 'ending']);
    const [started] = sink.received;
    assert.equal(started?.path, '/log');
    assert.equal(started?.body.service, 'identity-1');
    assert.equal(started?.body.level, 'INFO');
    const token = String(started?.authorization).replace('Bearer ', '');
    const { payload, protectedHeader } = await jwtVerify(
      token,
      new TextEncoder().encode(configured['JWT_SECRET_KEY']),
      {
        issuer: configured['PUBLIC_URL'] as string,
        audience: 'central-log',
      },
    );
    assert.equal(payload.sub, 'identity-1');
    assert.equal(protectedHeader.alg, 'HS256');
    assert.ok(!running.stdout.includes(token));
  });

  for (const [name, behaviour] of [
    ['refuses', status(503)],
    ['never answers', hang],
  ] as const) {
    it(`answers and ends in time while the log service ${name}`, async () => {
      await using sink = await LogService.start(behaviour);
      const env = { ...(await testEnvironment()), LOGGING_BACKEND_URL: sink.url };
      await using running = startProcess({ folder, env });
      const origin = await running.origin();
      await sink.arrivals(1);
      const askedAt = performance.now();
      assert.equal((await fetch(`${origin}/ready`)).status, 200);
      assert.ok(performance.now() - askedAt < 1_000);
      running.kill('SIGTERM');
      assert.equal((await running.exited).code, 0);
      assert.ok(performance.now() - askedAt < 10_000);
    });
  }
});

describe('process: under Phusion Passenger', () => {
  let folder: Folder;

  beforeEach(() => {
    folder = createFolder();
  });
  afterEach(() => folder[Symbol.dispose]());

  /** Does what Passenger's loader does to the program before loading it, as far as the program can tell. */
  function passengerPreload(): string {
    const file = `${folder.path}/passenger.mjs`;
    writeFileSync(
      file,
      `
      import { EventEmitter } from 'node:events';
      import { Server } from 'node:http';
      const passenger = (globalThis.PhusionPassenger = new EventEmitter());
      const { listen } = Server.prototype;
      Server.prototype.listen = function (place, done) {
        if (place !== 'passenger') throw new Error('listens elsewhere');
        this.prependListener('request', (request) => {
          Object.defineProperty(request.socket, 'remoteAddress', { get: () => '127.0.0.1', configurable: true });
        });
        return listen.call(this, ${JSON.stringify(`${folder.path}/socket`)}, done);
      };
      process.stdin.on('end', () => (passenger.listenerCount('exit') ? passenger.emit('exit') : process.exit(0))).resume();
      `,
    );
    return file;
  }

  function ask(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: `${folder.path}/socket`, path, headers: { host: 'localhost', ...headers } });
      asked.once('error', reject);
      asked.once('response', (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      });
      asked.end();
    });
  }

  it('answers on its socket as the https issuer without TRUSTED_PROXIES, and drains when it says exit', async () => {
    const env = { ...productionEnvironment(), JWT_ISSUER: 'https://example.com/id', LOG_LEVEL: 'debug' };
    await using running = startProcess({ folder, env, preload: passengerPreload() });
    assert.equal((await running.said('started'))['listening'], `${folder.path}/socket`);
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '198.51.100.7' };

    const { status: found, body } = await ask('/id/.well-known/openid-configuration', forwarded);
    assert.equal(found, 200, body);
    assert.equal(JSON.parse(body).issuer, 'https://example.com/id');
    assert.equal((await ask('/id/logout', forwarded)).status, 200);
    assert.equal((await ask('/id/logout', { ...forwarded, 'x-forwarded-proto': 'http' })).status, 400);
    const answered = running.log.filter(({ msg }) => msg === 'request answered');
    assert.ok(answered.length >= 3 && answered.every(({ ip }) => ip === '198.51.100.7'));

    running.closeStdin();
    assert.equal((await running.exited).code, 0);
    assert.equal((await running.said('ending'))['reason'], 'Passenger');
  });

  it('is one process, however many WEB_CONCURRENCY says, and warns of that', async () => {
    const env = { ...productionEnvironment(), WEB_CONCURRENCY: '4' };
    await using running = startProcess({ folder, env, preload: passengerPreload() });
    assert.equal((await running.said('started'))['pid'], running.pid);
    const warning = 'WEB_CONCURRENCY has no effect: what started this process decides how many run';
    assert.equal((await running.said(warning))['level'], 40);
  });

  it('is loaded by require, as Passenger loads it', async () => {
    const file = `${folder.path}/require.mjs`;
    writeFileSync(
      file,
      `import { createRequire } from 'node:module'; createRequire(import.meta.url)(process.argv[1]);`,
    );
    await using running = startProcess({ folder, env: await testEnvironment(), preload: file });
    assert.equal((await fetch(`${await running.origin()}/ping`)).status, 200);
    assert.equal(running.stderr, '');
  });
});
