// `identity key`: the signing keys.
import { Command } from 'commander';
import type { SigningKey } from '../store.ts';
import { instant, type JsonOption, report, type Terminal, table, withJson } from './terminal.ts';
import { openWorkspace } from './workspace.ts';

/** The newest key of an algorithm signs; the others still verify. */
function signs(key: SigningKey, oldestFirst: readonly SigningKey[]): boolean {
  return oldestFirst.findLast(({ alg }) => alg === key.alg) === key;
}

/** The commands for signing keys. */
export function keyCommand(terminal: Terminal): Command {
  const key = new Command('key').description('the signing keys');

  async function list(options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const keys = await workspace.store.keys.list();
    const shown = keys.map((one) => {
      return { kid: one.kid, alg: one.alg, created_at: one.createdAt, signs: signs(one, keys) };
    });
    const rows = shown.map((one) => {
      return [one.kid, one.alg, instant(one.created_at), one.signs ? 'signs and verifies' : 'verifies'];
    });
    report(terminal, options, { keys: shown }, table(['KID', 'ALG', 'CREATED', 'USE'], rows));
  }

  withJson(key.command('list')).description('list the signing keys, oldest first').action(list);
  return key;
}
