// Stories of `identity audit`, and of what commands leave in the audit trail.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { runIdentity } from '../../src/cli/program.ts';
import { openConfiguredStore } from '../../src/cli/workspace.ts';
import { parseConfig } from '../../src/config.ts';
import type { AuditEvent } from '../../src/store.ts';
import { createInstallation, environment, type Installation } from './run.ts';

type Shown = Record<string, unknown>;

describe('identity audit', () => {
  let installation: Installation;
  beforeEach(() => {
    installation = createInstallation();
  });
  afterEach(() => installation[Symbol.dispose]());

  const now = () => Math.floor(Date.now() / 1000);

  async function append(...events: (Partial<AuditEvent> & { id: string })[]): Promise<void> {
    await using store = await openConfiguredStore(parseConfig(environment), now, installation.folder);
    await store.auditEvents.append(events.map((one) => ({ at: now(), event: 'tokenIssued', facts: {}, ...one })));
  }

  async function eventsOf(...options: string[]): Promise<Shown[]> {
    const outcome = await installation.run(['audit', '--json', ...options]);
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome.json()['events'] as Shown[];
  }

  it('prints a line for each event, with what is known', async () => {
    const facts = { ip: '192.0.2.1', scope: 'openid email', tokenHash: 'abc' };
    await append({ id: 'a', at: 1_800_000_000, clientId: 'web', accountId: 'a1', facts });
    const { stdout } = await installation.run(['audit']);
    assert.equal(
      stdout,
      '2027-01-15T08:00:00Z  tokenIssued  client_id=web  sub=a1  ip=192.0.2.1  scope="openid email"  token_hash=abc\n',
    );
    assert.equal((await installation.run(['audit', '--client', 'other'])).stdout, '(none)\n');
  });

  it('selects by time, client, account, event and number', async () => {
    await append(
      { id: 'a', at: now() - 7_300, clientId: 'web' },
      { id: 'b', at: now() - 3_500, clientId: 'web', accountId: 'gone' },
      { id: 'c', clientId: 'other', event: 'loginFailed' },
    );
    const clients = async (...options: string[]) => (await eventsOf(...options)).map((one) => one['client_id']);
    assert.deepEqual(await clients(), ['web', 'web', 'other']);
    assert.deepEqual(await clients('--since', '1h'), ['web', 'other']);
    assert.deepEqual(await clients('--since', '2999-01-01'), []);
    assert.deepEqual(await clients('--since', '1970-01-01T00:00:00Z'), ['web', 'web', 'other']);
    assert.deepEqual(await clients('--client', 'web', '--since', '1h'), ['web']);
    assert.deepEqual(await clients('--account', 'gone'), ['web']);
    assert.deepEqual(await clients('--event', 'loginFailed'), ['other']);
    assert.deepEqual(await clients('--limit', '1'), ['other']);
  });

  for (const [name, argv, code] of [
    ['a time that is none', ['--since', 'yesterday'], 2],
    ['a limit of nothing', ['--limit', '0'], 2],
    ['a limit without bounds', ['--limit', '99999'], 2],
    ['an event that there is not', ['--event', 'tokenStolen'], 1],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const outcome = await installation.run(['audit', ...argv]);
      assert.equal(outcome.code, code);
      assert.equal(outcome.stdout, '');
    });
  }

  it('tells what was changed by commands, by whom, and of which client or account', async () => {
    await installation.run(['resource-server', 'add', 'api', '--scope', 'a b']);
    await installation.run(['client', 'add', 'web', '--grant-type', 'client_credentials', '--audience', 'api']);
    await installation.run(['client', 'add', 'web', '--grant-type', 'client_credentials']);
    await installation.run(['client', 'list']);
    await installation.run(['user', 'add', 'alice']);
    const subject = String((await installation.run(['user', 'show', 'alice', '--json'])).json()['sub']);
    await installation.run(['user', 'remove', 'alice']);
    await installation.run(['db', 'purge']);
    const events = await eventsOf('--event', 'administration');
    assert.deepEqual(
      events.map(({ command, client_id, sub, actor }) => [command, client_id ?? sub, actor]),
      [
        ["resource-server add api --scope 'a b'", undefined, 'cli:unknown'],
        ['client add web --grant-type client_credentials --audience api', 'web', 'cli:unknown'],
        ['user add alice', subject, 'cli:unknown'],
        ['user remove alice', subject, 'cli:unknown'],
        ['db purge', undefined, 'cli:unknown'],
      ],
    );
  });

  it('goes on with what happens, each event once, until it is told to end', async () => {
    await append({ id: 'a', clientId: 'before' });
    const ending = new AbortController();
    const lines: Shown[] = [];
    const code = runIdentity({
      argv: ['audit', '--follow', '--json'],
      env: environment,
      cwd: installation.folder,
      stdin: Readable.from([]),
      signal: ending.signal,
      stderr: { write: assert.fail },
      stdout: {
        write(text) {
          lines.push(JSON.parse(text));
          if (lines.length === 1)
            void append({ id: 'c', clientId: 'after' }, { id: 'b', at: now() - 5, clientId: 'late' });
          if (lines.length === 3) ending.abort();
        },
      },
    });
    assert.equal(await code, 0);
    assert.deepEqual(
      lines.map((line) => line['client_id']),
      ['before', 'late', 'after'],
    );
  });
});
