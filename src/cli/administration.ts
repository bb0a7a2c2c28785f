// Records in the audit trail what an administrator changed by a command.
import type { Command } from 'commander';
import { cleanFacts, createEventFactory } from '../logging/events.ts';
import { Failure, type Terminal } from './terminal.ts';
import { openWorkspace } from './workspace.ts';

/** Verbs that only look; a command that is not known to only look counts as a change. */
const LOOKING = new Set(['list', 'show', 'doctor', 'audit', 'snippet']);

/**
 * Whoever can run commands can also write to the store itself: this trail is for those who want to know what was done,
 * not a defence against them.
 */
export interface Administration {
  /** To be called before a command: afterwards the account may be gone. */
  begin(command: Command): Promise<void>;
  /** To be called after a command that succeeded. @throws Failure when it cannot be recorded */
  end(command: Command): Promise<void>;
}

export function createAdministration(terminal: Terminal): Administration {
  let accountId: string | undefined;

  async function findAccountId(command: Command): Promise<string | undefined> {
    const named = argumentsOf(command);
    const name = named.get('user') ?? named.get('username') ?? named.get('email');
    if (name === undefined) return undefined;
    await using workspace = await openWorkspace(terminal);
    return ((await workspace.accounts.findByUsername(name)) ?? (await workspace.accounts.find(name)))?.id;
  }

  async function record(command: Command): Promise<void> {
    const clientId = argumentsOf(command).get('client-id') ?? argumentsOf(command).get('client');
    accountId ??= await findAccountId(command);
    await using workspace = await openWorkspace(terminal);
    const facts = cleanFacts({
      actor: `cli:${terminal.user ?? 'unknown'}`,
      command: terminal.argv.map(quoted).join(' '),
      clientId,
      accountId,
    });
    const event = createEventFactory(workspace.clock)('administration', facts);
    await workspace.store.auditEvents.append([event]);
  }

  return {
    async begin(command) {
      if (isChange(command)) accountId = await findAccountId(command);
    },
    async end(command) {
      if (!isChange(command)) return;
      try {
        await record(command);
      } catch (cause) {
        throw new Failure('it is done, but could not be recorded in the audit trail', { cause });
      }
    },
  };
}

function isChange(command: Command): boolean {
  return !LOOKING.has(command.name()) && command.opts()['verify'] !== true;
}

function argumentsOf(command: Command): Map<string, string> {
  return new Map(command.registeredArguments.map((argument, at) => [argument.name(), String(command.args[at])]));
}

/** As it would be typed again. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
