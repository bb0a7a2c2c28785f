// What does not start: a configuration or a machine that the service cannot use (security requirement R58).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { createFolder, type Env, type Folder, productionEnvironment, startProcess } from '../support/process.ts';

/** Preloaded: says so when anything listens. */
const LISTEN_ALARM = `data:text/javascript,${encodeURIComponent(`
  import { Server } from 'node:net';
  const { listen } = Server.prototype;
  Server.prototype.listen = function (...all) { process.stderr.write('LISTENS'); return listen.apply(this, all); };
`)}`;

const OLD_NODE = `data:text/javascript,${encodeURIComponent(`
  Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });
`)}`;

describe('process: what does not start', () => {
  let folder: Folder;

  before(() => {
    folder = createFolder();
  });
  after(() => folder[Symbol.dispose]());

  /** Exit 1 within 5 s, nothing listening, one message and no stack trace on standard error. */
  async function refusalOf(env: Env, preload = LISTEN_ALARM): Promise<string> {
    await using running = startProcess({ folder, env: { ...env, DATABASE_URL: `sqlite:${folder.database}` }, preload });
    const { code, ms } = await running.exited;
    assert.equal(code, 1, running.stdout);
    assert.ok(ms < 5_000, `took ${ms} ms`);
    assert.doesNotMatch(running.stderr, /LISTENS|\n\s+at /);
    assert.equal(running.stdout, '');
    return running.stderr;
  }

  const secret = 'vD7nKq2wXb9sTz4mRf6hJc1yLg8pEa3uVw5';
  const cases: [problem: string, change: Env, names: string[]][] = [
    ['no cookie secret', { COOKIE_SECRET: undefined }, ['COOKIE_SECRET']],
    ['an empty shared secret', { JWT_SECRET_KEY: '' }, ['JWT_SECRET_KEY']],
    ['a short encryption key', { ENCRYPTION_KEY: 'sHort9secret' }, ['ENCRYPTION_KEY']],
    ['a placeholder', { JWT_SECRET_KEY: 'please-change-me-please-change-me-1' }, ['JWT_SECRET_KEY']],
    ['a secret with a space behind it', { COOKIE_SECRET: `${secret} ` }, ['COOKIE_SECRET']],
    ['one secret for two purposes', { COOKIE_SECRET: secret, ENCRYPTION_KEY: secret }, ['ENCRYPTION_KEY']],
    ['no issuer', { JWT_ISSUER: undefined }, ['JWT_ISSUER']],
    ['an issuer without TLS', { JWT_ISSUER: 'http://id.example.com' }, ['JWT_ISSUER']],
    ['tokens without credentials', { ALLOW_UNAUTHENTICATED_TOKENS: 'true' }, ['ALLOW_UNAUTHENTICATED_TOKENS']],
    ['a demo account', { DEMO_USERNAME: 'demo', DEMO_PASSWORD: secret }, ['DEMO_USERNAME', 'DEMO_PASSWORD']],
    ['a misspelt name', { JWT_SECRETKEY: secret }, ['JWT_SECRETKEY']],
    ['a lifetime out of range', { JWT_EXPIRATION_MINUTES: '99999' }, ['JWT_EXPIRATION_MINUTES']],
    [
      'several problems at once',
      { COOKIE_SECRET: undefined, ENCRYPTION_KEY: 'sHort9secret', JWT_ISSUER: 'http://id.example.com' },
      ['COOKIE_SECRET', 'ENCRYPTION_KEY', 'JWT_ISSUER'],
    ],
  ];
  for (const [problem, change, names] of cases) {
    it(`refuses ${problem} in production, naming ${names.join(', ')} and no secret`, async () => {
      const message = await refusalOf({ ...productionEnvironment(), ...change });
      for (const name of names) assert.match(message, new RegExp(`^ {2}${name}: must `, 'm'));
      assert.equal(message.trim().split('\n').length, 1 + names.length);
      for (const [name, value] of Object.entries(change)) {
        if (value && /SECRET|KEY|PASSWORD/.test(name)) assert.ok(!message.includes(value.trim()), message);
      }
    });
  }

  it('takes an unset NODE_ENV for production, and lists everything that is missing', async () => {
    const message = await refusalOf({});
    for (const name of ['JWT_ISSUER', 'COOKIE_SECRET', 'JWT_SECRET_KEY', 'ENCRYPTION_KEY']) {
      assert.ok(message.includes(`${name}:`), message);
    }
  });

  it('refuses an old Node in one line, before anything of it is loaded', async () => {
    const message = await refusalOf(productionEnvironment(), OLD_NODE);
    assert.match(message, /^identity-backend needs Node 24 or newer, but this is Node 20\.20\.2 \(.*\)\.\n$/);
  });

  it('refuses a port that is in use in one line, and stays away from it', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    await using running = startProcess({ folder, env: { ...productionEnvironment(), PORT: String(port) } });
    const { code } = await running.exited;
    taken.close();
    assert.equal(code, 1);
    assert.equal(
      running.stderr,
      `Port ${port} of 127.0.0.1 is in use: end the program that listens there, or set PORT.\n`,
    );
  });

  it('refuses an address that is not of this machine in one line', async () => {
    const env = { ...productionEnvironment(), HOST: '192.0.2.1', DATABASE_URL: 'sqlite:elsewhere.db' };
    await using running = startProcess({ folder, env });
    assert.equal((await running.exited).code, 1);
    assert.match(running.stderr, /^192\.0\.2\.1 is not an address of this machine: set HOST .*\n$/);
  });

  it('refuses a database that is not one, in one line, and leaves it as it was', async () => {
    mkdirSync(`${folder.path}/other`);
    const file = `${folder.path}/other/identity.db`;
    writeFileSync(file, 'a letter, not a database');
    await using running = startProcess({ folder, env: { ...productionEnvironment(), DATABASE_URL: `sqlite:${file}` } });
    assert.equal((await running.exited).code, 1);
    assert.match(running.stderr, /^.*not a SQLite database.*\n$/);
  });

  it('refuses another encryption key than the one the data was sealed with, in one line (R57)', async () => {
    const env = { ...productionEnvironment(), DATABASE_URL: 'sqlite:sealed.db' };
    await using first = startProcess({ folder, env });
    await first.origin();
    first.kill('SIGTERM');
    await first.exited;
    await using second = startProcess({ folder, env: { ...env, ENCRYPTION_KEY: secret } });
    assert.equal((await second.exited).code, 1);
    assert.match(second.stderr, /^.*ENCRYPTION_KEY.*\n$/);
    assert.doesNotMatch(second.stderr, /\n\s+at /);
  });
});
