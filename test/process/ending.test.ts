// How the process ends: asked to, asked twice, and by a defect (security requirements R74 and R80).
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import {
  createFolder,
  type Env,
  type Folder,
  type Running,
  startProcess,
  testEnvironment,
} from '../support/process.ts';
import { SlowClient } from './slow-client.ts';

/** Preloaded: makes the signal SIGUSR2 a defect of the program. */
const DEFECT = (statement: string) =>
  `data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${statement} });`)}`;

function get(origin: string, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(`${origin}/jwks`, { agent }, (response) => {
      response.resume().once('end', () => resolve(response));
    });
    asked.once('error', reject).end();
  });
}

const READY = 'GET /ready HTTP/1.1\r\nHost: id.example.com\r\n';
const VERIFY = '{"token":"no token","aud":"a"}';
const VERIFY_HEAD = `POST /verify HTTP/1.1\r\nHost: id.example.com\r\nContent-Type: application/json\r\nContent-Length: ${VERIFY.length}\r\n\r\n`;

for (const [name, workers] of [
  ['one process', 1],
  ['two workers', 2],
] as const) {
  // said by each process, of which one looks after the workers
  const endings = workers === 1 ? 1 : workers + 1;

  describe(`process: how it ends when asked, as ${name}`, () => {
    let folder: Folder;
    let env: Env;

    beforeEach(async () => {
      folder = createFolder();
      env = { ...(await testEnvironment()), WEB_CONCURRENCY: String(workers) };
    });
    afterEach(() => folder[Symbol.dispose]());

    async function start(): Promise<{ running: Running; origin: string }> {
      const running = startProcess({ folder, env });
      await running.said('started', workers);
      return { running, origin: await running.origin() };
    }

    for (const signal of workers === 1 ? (['SIGTERM', 'SIGINT'] as const) : (['SIGTERM'] as const)) {
      it(`ends at ${signal} with 0 within 10 s, and leaves a tidy database`, async () => {
        const { running, origin } = await start();
        assert.equal((await fetch(`${origin}/ping`)).status, 200);
        const askedAt = performance.now();
        running.kill(signal);
        assert.equal((await running.exited).code, 0);
        assert.ok(performance.now() - askedAt < 10_000);
        assert.equal(running.stderr, '');
        const logs = readdirSync(`${folder.path}/data`).filter((name) => /-(wal|shm)$/.test(name));
        assert.deepEqual(logs, [], 'the write-ahead log is checkpointed');
        await assert.rejects(fetch(`${origin}/ping`));
      });
    }

    it('answers the request in flight, says 503 at /ready meanwhile, and closes each connection after its answer', async () => {
      const { running, origin } = await start();
      const [half, early, idle] = await Promise.all([0, 1, 2].map(() => SlowClient.connect(origin)));
      assert.ok(half && early && idle);
      half.send(VERIFY_HEAD + VERIFY.slice(0, 5));
      early.send(READY);
      idle.send(`${READY}\r\n`);
      await idle.until('"status":"ready"');

      running.kill('SIGTERM');
      await running.said('ending', endings);
      early.send('\r\n');
      half.send(VERIFY.slice(5));
      const unready = await early.all();
      assert.match(unready, /^HTTP\/1\.1 503 /);
      assert.match(unready, /"process":"draining"/);
      assert.match(unready, /^connection: close\r$/im);
      const answer = await half.all();
      assert.match(answer, /^HTTP\/1\.1 401 /);
      assert.match(answer, /"error":"invalid_token"/);
      assert.match(answer, /^connection: close\r$/im);
      await idle.all();
      assert.equal((await running.exited).code, 0);
    });

    it('cuts a request that does not finish, and still ends with 0 within 10 s', async () => {
      const { running, origin } = await start();
      const stuck = await SlowClient.connect(origin);
      stuck.send(VERIFY_HEAD);
      const askedAt = performance.now();
      running.kill('SIGTERM');
      assert.equal((await running.exited).code, 0);
      assert.ok(performance.now() - askedAt < 10_000);
      assert.doesNotMatch(await stuck.all(), /^HTTP\/1\.1 [25]/);
    });

    it('resets no connection of 8 busy clients that keep theirs alive', async () => {
      const { running, origin } = await start();
      let answered = 0;
      /** Asks again and again on one connection, until it is told to close it. */
      const busy = async (agent: Agent) => {
        for (let response = await get(origin, agent); ; response = await get(origin, agent)) {
          assert.equal(response.statusCode, 200);
          answered += 1;
          if (answered === 100) running.kill('SIGTERM');
          if (response.headers.connection === 'close') break;
        }
        agent.destroy();
      };
      await Promise.all(Array.from({ length: 8 }, () => busy(new Agent({ keepAlive: true, maxSockets: 1 }))));
      assert.ok(answered >= 100);
      assert.equal((await running.exited).code, 0);
    });

    it('ends at once when asked twice', async () => {
      const { running, origin } = await start();
      const stuck = await SlowClient.connect(origin);
      stuck.send(VERIFY_HEAD);
      running.kill('SIGTERM');
      await running.said('ending', endings);
      const askedAt = performance.now();
      running.kill('SIGTERM');
      assert.equal((await running.exited).code, 1);
      assert.ok(performance.now() - askedAt < 2_000);
      stuck.destroy();
    });
  });
}

describe('process: how it ends by itself', () => {
  let folder: Folder;
  let env: Env;

  beforeEach(async () => {
    folder = createFolder();
    env = await testEnvironment();
  });
  afterEach(() => folder[Symbol.dispose]());

  async function start(options: { preload?: string } = {}): Promise<{ running: Running; origin: string }> {
    const running = startProcess({ folder, env, ...options });
    return { running, origin: await running.origin() };
  }

  for (const [name, statement] of [
    ['an exception that nobody caught', "throw new Error('a defect')"],
    ['a rejection that nobody handled', "Promise.reject(new Error('a defect'))"],
  ] as const) {
    it(`logs ${name} once, answers what is in flight, and ends with 1`, async () => {
      const { running, origin } = await start({ preload: DEFECT(statement) });
      const half = await SlowClient.connect(origin);
      half.send(VERIFY_HEAD);
      const ping = await fetch(`${origin}/ping`);
      assert.equal(await ping.text(), 'OK');
      running.kill('SIGUSR2');
      await running.said('ending');
      half.send(VERIFY);
      assert.match(await half.all(), /^HTTP\/1\.1 401 /);
      assert.equal((await running.exited).code, 1);
      const lines = running.log.filter(({ level }) => level === 60);
      assert.equal(lines.length, 1);
      assert.match(JSON.stringify(lines[0]), /a defect/);
      assert.equal(running.stderr, '');
    });
  }

  it('goes on when standard output is closed', async () => {
    env['LOG_LEVEL'] = 'debug';
    const { running, origin } = await start();
    running.closeStdout();
    for (let request = 0; request < 5; request += 1) assert.equal((await fetch(`${origin}/ping`)).status, 200);
    running.kill('SIGTERM');
    assert.equal((await running.exited).code, 0);
    assert.equal(running.stderr, '');
  });
});
