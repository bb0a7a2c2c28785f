// Holds README.md and docs/ to the program: their commands run, their links lead somewhere, their names exist.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VARIABLES } from '../../src/config/variables.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { newSecret } from '../support/service.ts';
import { hasProgram, shell } from './command-line.ts';
import { startProcess } from './process.ts';

const root = join(import.meta.dirname, '../..');
const pages = ['README.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);
const textOf = (page: string) => readFileSync(join(root, page), 'utf8');
const commandsOf = (page: string) => [...textOf(page).matchAll(/^```bash\n(.*?)^```/gms)].map(([, code = '']) => code);

/** In upper case and in backticks, but no variable of the service: signals, SQL, and what Node, tests, benches and snippets read. */
const OTHER_NAMES = [
  'SIGTERM',
  'SERIALIZABLE',
  'ISSUER',
  'CLIENT_ID',
  'CLIENT_SECRET',
  'FAULTS',
  'BENCH_DATABASE_URL',
  'BENCH_NODE_OPTIONS',
  'NODE_OPTIONS',
];

describe('spec: the documents', () => {
  for (const page of pages) {
    it(`${page}: links lead to files and headings that exist`, () => {
      for (const [, target = ''] of textOf(page).matchAll(/\]\(([^)]+)\)/g)) {
        const [path = '', heading] = target.split('#');
        const file = path === '' ? join(root, page) : join(root, dirname(page), path);
        assert.ok(existsSync(file), target);
        if (heading === undefined) continue;
        const anchors = [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
          title.toLowerCase().replaceAll(' ', '-'),
        );
        assert.ok(anchors.includes(heading), target);
      }
    });

    it(`${page}: names environment variables and scripts that exist`, () => {
      const known = new Set<string>([...VARIABLES.map(({ name }) => name), ...OTHER_NAMES]);
      for (const [, name = ''] of textOf(page).matchAll(/`([A-Z][A-Z]*_[A-Z_]+|[A-Z]{4,})(?:=[^`]*)?`/g)) {
        assert.ok(known.has(name), name);
      }
      const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
      for (const [, script = ''] of textOf(page).matchAll(/npm run (?:-s )?([a-z]+)/g))
        assert.ok(scripts[script], script);
    });
  }

  describe('by curl', () => {
    let platform: Platform;

    before(async function () {
      if (!(await hasProgram('curl'))) this.skip();
      platform = await startPlatform();
    });
    after(() => platform?.[Symbol.asyncDispose]());

    it('README.md: gets a service token in three ways, and verifies it', async () => {
      const { secret } = await platform.service.addClient({
        clientId: 'careergpt-backend',
        metadata: { grant_types: ['client_credentials'] },
        audiences: { 'logging-service': null },
      });
      const lines = commandsOf('README.md').flatMap((code) =>
        code.split('\n').filter((line) => line.startsWith('curl')),
      );
      assert.equal(lines.length, 4);
      let token = '';
      for (const line of lines) {
        const command = line.replaceAll('http://localhost:3000', platform.identity).replace('curl', 'curl -sS');
        const answer = JSON.parse(await shell(`SECRET='${secret}' TOKEN='${token}'; ${command}`));
        if (line.includes('/verify')) assert.equal(answer.valid, true, line);
        else assert.ok(answer.access_token, line);
        token = answer.access_token;
      }
    });

    it('docs/security-checklist.md: says about the running service what it should', async () => {
      await using service = startProcess({
        JWT_ISSUER: 'https://platform.example/identity-backend',
        COOKIE_SECRET: newSecret(),
        JWT_SECRET_KEY: newSecret(),
        ENCRYPTION_KEY: newSecret(),
        TRUSTED_PROXIES: '127.0.0.1',
      });
      const issuer = `${await service.listening}/identity-backend`;
      const commands = commandsOf('docs/security-checklist.md').filter((code) => code.includes('$ISSUER'));
      const asProxy = 'curl -H "X-Forwarded-Proto: https"';
      // grep answers 1 when it finds nothing, which is what is hoped for
      const [paths, token, endpoint, keys] = await Promise.all(
        commands.map((command) => shell(`ISSUER=${issuer}\n${command.trim().replace('curl', asProxy)} || true`)),
      );
      assert.equal(paths, '404\n404\n404\n');
      assert.match(token ?? '', /"invalid_client".* 401\n$/);
      assert.equal(endpoint, '"token_endpoint":"https://platform.example/identity-backend/token"\n');
      assert.equal(keys, '');
    });
  });
});
