// Stories of `identity snippet`: the real names in every language, and what it refuses.
import assert from 'node:assert/strict';
import { createInstallation, environment, type Installation } from './run.ts';

const languages = ['python-flask', 'python-fastapi', 'django', 'express', 'go', 'curl'];

describe('identity snippet', () => {
  let installation: Installation;
  before(async () => {
    installation = createInstallation();
    await installation.run(['resource-server', 'add', 'api', '--scope', 'read', '--alg', 'EdDSA']);
    await installation.run(['client', 'add', 'caller', '--grant-type', 'client_credentials', '--audience', 'api']);
    await installation.run(['client', 'add', 'other', '--grant-type', 'client_credentials']);
  });
  after(() => installation[Symbol.dispose]());

  async function snippet(...options: string[]): Promise<string> {
    const { code, stdout, stderr } = await installation.run(['snippet', ...options]);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  for (const lang of languages) {
    it(`has the real names, and no secret (${lang})`, async () => {
      const caller = await snippet('--audience', 'api', '--lang', lang, '--client', 'caller', '--part', 'caller');
      for (const name of ['http://localhost:3000/token', 'api', 'caller', 'CLIENT_SECRET']) {
        assert.ok(caller.includes(name), `${name} in ${caller}`);
      }
      const verifier = await snippet('--audience', 'api', '--lang', lang, '--part', 'verifier');
      const names =
        lang === 'curl' ? ['http://localhost:3000/verify'] : ['http://localhost:3000/jwks', 'EdDSA', 'at+jwt'];
      for (const name of names) assert.ok(verifier.includes(name), `${name} in ${verifier}`);

      const shared = await snippet('--audience', 'logging-service', '--lang', lang);
      if (lang !== 'curl') assert.match(shared, /HS256/);
      for (const secret of [environment.JWT_SECRET_KEY, environment.COOKIE_SECRET]) assert.ok(!shared.includes(secret));
    });
  }

  it('prints both ends unless told which, and an object under --json', async () => {
    const options = ['--audience', 'api', '--lang', 'express'];
    const both = await snippet(...options);
    const { caller, verifier } = JSON.parse(await snippet(...options, '--json'));
    assert.ok(both.includes(caller.trim()) && both.includes(verifier.trim()));
  });

  for (const [name, options, code] of [
    ['an audience that there is not', ['--audience', 'nothing', '--lang', 'go'], 1],
    ['a client that there is not', ['--audience', 'api', '--lang', 'go', '--client', 'nobody'], 1],
    ['a client without that audience', ['--audience', 'api', '--lang', 'go', '--client', 'other'], 1],
    ['a language that it does not speak', ['--audience', 'api', '--lang', 'cobol'], 2],
    ['no audience', ['--lang', 'go'], 2],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const outcome = await installation.run(['snippet', ...options]);
      assert.equal(outcome.code, code);
      assert.equal(outcome.stdout, '');
    });
  }
});
