// `identity user require-mfa` and `remove-factors`, run for real on a database of their own.
import assert from 'node:assert/strict';
import { secondFactorsIn } from '../../src/cli/user-factors.ts';
import { openWorkspace } from '../../src/cli/workspace.ts';
import { codeOf } from '../support/second-factors.ts';
import { createInstallation, environment, type Installation } from './run.ts';

describe('identity user, about second factors', () => {
  let installation: Installation;

  beforeEach(async () => {
    installation = createInstallation();
    await installation.run(['user', 'add', 'alice']);
  });
  afterEach(() => {
    installation[Symbol.dispose]();
  });

  async function enrol(): Promise<void> {
    const terminal = { env: environment, cwd: installation.folder } as unknown as Parameters<typeof openWorkspace>[0];
    await using workspace = await openWorkspace(terminal);
    const alice = await workspace.accounts.findByUsername('alice');
    assert.ok(alice);
    const factors = secondFactorsIn(workspace);
    const { secret } = await factors.beginTotp(alice.id, 'test');
    assert.ok(await factors.confirmTotp(alice.id, 'test', codeOf(secret), { replaces: false }));
  }

  async function shown(): Promise<Record<string, unknown>> {
    const { requires_mfa, authenticator_app, recovery_codes_left } = (
      await installation.run(['user', 'show', 'alice', '--json'])
    ).json();
    return { requires_mfa, authenticator_app, recovery_codes_left };
  }

  it('requires one, and no longer', async () => {
    const required = await installation.run(['user', 'require-mfa', 'alice']);
    assert.deepEqual([required.code, required.stdout], [0, 'alice signs in with a second factor\n']);
    assert.equal((await shown())['requires_mfa'], true);
    const off = await installation.run(['user', 'require-mfa', 'alice', '--off', '--json']);
    assert.equal(off.json()['requires_mfa'], false);
    assert.equal((await shown())['requires_mfa'], undefined);
  });

  it('shows which there are, and never a secret', async () => {
    await enrol();
    assert.deepEqual(await shown(), { requires_mfa: undefined, authenticator_app: true, recovery_codes_left: 10 });
    const { stdout } = await installation.run(['user', 'show', 'alice']);
    assert.doesNotMatch(stdout, /secret|[A-Z2-7]{32}/);
  });

  it('removes all of them from somebody who has lost them', async () => {
    await enrol();
    const removed = await installation.run(['user', 'remove-factors', 'alice']);
    assert.deepEqual([removed.code, removed.stdout], [0, 'removed the second factors of alice\n']);
    assert.equal((await shown())['authenticator_app'], undefined);
    const again = await installation.run(['user', 'remove-factors', 'alice']);
    assert.deepEqual([again.code, again.stdout], [0, 'alice has no second factor\n']);
  });

  for (const verb of ['require-mfa', 'remove-factors']) {
    it(`records ${verb} in the audit trail`, async () => {
      await installation.run(['user', verb, 'alice']);
      const { stdout } = await installation.run(['audit', '--event', 'administration']);
      assert.match(stdout, new RegExp(`user ${verb} alice`));
    });

    it(`fails for ${verb} of nobody`, async () => {
      const { code, stderr } = await installation.run(['user', verb, 'nobody']);
      assert.deepEqual([code, stderr], [1, 'identity: there is no user nobody\n']);
    });
  }

  it('registers a client whose users need one', async () => {
    const argv = ['client', 'add', 'strict', '--redirect-uri', 'https://rp.example/cb', '--require-mfa', '--json'];
    assert.equal((await installation.run(argv)).json()['require_mfa'], true);
  });
});
