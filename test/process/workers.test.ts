// Several processes behind one port: they share everything that counts, replace each other, and end together.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { sharedPostgres } from '../support/postgres.ts';
import {
  createFolder,
  type Env,
  type Folder,
  productionEnvironment,
  type Running,
  startProcess,
  testEnvironment,
} from '../support/process.ts';
import { createUserAgent } from '../support/user-agent.ts';
import { SlowClient } from './slow-client.ts';

const CALLBACK = 'http://127.0.0.1:5000/callback';
const SECRET = 'q7Wm2Rt9Lx4Vb6Nz';
const CLIENT = { BROWSER_UI_CLIENT_SECRET: SECRET, BROWSER_UI_REDIRECT_URIS: CALLBACK };
const DEMO = { DEMO_USERNAME: 'u', DEMO_PASSWORD: 'p' };
const AUTHORIZATION = `Basic ${Buffer.from(`browser-ui:${SECRET}`).toString('base64')}`;

/** Preloaded: makes the signal SIGUSR2 a defect of the process that gets it. */
const DEFECT = `data:text/javascript,${encodeURIComponent(
  `process.on('SIGUSR2', () => { throw new Error('a defect'); });`,
)}`;

/** Each request on a connection of its own, and so on the next process. */
const fetchAnew: typeof fetch = (url, init = {}) => {
  const headers = new Headers(init.headers);
  headers.set('connection', 'close');
  return fetch(url, { ...init, headers });
};

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await pause(10);
}

