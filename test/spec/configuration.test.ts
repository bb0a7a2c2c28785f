// The specification's environment variables and security checklist, on the real process.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { parseConfig } from '../../src/config.ts';
import { newSecret } from '../support/service.ts';
import { hasProgram, shell } from './command-line.ts';
import { startProcess } from './process.ts';

/** The table of required variables, with the old name of the cookie secret, on hosts of nobody. */
const table = {
  FLASK_SECRET_KEY: newSecret(),
  JWT_SECRET_KEY: newSecret(),
  JWT_ISSUER: 'https://platform.example/identity-backend',
  JWT_EXPIRATION_MINUTES: '15',
  LOGGING_BACKEND_AUD: 'logging-service',
  IDENTITY_SUB: 'identity-backend',
};
const developmentOnly = { DEMO_USERNAME: 'u', DEMO_PASSWORD: 'p' };
const production = { ...table, ENCRYPTION_KEY: newSecret() };

describe('spec: configuration and secrets', () => {
  it('takes the whole table in development, the demo account and the example client secret included', () => {
    const config = parseConfig({
      ...production,
      ...developmentOnly,
      NODE_ENV: 'development',
      BROWSER_UI_CLIENT_SECRET: 'dev-client-secret-default',
      LOGGING_BACKEND_URL: 'https://platform.example/logging-backend',
    });
    assert.equal(config.issuer, table.JWT_ISSUER);
    assert.equal(config.accessTokenLifetime, 15 * 60);
    assert.deepEqual(config.demoAccount, { username: 'u', password: 'p' });
  });

  it('takes the three lines of the older document', () => {
    const config = parseConfig({
      NODE_ENV: 'development',
      COOKIE_SECRET: newSecret(),
      ENCRYPTION_KEY: newSecret(),
      JWT_SECRET_KEY: newSecret(),
      JWT_ISSUER: 'identity-backend',
      JWT_EXPIRATION_MINUTES: '15',
    });
    assert.equal(config.sharedSecretIssuer, 'identity-backend');
    assert.equal(config.issuer, 'http://localhost:3000');
  });

  for (const command of [
    `python3 -c "import secrets; print(secrets.token_urlsafe(32))"`,
    `python3 -c "import secrets; print(secrets.token_urlsafe(64))"`,
    `"${process.execPath}" -e "console.log(crypto.randomBytes(32).toString('base64url'))"`,
  ]) {
    it(`takes a secret made with ${command.replace(process.execPath, 'node')}`, async function () {
      if (command.startsWith('python3') && !(await hasProgram('python3'))) this.skip();
      const secret = (await shell(command)).trim();
      assert.deepEqual(parseConfig({ ...production, JWT_SECRET_KEY: secret }).jwtSecrets, [secret]);
    });
  }

  it('refuses the secret that the specification prints', () => {
    const printed = 'dkYM8s8HJGPjjWdXeC9M8uKDnt-G_faRZOEeMYSx4p4';
    assert.throws(() => parseConfig({ ...production, JWT_SECRET_KEY: printed }), /JWT_SECRET_KEY: .*placeholder/);
  });
});

describe('spec: security review checklist', () => {
  for (const name of ['FLASK_SECRET_KEY', 'JWT_SECRET_KEY', 'JWT_ISSUER', 'ENCRYPTION_KEY'] as const) {
    for (const [change, env] of [
      ['removed', {}],
      ['renamed', { [`${name}_X`]: production[name] }],
    ] as const) {
      it(`fails to boot with ${name} ${change}, and names it`, async () => {
        const { [name]: _, ...rest } = production;
        await using service = startProcess({ ...rest, ...env } as Record<string, string>);
        assert.equal(await service.exited, 1);
        const told = name === 'FLASK_SECRET_KEY' ? 'COOKIE_SECRET' : name;
        assert.match(service.output(), new RegExp(`${told}: must be set`));
        for (const secret of [table.FLASK_SECRET_KEY, table.JWT_SECRET_KEY, production.ENCRYPTION_KEY]) {
          assert.ok(!service.output().includes(secret), 'no value is shown');
        }
        assert.doesNotMatch(service.output(), /listening/);
      });
    }
  }

  it('boots with all of them, under the path of its issuer and without it, and has no development endpoints', async () => {
    await using service = startProcess(production);
    const origin = await service.listening;
    for (const path of ['/ping', '/identity-backend/ping']) {
      assert.equal(await (await fetch(origin + path)).text(), 'OK');
    }
    const paths = ['/test-token', '/debug-env', '/identity-backend/debug-env', '/no-such-path'];
    const answers = await Promise.all(
      paths.map(async (path) => {
        const answer = await fetch(origin + path);
        return `${answer.status} ${await answer.text()}`;
      }),
    );
    assert.match(answers[0] ?? '', /^404 /);
    assert.equal(new Set(answers).size, 1, answers.join('\n'));
  });

  for (const [name, value] of Object.entries({ ...developmentOnly, ALLOW_UNAUTHENTICATED_TOKENS: 'true' })) {
    it(`does not boot in production with ${name}`, async () => {
      await using service = startProcess({ ...production, [name]: value });
      assert.equal(await service.exited, 1);
      assert.match(service.output(), new RegExp(`${name}: must be unset in production`));
    });
  }

  it('gives no token to strangers in production', async () => {
    await using service = startProcess(production);
    const answer = await fetch(`${await service.listening}/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"sub":"careergpt-backend","aud":"logging-service"}',
    });
    assert.equal(answer.status, 401);
    assert.equal(((await answer.json()) as { error: string }).error, 'invalid_client');
  });

  it('has no .env and no secret in its history', async function () {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', maxBuffer: 1 << 28, stdio: 'pipe' });
    try {
      git('rev-parse', '--git-dir');
    } catch {
      this.skip();
    }
    assert.equal(git('log', '--all', '--format=%h', '--', ':(top,glob)**/.env'), '');
    const patches = git('log', '-p', '--', ':/', ':(top,exclude)test', ':(top,exclude)package-lock.json');
    const secrets = patches
      .split('\n')
      .filter((line) => /^\+.*(secret|key|password)\w*["']?\s*[=:]\s*["']?[\w-]{32,}/i.test(line));
    assert.deepEqual(secrets, []);
  });
});
