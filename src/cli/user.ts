// `identity user`: end-users' accounts.
import { Command, InvalidArgumentError } from 'commander';
import { en } from '../../views/texts/en.ts';
import { claimValue } from '../accounts/claim-values.ts';
import { accountClaims } from '../accounts/claims.ts';
import type { AccountDirectory } from '../accounts/directory.ts';
import type { GuessCount } from '../accounts/guesses.ts';
import { hasSecondFactor } from '../accounts/second-factors.ts';
import { createAccountSessions } from '../provider/account-sessions.ts';
import type { Account, StandardClaims } from '../store.ts';
import {
  Failure,
  instant,
  type JsonOption,
  memberLines,
  readLine,
  report,
  type Terminal,
  table,
  warn,
  withJson,
} from './terminal.ts';
import { addFactorCommands, secondFactorsIn, shownFactors } from './user-factors.ts';
import { addLinkCommands } from './user-links.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

type Claims = Readonly<Record<string, unknown>>;

interface AddOptions extends JsonOption {
  email?: string;
  name?: string;
  claim?: Claims;
  passwordStdin?: true;
}

function collectClaim(written: string, previous: Claims | undefined): Claims {
  const [, name, value] = /^([a-z_]+)=(.*)$/s.exec(written) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be written NAME=VALUE.');
  return { ...previous, [name]: claimValue(name, value) };
}

/** @param account with its id, where it is there already */
async function checkNewPassword(
  { passwordRules, store }: Workspace,
  password: string,
  account: Pick<Account, 'username' | 'claims'> & { id?: string },
): Promise<void> {
  const factors = account.id !== undefined && {
    totp: (await store.secondFactors.findTotp(account.id)) !== undefined,
    passkeys: (await store.passkeys.listOf(account.id)).length,
  };
  const choice = { account, hasSecondFactor: factors && hasSecondFactor(factors) };
  const fault = await passwordRules.faultOf(password, choice);
  if (fault) throw new Failure(en.newPassword[fault.reason](fault.minimum));
}

async function getAccount(accounts: AccountDirectory, name: string): Promise<Account> {
  const account = (await accounts.findByUsername(name)) ?? (await accounts.find(name));
  if (!account) throw new Failure(`there is no user ${name}`);
  return account;
}

function shown(account: Account): Record<string, unknown> {
  return {
    ...accountClaims(account),
    username: account.username,
    has_password: account.passwordHash !== undefined,
    created_at: account.createdAt,
    ...(account.disabledAt !== undefined && { disabled_at: account.disabledAt }),
  };
}

/** Failed attempts in a row, those that were not considered, and how long unknown devices have to wait. */
function shownGuesses(counts: readonly GuessCount[]): Record<string, unknown> {
  const guessed = counts.filter(({ failures, ignored }) => failures > 0 || ignored > 0);
  const shown = guessed.map(({ secret, failures, ignored, waits }) => {
    // forever, until the password is set anew, has no number in JSON
    return [secret, { failures, ignored, wait_seconds: Number.isFinite(waits) ? waits : null }];
  });
  return guessed.length > 0 ? { failed_attempts: Object.fromEntries(shown) } : {};
}

/** The commands for accounts. A user is named by username, e-mail address or subject. */
export function userCommand(terminal: Terminal): Command {
  const user = new Command('user').description("end-users' accounts");

  async function add(username: string, options: AddOptions): Promise<void> {
    const password = options.passwordStdin ? await readLine(terminal) : undefined;
    const claims = {
      ...(options.email !== undefined && { email: options.email }),
      ...(options.name !== undefined && { name: options.name }),
      ...options.claim,
    } as StandardClaims;
    await using workspace = await openWorkspace(terminal);
    if (password !== undefined) await checkNewPassword(workspace, password, { username, claims });
    const account = await workspace.accounts.add({ username, ...(password !== undefined && { password }), claims });
    if (password === undefined)
      warn(
        terminal,
        `${username} has no password yet: set one with user set-password, or send a link with user invite`,
      );
    report(terminal, options, shown(account), [`added ${username}, subject ${account.id}`]);
  }

  async function list(options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const accounts = await workspace.accounts.list();
    const rows = accounts.map(({ username, claims, id, disabledAt }) => {
      return [username, claims.email ?? '', id, disabledAt === undefined ? '' : 'disabled'];
    });
    report(terminal, options, { users: accounts.map(shown) }, table(['USERNAME', 'EMAIL', 'SUBJECT', ''], rows));
  }

  async function show(name: string, options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const account = await getAccount(workspace.accounts, name);
    const members = {
      ...shown(account),
      ...shownFactors(account, await secondFactorsIn(workspace).factorsOf(account.id)),
      ...shownGuesses(await workspace.guesses.countsOf(account.id)),
    };
    report(terminal, options, members, memberLines({ ...members, created_at: instant(account.createdAt) }));
  }

  async function setPassword(name: string, options: JsonOption): Promise<void> {
    const password = await readLine(terminal);
    await using workspace = await openWorkspace(terminal);
    const account = await getAccount(workspace.accounts, name);
    const { id, username } = account;
    await checkNewPassword(workspace, password, account);
    await workspace.accounts.setPassword(id, password);
    await createAccountSessions(workspace.store).endAll(id);
    report(terminal, options, { sub: id, username }, [`set the password of ${username}`]);
  }

  function change(done: string, act: (accounts: AccountDirectory, id: string) => Promise<boolean>) {
    return async (name: string, options: JsonOption): Promise<void> => {
      await using workspace = await openWorkspace(terminal);
      const { id, username } = await getAccount(workspace.accounts, name);
      await act(workspace.accounts, id);
      report(terminal, options, { sub: id, username }, [`${done} ${username}`]);
    };
  }

  withJson(user.command('add <username>'))
    .description('add an account')
    .option('--email <address>', 'e-mail address, also good for signing in')
    .option('--name <name>', 'full name')
    .option('--claim <name=value>', 'any standard claim, text or JSON; may be repeated', collectClaim)
    .option('--password-stdin', 'read the password as one line from standard input')
    .action(add);
  withJson(user.command('list')).description('list the accounts').action(list);
  withJson(user.command('show <user>')).description('show an account with its claims').action(show);
  withJson(user.command('set-password <user>'))
    .description('set the password, forgive the failed attempts, and end all sessions and tokens of the account')
    .requiredOption('--password-stdin', 'read the password as one line from standard input')
    .action(setPassword);
  withJson(user.command('disable <user>'))
    .description('let nobody sign in to the account')
    .action(change('disabled', (accounts, id) => accounts.disable(id)));
  withJson(user.command('enable <user>'))
    .description('let its owner sign in again, and forgive the failed attempts')
    .action(change('enabled', (accounts, id) => accounts.enable(id)));
  addFactorCommands(user, terminal, getAccount);
  addLinkCommands(user, terminal, getAccount);
  withJson(user.command('remove <user>'))
    .description('remove the account for good')
    .action(change('removed', (accounts, id) => accounts.remove(id)));
  return user;
}