describe('process: several workers', () => {
  let folder: Folder;
  let env: Env;

  beforeEach(async () => {
    folder = createFolder();
    env = { ...(await testEnvironment()), WEB_CONCURRENCY: '2' };
  });
  afterEach(() => folder[Symbol.dispose]());

  /** Started, with the pids of its workers. */
  async function start(preload?: string): Promise<{ running: Running; origin: string; workers: number[] }> {
    const running = startProcess({ folder, env, ...(preload && { preload }) });
    await running.said('started', Number(env['WEB_CONCURRENCY']));
    return { running, origin: await running.origin(), workers: pidsOf(running, 'started') };
  }

  function pidsOf({ log }: Running, message: string): number[] {
    return log.filter(({ msg }) => msg === message).map(({ pid }) => Number(pid));
  }

  /** From sign-in to refreshed tokens, each request answered by another process than the one before. */
  async function tellMainStory(origin: string): Promise<void> {
    const agent = createUserAgent(origin, { fetch: fetchAnew });
    const query = new URLSearchParams({
      client_id: 'browser-ui',
      response_type: 'code',
      scope: 'openid',
      redirect_uri: CALLBACK,
    });
    const form = await agent.open(`${origin}/authorize?${query}`);
    const { response, text } = await agent.submit(form, { login: 'u', password: 'p' });
    const code = new URL(response.headers.get('location') ?? assert.fail(text)).searchParams.get('code') ?? '';

    const ask = async (path: string, form: Record<string, string>) => {
      const body = new URLSearchParams(form);
      return fetchAnew(`${origin}${path}`, { method: 'POST', headers: { authorization: AUTHORIZATION }, body });
    };
    const redemption = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK };
    const redeemed = await ask('/token', redemption);
    assert.equal(redeemed.status, 200);
    const { access_token, refresh_token } = (await redeemed.json()) as Record<string, string>;
    const userinfo = () => fetchAnew(`${origin}/userinfo`, { headers: { authorization: `Bearer ${access_token}` } });
    for (let time = 0; time < 2; time += 1) assert.equal((await userinfo()).status, 200);
    const refreshment = { grant_type: 'refresh_token', refresh_token: String(refresh_token) };
    assert.equal((await ask('/token', refreshment)).status, 200);
    assert.equal((await ask('/token', refreshment)).status, 400, 'used twice (RFC 9700 §4.14.2)');
    for (let time = 0; time < 2; time += 1) assert.equal((await userinfo()).status, 401, 'the family is revoked');
    assert.equal((await ask('/token', redemption)).status, 400);
  }

  it('tell one story together, on one set of first keys', async () => {
    Object.assign(env, CLIENT, DEMO, { WEB_CONCURRENCY: '3', LOG_LEVEL: 'debug' });
    const { running, origin, workers } = await start();
    await using _ = running;
    assert.equal(new Set(workers).size, 3);
    assert.ok(!workers.includes(running.pid));
    const keys = new Set<string>();
    for (let time = 0; time < 6; time += 1) keys.add(await (await fetchAnew(`${origin}/jwks`)).text());
    assert.equal(keys.size, 1);
    await tellMainStory(origin);
    assert.deepEqual(new Set(pidsOf(running, 'request answered')), new Set(workers));
    running.kill('SIGTERM');
    assert.equal((await running.exited).code, 0);
    assert.equal(running.stderr, '');
  });

  it('do the same over Postgres', async function () {
    this.timeout(60_000);
    const database = await (await sharedPostgres()).createDatabase();
    try {
      Object.assign(env, CLIENT, DEMO, { DATABASE_URL: database.url });
      const { running, origin } = await start();
      await using _ = running;
      await tellMainStory(origin);
      running.kill('SIGTERM');
      assert.equal((await running.exited).code, 0);
    } finally {
      await database.drop();
    }
  });

  it('go on serving while one that was killed is replaced', async () => {
    const { running, origin, workers } = await start();
    await using _ = running;
    const [victim, survivor] = workers as [number, number];
    process.kill(victim, 'SIGKILL');
    const { worker, signal } = await running.said('a worker ended by itself: another one takes its place');
    assert.deepEqual([worker, signal], [victim, 'SIGKILL']);
    for (let time = 0; time < 4; time += 1) assert.equal((await fetchAnew(`${origin}/ready`)).status, 200);
    const { pid } = await running.said('started', 3);
    assert.ok(pid !== victim && pid !== survivor);
    running.kill('SIGTERM');
    assert.equal((await running.exited).code, 0);
  });

  it('replace one that has a defect, once it has answered what was in flight', async () => {
    const { running, workers } = await start(DEFECT);
    await using _ = running;
    process.kill(workers[0] as number, 'SIGUSR2');
    const { worker, exitCode } = await running.said('a worker ended by itself: another one takes its place');
    assert.deepEqual([worker, exitCode], [workers[0], 1]);
    assert.equal(running.log.filter(({ level }) => level === 60).length, 1);
    await running.said('started', 3);
    running.kill('SIGTERM');
    assert.equal((await running.exited).code, 0);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`end with 0 when ${signal} goes to all of them at once, as a terminal and an init system send it`, async () => {
      const { running, workers } = await start();
      for (const pid of [...workers, running.pid]) process.kill(pid, signal);
      assert.equal((await running.exited).code, 0);
      assert.equal(running.log.filter(({ msg }) => msg === 'ending').length, 3);
      assert.equal(running.stderr, '');
    });
  }

  it('end with 0 when they are asked to while they start', async () => {
    const running = startProcess({ folder, env });
    await running.said('started');
    running.kill('SIGTERM');
    assert.equal((await running.exited).code, 0);
    assert.equal(running.stderr, '');
  });

  it('are killed when the primary process is in a hurry', async () => {
    const { running, origin, workers } = await start();
    const stuck = await SlowClient.connect(origin);
    stuck.send('GET /ping HTTP/1.1\r\n');
    running.kill('SIGTERM');
    await running.said('ending');
    running.kill('SIGTERM');
    assert.equal((await running.exited).code, 1);
    await Promise.all(workers.map(gone));
    stuck.destroy();
  });

  it('do not outlive the primary process', async () => {
    const { running, workers } = await start();
    running.kill('SIGKILL');
    await running.exited;
    await Promise.all(workers.map(gone));
  });

  it('do not start when the port is in use: one reason, and exit 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const options = { ...productionEnvironment(), PORT: String(port), WEB_CONCURRENCY: '4' };
    await using running = startProcess({ folder, env: options });
    const { code } = await running.exited;
    taken.close();
    assert.equal(code, 1);
    assert.equal(
      running.stderr,
      `Port ${port} of 127.0.0.1 is in use: end the program that listens there, or set PORT.\nNo worker process could start.\n`,
    );
  });

  it('are not even tried when the database cannot be used', async () => {
    env['DATABASE_URL'] = 'sqlite:/dev/null';
    await using running = startProcess({ folder, env });
    assert.equal((await running.exited).code, 1);
    assert.match(running.stderr, /^[^\n]+\n$/);
    assert.doesNotMatch(running.stderr, /worker/);
  });
});
