// `identity user require-mfa` and `remove-factors`: who signs in with a second factor, and who has lost theirs.
import type { Command } from 'commander';
import type { AccountDirectory } from '../accounts/directory.ts';
import { createSecondFactorDirectory, type Factors, type SecondFactorDirectory } from '../accounts/second-factors.ts';
import type { Account } from '../store.ts';
import { type JsonOption, report, type Terminal, withJson } from './terminal.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

/** The second factors of the accounts that the commands work on. */
export function secondFactorsIn({ store, clock }: Workspace): SecondFactorDirectory {
  const { artifacts, passkeys, secondFactors } = store;
  return createSecondFactorDirectory({ artifacts, passkeys, secondFactors, clock });
}

/** In wire names; nothing of an account that never had any. */
export function shownFactors({ requiresMfa }: Account, { totp, recoveryCodes, passkeys }: Factors) {
  return {
    ...(requiresMfa && { requires_mfa: true }),
    ...(totp && { authenticator_app: true }),
    ...(passkeys > 0 && { passkeys }),
    ...((totp || passkeys > 0) && { recovery_codes_left: recoveryCodes }),
  };
}

/** @param getAccount the account of that name, or a failure */
export function addFactorCommands(
  user: Command,
  terminal: Terminal,
  getAccount: (accounts: AccountDirectory, name: string) => Promise<Account>,
): void {
  async function requireMfa(name: string, { off, ...options }: JsonOption & { off?: true }): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const { id, username } = await getAccount(workspace.accounts, name);
    await workspace.accounts.requireMfa(id, !off);
    const done = off ? `${username} may sign in without a second factor` : `${username} signs in with a second factor`;
    report(terminal, options, { sub: id, username, requires_mfa: !off }, [done]);
  }

  async function removeFactors(name: string, options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const { id, username } = await getAccount(workspace.accounts, name);
    const removed = await secondFactorsIn(workspace).removeAll(id);
    await workspace.guesses.forgive(id, ['totp', 'recovery-code']);
    const done = removed ? `removed the second factors of ${username}` : `${username} has no second factor`;
    report(terminal, options, { sub: id, username, removed }, [done]);
  }

  withJson(user.command('require-mfa <user>'))
    .description('let its owner sign in with a second factor only; enrolled at the next sign-in where there is none')
    .option('--off', 'no longer')
    .action(requireMfa);
  withJson(user.command('remove-factors <user>'))
    .description('remove authenticator app, passkeys and recovery codes: for somebody who has lost them')
    .action(removeFactors);
}
