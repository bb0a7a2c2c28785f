// The set-up of a development machine: what it writes to `.env`, when, and what it leaves alone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { parseConfig } from '../src/config.ts';
import { prepareDevelopment } from '../src/development.ts';

const REQUIRED = ['COOKIE_SECRET', 'JWT_SECRET_KEY', 'ENCRYPTION_KEY'];
const DEMONSTRATION = ['DEMO_USERNAME', 'DEMO_PASSWORD', 'BROWSER_UI_CLIENT_SECRET'];

describe('development set-up', () => {
  let folder = '';
  let envFile = '';
  const prepare = (env: Record<string, string | undefined> = {}) =>
    prepareDevelopment({ NODE_ENV: 'development', ...env }, { envFile });
  const text = () => readFileSync(envFile, 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'identity-'));
    envFile = join(folder, '.env');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes a .env that only its owner can read, with which the configuration is complete', () => {
    const prepared = prepare();
    assert.deepEqual([prepared.created, prepared.written], [true, [...REQUIRED, ...DEMONSTRATION]]);
    assert.equal(statSync(envFile).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ['.env']);
    const config = parseConfig(prepared.env);
    assert.equal(config.demoAccount?.username, 'demo');
    assert.deepEqual({ ...parse(text()), NODE_ENV: 'development' }, prepared.env);
  });

  it('makes 32 random bytes for every secret, and a password that can be read aloud', () => {
    prepare();
    const file = parse(text());
    for (const name of REQUIRED) assert.equal(Buffer.from(file[name] ?? '', 'base64url').length, 32, name);
    assert.match(file['DEMO_PASSWORD'] ?? '', /^([a-km-np-z2-9]{4}-){3}[a-km-np-z2-9]{4}$/);
    const secrets = [...REQUIRED, ...DEMONSTRATION].map((name) => file[name]);
    assert.equal(new Set(secrets).size, secrets.length);
    rmSync(envFile);
    prepare();
    for (const secret of Object.values(parse(text()))) {
      assert.ok(secret === 'demo' || !secrets.includes(secret));
    }
  });

  it('takes its randomness from the given source', () => {
    const random = (bytes: number) => Buffer.alloc(bytes, 7);
    const { env } = prepareDevelopment({ NODE_ENV: 'development' }, { envFile, random });
    assert.equal(env['JWT_SECRET_KEY'], Buffer.alloc(32, 7).toString('base64url'));
    assert.equal(env['DEMO_PASSWORD'], 'hhhh-hhhh-hhhh-hhhh');
  });

  it('explains every line it writes', () => {
    prepare();
    const [, ...lines] = text().trim().split('\n');
    assert.equal(lines.length, 12);
    for (const [index, line] of lines.entries()) assert.match(line, index % 2 === 0 ? /^# \S/ : /^[A-Z_]+=\S+$/);
  });

  it('changes nothing the second time', () => {
    const first = prepare();
    const before = text();
    const second = prepare();
    assert.deepEqual([second.created, second.written], [false, []]);
    assert.deepEqual(second.env, first.env);
    assert.equal(text(), before);
  });

  const existing: [string, string, string[]][] = [
    ['an empty file', '', REQUIRED],
    ['a file without a newline at its end', 'PORT=3111', REQUIRED],
    [
      'a file with comments and one secret',
      `# mine\n\nJWT_SECRET_KEY=${'x'.repeat(40)} # old\n`,
      ['COOKIE_SECRET', 'ENCRYPTION_KEY'],
    ],
    ['a copy of the example with empty values', 'COOKIE_SECRET=\nJWT_SECRET_KEY=\nENCRYPTION_KEY=\n', REQUIRED],
    ['a file with the old name', `FLASK_SECRET_KEY=${'x'.repeat(40)}\n`, ['JWT_SECRET_KEY', 'ENCRYPTION_KEY']],
    ['a file with Windows line ends', 'PORT=3111\r\nHOST=localhost\r\n', REQUIRED],
  ];
  for (const [what, before, written] of existing) {
    it(`adds to ${what} the secrets it lacks, and touches no other line`, () => {
      writeFileSync(envFile, before);
      const prepared = prepare();
      assert.deepEqual([prepared.created, prepared.written], [false, written]);
      assert.ok(text().startsWith(before));
      for (const [name, value] of Object.entries(parse(before))) {
        if (value !== '') assert.equal(prepared.env[name], value);
      }
      for (const name of written) assert.equal(prepared.env[name], parse(text())[name]);
      assert.deepEqual(prepare().env, prepared.env);
    });
  }

  it('lets the environment win over the file, unless it is empty there', () => {
    writeFileSync(envFile, 'PORT=3111\nHOST=localhost\nLOG_LEVEL=debug\n');
    const { env } = prepare({ PORT: '4000', HOST: '' });
    assert.deepEqual([env['PORT'], env['HOST'], env['LOG_LEVEL']], ['4000', 'localhost', 'debug']);
  });

  it('lets the old name in the environment win over the new name in the file', () => {
    prepare();
    const { env } = prepare({ FLASK_SECRET_KEY: 'q8Zr2LwT5xVb9NyKq7Zr3LwT6xVb0NyM' });
    assert.equal(env['COOKIE_SECRET'], undefined);
    assert.deepEqual(parseConfig(env).cookieSecrets, ['q8Zr2LwT5xVb9NyKq7Zr3LwT6xVb0NyM']);
  });

  it('makes no file when the environment has every secret', () => {
    const prepared = prepare({ COOKIE_SECRET: 'a', JWT_SECRET_KEY: 'b', ENCRYPTION_KEY: 'c' });
    assert.deepEqual([prepared.created, existsSync(envFile)], [false, false]);
  });

  it('does not change what it was given', () => {
    const env = Object.freeze({ NODE_ENV: 'development' });
    prepareDevelopment(env, { envFile });
    assert.deepEqual(env, { NODE_ENV: 'development' });
  });

  for (const mode of [undefined, '', 'production', 'staging', 'test']) {
    it(`neither reads nor writes a file when NODE_ENV is ${JSON.stringify(mode)}`, () => {
      const env = { NODE_ENV: mode, PORT: '4000' };
      assert.deepEqual(prepareDevelopment(env, { envFile }), { env, created: false, written: [] });
      assert.equal(existsSync(envFile), false);
      writeFileSync(envFile, 'HOST=localhost\n');
      assert.deepEqual(prepareDevelopment(env, { envFile }).env, env);
      assert.equal(text(), 'HOST=localhost\n');
    });
  }

  it('fails with the reason of the file system when it cannot read or write, and leaves nothing behind', () => {
    symlinkSync(join(folder, 'nowhere'), envFile);
    assert.throws(() => prepare(), { code: 'ENOENT' });
    assert.deepEqual(readdirSync(folder), ['.env']);
    envFile = join(folder, 'absent', '.env');
    assert.throws(() => prepare(), { code: 'ENOENT' });
  });

  it('gives the same secrets to processes that start at once', async () => {
    const module = new URL('../src/development.ts', import.meta.url).href;
    const program = `
      import { prepareDevelopment } from ${JSON.stringify(module)};
      process.stdin.once('data', () => {
        const { env } = prepareDevelopment({ NODE_ENV: 'development' }, { envFile: ${JSON.stringify(envFile)} });
        process.stdout.write(JSON.stringify(env));
        process.stdin.destroy();
      });
      process.stdout.write('ready\\n');`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    const outputs = children.map(() => '');
    await Promise.all(children.map((child) => once(child.stdout, 'data')));
    for (const [index, child] of children.entries()) {
      child.stdout.on('data', (data) => {
        outputs[index] += data;
      });
    }
    const ends = children.map((child) => once(child, 'close'));
    for (const child of children) child.stdin.write('go\n');
    await Promise.all(ends);
    const expected = { ...parse(text()), NODE_ENV: 'development' };
    for (const output of outputs) assert.deepEqual(JSON.parse(output), expected);
    assert.deepEqual(readdirSync(folder), ['.env']);
  });
});
