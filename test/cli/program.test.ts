// The `identity` program as a whole: usage, exit codes, where it works, and the smaller nouns.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openConfiguredStore } from '../../src/cli/workspace.ts';
import { parseConfig } from '../../src/config.ts';
import { openKeyring } from '../../src/keys/signing-keys.ts';
import { freePort } from '../support/free-ports.ts';
import { openMailbox } from '../support/mailbox.ts';
import { createInstallation, environment, type Installation } from './run.ts';

const entry = resolve(import.meta.dirname, '../../src/cli/identity.ts');

describe('the identity program', () => {
  let installation: Installation;

  beforeEach(() => {
    installation = createInstallation();
  });

  afterEach(() => {
    installation[Symbol.dispose]();
  });

  for (const argv of [['--help'], ['user', '--help'], ['client', 'add', '--help'], ['help', 'key']]) {
    it(`explains itself: identity ${argv.join(' ')}`, async () => {
      const { code, stdout, stderr } = await installation.run(argv);
      assert.equal(code, 0);
      assert.match(stdout, /^Usage: identity /);
      assert.equal(stderr, '');
    });
  }

  it('names its nouns and verbs as designed', async () => {
    const { stdout } = await installation.run(['--help']);
    const nouns = [...stdout.matchAll(/^ {2}([a-z-]+) {2,}|^ {2}(doctor) /gm)].map(
      ([, noun, doctor]) => noun ?? doctor,
    );
    assert.deepEqual(nouns, ['user', 'client', 'resource-server', 'key', 'db', 'doctor']);
  });

  for (const [name, argv] of [
    ['nothing', []],
    ['a noun without verb', ['user']],
    ['an unknown noun', ['users', 'list']],
    ['an unknown verb', ['user', 'rename']],
    ['a missing argument', ['user', 'show']],
    ['an argument too many', ['user', 'show', 'alice', 'bob']],
    ['an unknown option', ['user', 'list', '--all']],
    ['a password as an argument', ['user', 'add', 'alice', '--password', 'a long enough password']],
    ['a password from nowhere', ['user', 'set-password', 'alice']],
    ['a claim without value', ['user', 'add', 'alice', '--claim', 'nickname']],
    ['metadata that is no JSON', ['client', 'add', 'web', '--metadata', 'client_name']],
    ['metadata that is no object', ['client', 'add', 'web', '--metadata', '[]']],
    ['a public client that authenticates', ['client', 'add', 'web', '--public', '--auth-method', 'private_key_jwt']],
  ] as const) {
    it(`answers ${name} with exit code 2, touching nothing`, async () => {
      const { code, stdout, stderr } = await installation.run(argv);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.notEqual(stderr, '');
      assert.equal(existsSync(join(installation.folder, 'data')), false);
    });
  }

  it('refuses an unusable configuration, naming every problem and no secret', async () => {
    const env = { JWT_SECRET_KEY: 'short-canary', COOKIE_SECRET: 'changeme' };
    const { code, stdout, stderr } = await installation.run(['user', 'list'], { env });
    assert.equal(code, 1);
    assert.equal(stdout, '');
    for (const name of ['JWT_ISSUER', 'JWT_SECRET_KEY', 'COOKIE_SECRET', 'ENCRYPTION_KEY']) {
      assert.match(stderr, new RegExp(name));
    }
    assert.match(stderr, /set NODE_ENV=development/);
    assert.doesNotMatch(stderr, /canary/);
    assert.equal(existsSync(join(installation.folder, 'data')), false);
  });

  it('refuses a database that is not ours and leaves it alone', async () => {
    const file = join(installation.folder, 'other.db');
    writeFileSync(file, 'not a database at all, '.repeat(100));
    const before = readFileSync(file);
    const env = { ...environment, DATABASE_URL: 'sqlite:other.db' };
    const { code, stderr } = await installation.run(['user', 'list'], { env });
    assert.equal(code, 1);
    assert.match(stderr, /^identity: [^\n]+\n$/);
    assert.deepEqual(readFileSync(file), before);
  });

  it('works in development without any set-up', async () => {
    const env = { NODE_ENV: 'development' };
    const added = await installation.run(['user', 'add', 'alice'], { env });
    assert.equal(added.code, 0);
    assert.equal(statSync(join(installation.folder, '.env')).mode & 0o777, 0o600);
    assert.match((await installation.run(['user', 'list'], { env })).stdout, /^alice /m);
  });

  it('lists the signing keys, without their private parts', async () => {
    assert.equal((await installation.run(['key', 'list'])).stdout, '(none)\n');
    const clock = () => 1_800_000_000;
    const store = await openConfiguredStore(parseConfig(environment), clock, installation.folder);
    const keyring = await openKeyring({ keys: store.keys, clock });
    await store[Symbol.asyncDispose]();
    const { keys } = (await installation.run(['key', 'list', '--json'])).json() as { keys: Record<string, unknown>[] };
    const published = keyring.publicJwks.keys.map(({ kid }) => kid);
    assert.deepEqual(keys.map(({ kid }) => kid).sort(), published.sort());
    for (const key of keys) {
      const { kid: _, alg, ...members } = key;
      assert.ok(['RS256', 'PS256', 'ES256', 'EdDSA'].includes(String(alg)));
      const [created_at, signs_at] = [1_800_000_000, 1_800_000_000];
      assert.deepEqual(members, {
        state: 'signing',
        signs: true,
        created_at,
        signs_at,
        stops_at: null,
        removed_at: null,
      });
    }
    assert.match((await installation.run(['key', 'list'])).stdout, /^\S+ +ES256 +signing +2027-01-15T08:00:00Z /m);
  });

  it('migrates twice without a change', async () => {
    for (let time = 0; time < 2; time += 1) {
      const { code, stdout } = await installation.run(['db', 'migrate']);
      assert.deepEqual({ code, stdout }, { code: 0, stdout: 'the schema is up to date\n' });
    }
  });

  it('purges everything that has expired, and nothing else', async () => {
    const long = Math.floor(Date.now() / 1000) - 100_000;
    const store = await openConfiguredStore(parseConfig(environment), () => long, installation.folder);
    const ids = Array.from({ length: 1_100 }, (_, number) => `session-${number}`);
    const upsert = (id: string, expiresIn: number) => {
      return { do: 'upsert', model: 'Session', id, payload: { uid: id }, expiresIn } as const;
    };
    await store.artifacts.apply([...ids.map((id) => upsert(id, 60)), upsert('kept', 1_000_000)]);
    await store[Symbol.asyncDispose]();
    assert.deepEqual((await installation.run(['db', 'purge', '--json'])).json(), { purged: ids.length });
    assert.deepEqual((await installation.run(['db', 'purge', '--json'])).json(), { purged: 0 });
  });

  it('tells the doctor that all is well', async () => {
    const { code, json } = await installation.run(['doctor', '--json']);
    assert.equal(code, 0);
    const { ok, findings } = json() as { ok: boolean; findings: { check: string; ok: boolean }[] };
    assert.equal(ok, true);
    assert.deepEqual(
      findings.map(({ check, ok }) => [check, ok]),
      [
        ['configuration', true],
        ['store', true],
        ['keys', true],
      ],
    );
  });

  it('has the doctor look at the mail server, where there is one', async () => {
    await using mailbox = await openMailbox();
    const mail = { MAIL_FROM: 'accounts@example.com' };
    const well = await installation.run(['doctor'], { env: { ...environment, ...mail, SMTP_URL: mailbox.url } });
    assert.equal(well.code, 0);
    assert.match(well.stdout, /^ok +mail +127\.0\.0\.1 takes letters$/m);
    const SMTP_URL = `smtp://127.0.0.1:${await freePort()}`;
    const ill = await installation.run(['doctor'], { env: { ...environment, ...mail, SMTP_URL } });
    assert.equal(ill.code, 1);
    assert.match(ill.stdout, /^FAIL +mail +ESOCKET$/m);
  });

  it('has the doctor warn of an https issuer that no proxy is trusted to speak for', async () => {
    const issuer = 'https://id.example.com';
    const env = { ...environment, PUBLIC_URL: issuer, JWT_ISSUER: issuer };
    const { code, stdout } = await installation.run(['doctor'], { env });
    assert.equal(code, 0);
    assert.match(stdout, /^ok +configuration .*\nwarn +proxies +TRUSTED_PROXIES is unset: .*\nok +store /m);
    const trusting = await installation.run(['doctor', '--json'], { env: { ...env, TRUSTED_PROXIES: '127.0.0.1' } });
    assert.doesNotMatch(trusting.stdout, /proxies/);
  });

  it('tells the doctor what is wrong, and where it stopped', async () => {
    const bad = await installation.run(['doctor'], { env: { ...environment, PORT: 'http' } });
    assert.equal(bad.code, 1);
    assert.match(bad.stdout, /^FAIL +configuration +PORT: /);
    assert.equal(bad.stderr, 'identity: the configuration cannot be used as it is\n');

    const clock = () => 1_800_000_000;
    const store = await openConfiguredStore(parseConfig(environment), clock, installation.folder);
    await openKeyring({ keys: store.keys, clock });
    await store[Symbol.asyncDispose]();
    const ENCRYPTION_KEY = 'q8Tn4Lw7Jv2Hs5Gd9Fk3Ac6Pb1Xe0Zr-another';
    const locked = await installation.run(['doctor'], { env: { ...environment, ENCRYPTION_KEY } });
    assert.equal(locked.code, 1);
    assert.match(locked.stdout, /^ok +store .*\nFAIL +keys /m);
  });

  it('runs as a program of its own and hands its exit code to the shell', () => {
    const run = (argv: string[], input: string) => {
      const options = { cwd: installation.folder, env: environment, input, encoding: 'utf8' } as const;
      return spawnSync(process.execPath, [entry, ...argv], options);
    };
    const added = run(['user', 'add', 'alice', '--password-stdin'], 'a long enough password\n');
    assert.equal(added.stderr, '');
    assert.equal(added.status, 0);
    assert.match(added.stdout, /^added alice, /);
    assert.equal(run(['user', 'add', 'alice'], '').status, 1);
    assert.equal(run(['user'], '').status, 2);
  });

  it('does its work in silence when the reader of its output has gone', async () => {
    const child = spawn(process.execPath, [entry, 'user', 'add', 'alice', '--password-stdin'], {
      cwd: installation.folder,
      env: environment,
    });
    child.stdout.destroy();
    child.stdin.end('a long enough password\n');
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const [code] = await once(child, 'close');
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.match((await installation.run(['user', 'list'])).stdout, /^alice /m);
  });

  it('fails with one line when its output cannot be kept', function () {
    if (!existsSync('/dev/full')) this.skip();
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [entry, '--help'], {
      cwd: installation.folder,
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    assert.equal(status, 1);
    assert.match(stderr, /^identity: the output could not be written: ENOSPC[^\n]*\n$/);
  });
});
