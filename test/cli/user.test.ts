// `identity user`, run for real on a database of its own.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Terminal } from '../../src/cli/terminal.ts';
import { openWorkspace, type Workspace } from '../../src/cli/workspace.ts';
import { createInstallation, environment, type Installation } from './run.ts';

const password = 'a long enough password';

async function inWorkspace({ folder }: Installation, work: (workspace: Workspace) => Promise<void>): Promise<void> {
  await using workspace = await openWorkspace({ env: environment, cwd: folder } as unknown as Terminal);
  await work(workspace);
}

describe('identity user', () => {
  let installation: Installation;

  beforeEach(() => {
    installation = createInstallation();
  });

  afterEach(() => {
    installation[Symbol.dispose]();
  });

  it('adds an account as the documentation says', async () => {
    const argv = ['user', 'add', 'alice', '--email', 'alice@example.org', '--name', 'Alice', '--password-stdin'];
    const { code, stdout, stderr } = await installation.run(argv, { stdin: `${password}\n` });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.match(stdout, /^added alice, subject [0-9a-f-]{36}\n$/);
  });

  it('shows an account by username, e-mail address or subject, in wire names', async () => {
    const claims = [
      '--claim',
      'email_verified=true',
      '--claim',
      'address={"locality":"Bern"}',
      '--claim',
      'nickname=7',
    ];
    const added = await installation.run(['user', 'add', 'Alice', '--email', 'alice@example.org', ...claims, '--json']);
    const { sub, created_at } = added.json();
    for (const name of ['alice', 'ALICE@example.org', String(sub)]) {
      const { code, json } = await installation.run(['user', 'show', name, '--json']);
      assert.equal(code, 0);
      assert.deepEqual(json(), {
        sub,
        username: 'Alice',
        preferred_username: 'Alice',
        email: 'alice@example.org',
        email_verified: true,
        address: { locality: 'Bern' },
        nickname: '7',
        has_password: false,
        created_at,
        updated_at: created_at,
      });
    }
  });

  it('never shows or stores a password', async () => {
    const added = await installation.run(['user', 'add', 'alice', '--password-stdin', '--json'], { stdin: password });
    const shown = await installation.run(['user', 'show', 'alice', '--json']);
    assert.equal(shown.json()['has_password'], true);
    assert.doesNotMatch(added.stdout + added.stderr + shown.stdout, /a long enough|argon2/);
    const files = readdirSync(join(installation.folder, 'data'));
    assert.ok(files.includes('identity.db'));
    for (const file of files) {
      assert.equal(readFileSync(join(installation.folder, 'data', file)).includes(password), false, file);
    }
  });

  it('lists accounts, and says which are disabled', async () => {
    assert.equal((await installation.run(['user', 'list'])).stdout, '(none)\n');
    await installation.run(['user', 'add', 'bob']);
    await installation.run(['user', 'add', 'alice', '--email', 'alice@example.org']);
    await installation.run(['user', 'disable', 'bob']);
    const [head, first, second] = (await installation.run(['user', 'list'])).stdout.split('\n');
    assert.match(String(head), /^USERNAME +EMAIL +SUBJECT$/);
    assert.match(String(first), /^alice +alice@example\.org +[0-9a-f-]{36}$/);
    assert.match(String(second), /^bob +[0-9a-f-]{36} +disabled$/);
    const { users } = (await installation.run(['user', 'list', '--json'])).json() as { users: { username: string }[] };
    assert.deepEqual(
      users.map(({ username }) => username),
      ['alice', 'bob'],
    );
  });

  it('disables, enables, changes the password and removes', async () => {
    await installation.run(['user', 'add', 'alice']);
    assert.equal((await installation.run(['user', 'disable', 'alice'])).stdout, 'disabled alice\n');
    assert.ok((await installation.run(['user', 'show', 'alice', '--json'])).json()['disabled_at']);
    assert.equal((await installation.run(['user', 'enable', 'alice'])).stdout, 'enabled alice\n');
    assert.equal((await installation.run(['user', 'show', 'alice', '--json'])).json()['disabled_at'], undefined);
    const set = await installation.run(['user', 'set-password', 'alice', '--password-stdin'], { stdin: password });
    assert.equal(set.stdout, 'set the password of alice\n');
    assert.equal((await installation.run(['user', 'show', 'alice', '--json'])).json()['has_password'], true);
    assert.equal((await installation.run(['user', 'remove', 'alice'])).stdout, 'removed alice\n');
    assert.equal((await installation.run(['user', 'show', 'alice'])).code, 1);
  });

  it('reads one line, as it is, as the password', async () => {
    const stdin = '  spaces count, always  \r\nanother line\n';
    const { code, stderr } = await installation.run(['user', 'add', 'alice', '--password-stdin'], { stdin });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });

  it('takes 8 characters from who has a second factor, and 15 from others', async () => {
    const added = await installation.run(['user', 'add', 'alice', '--json']);
    const argv = ['user', 'set-password', 'alice', '--password-stdin'];
    const alone = await installation.run(argv, { stdin: 'kX9#mP2v' });
    assert.equal(alone.code, 1);
    assert.match(alone.stderr, /^identity: [^\n]* at least 15 characters\.\n$/);
    const totp = { secret: 'JBSWY3DPEHPK3PXP', createdAt: 0, lastStep: 0 };
    await inWorkspace(installation, ({ store }) => {
      return store.secondFactors.saveTotp({ accountId: String(added.json()['sub']), ...totp });
    });
    assert.equal((await installation.run(argv, { stdin: 'kX9#mP2v' })).code, 0);
    assert.match((await installation.run(argv, { stdin: 'password' })).stderr, /first that attackers try/);
  });

  it('shows how often an account was guessed at, and forgives it with a new password', async () => {
    const added = await installation.run(['user', 'add', 'alice', '--json']);
    await inWorkspace(installation, async ({ guesses }) => {
      const whose = { accountId: String(added.json()['sub']) };
      for (const _ of Array(7)) {
        await guesses.attempt({ secret: 'password', whose, address: '192.0.2.1' }, async () => undefined);
      }
    });
    const shown = await installation.run(['user', 'show', 'alice', '--json']);
    const { failures, ignored } = (shown.json()['failed_attempts'] as { password: Record<string, number> }).password;
    assert.deepEqual({ failures, ignored }, { failures: 6, ignored: 1 });
    await installation.run(['user', 'set-password', 'alice', '--password-stdin'], { stdin: password });
    assert.equal((await installation.run(['user', 'show', 'alice', '--json'])).json()['failed_attempts'], undefined);
  });

  it('ends what the old password had opened with a new one', async () => {
    const accountId = String((await installation.run(['user', 'add', 'alice', '--json'])).json()['sub']);
    await inWorkspace(installation, ({ store }) => {
      const authorizations = { web: { sid: 's', grantId: 'g' } };
      const upserts = [
        { model: 'Session', id: 'session', payload: { jti: 'session', uid: 'u', accountId, authorizations } },
        { model: 'Grant', id: 'g', payload: { jti: 'g', accountId, clientId: 'web' } },
        { model: 'RefreshToken', id: 'token', payload: { jti: 'token', grantId: 'g', accountId } },
      ];
      return store.artifacts.apply(upserts.map((upsert) => ({ do: 'upsert', ...upsert })));
    });
    await installation.run(['user', 'set-password', 'alice', '--password-stdin'], { stdin: password });
    await inWorkspace(installation, async ({ store: { artifacts } }) => {
      assert.equal(await artifacts.find('Session', 'session'), undefined);
      assert.equal(await artifacts.find('RefreshToken', 'token'), undefined);
    });
  });

  it('warns of an account without a password', async () => {
    const none = await installation.run(['user', 'add', 'bob']);
    assert.equal(none.code, 0);
    assert.match(none.stderr, /^warning: bob has no password yet[^\n]*\n$/);
  });

  for (const [name, argv, stdin, message] of [
    ['a password of 14 characters', ['alice', '--password-stdin'], 'zebra under ic\n', /at least 15 characters/],
    ['a password of more than 1,024 bytes', ['alice', '--password-stdin'], 'x'.repeat(1_025), /at most 256 characters/],
    ['a password with a NUL', ['alice', '--password-stdin'], 'password\0password', /cannot be used/],
    ['a password that is easy to guess', ['alice', '--password-stdin'], 'qwertyuiopasdfghjkl', /attackers try/],
    ['an empty line as password', ['alice', '--password-stdin'], '\n', /standard input is empty/],
    ['nothing as password', ['alice', '--password-stdin'], '', /standard input is empty/],
    ['a password that is no UTF-8', ['alice', '--password-stdin'], Buffer.from([0xff, 0xfe, 0xfd]), /UTF-8/],
    ['an unknown claim', ['alice', '--claim', 'shoe_size=42'], '', /shoe_size is not a standard claim/],
    ['a claim of the wrong type', ['alice', '--claim', 'email_verified=maybe'], '', /email_verified must be true or/],
    ['something else as e-mail address', ['alice', '--email', 'alice'], '', /email must be an e-mail address/],
    ['a foreign address as username', ['bob@example.org'], '', /own e-mail address/],
    ['a username that is taken', ['BOB'], '', /username or e-mail address is already taken/],
  ] as const) {
    it(`refuses ${name} with one line and exit code 1`, async () => {
      await installation.run(['user', 'add', 'bob']);
      const { code, stdout, stderr } = await installation.run(['user', 'add', ...argv], { stdin });
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.match(stderr, /^identity: [^\n]+\n$/);
      assert.equal((await installation.run(['user', 'show', 'alice'])).code, 1);
    });
  }

  for (const verb of ['show', 'disable', 'enable', 'remove', 'set-password']) {
    it(`cannot ${verb} an account that does not exist`, async () => {
      const argv = ['user', verb, 'nobody', ...(verb === 'set-password' ? ['--password-stdin'] : [])];
      const { code, stdout, stderr } = await installation.run(argv, { stdin: password });
      assert.deepEqual(
        { code, stdout, stderr },
        { code: 1, stdout: '', stderr: 'identity: there is no user nobody\n' },
      );
    });
  }
});
