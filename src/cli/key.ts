// `identity key`: the signing keys, and the encryption of what is kept.
import { Command, Option } from 'commander';
import { signingAlgs } from '../keys/key-generation.ts';
import { listKeys } from './key-list.ts';
import { type RetireOptions, type RotateOptions, retire, rotate } from './key-rotation.ts';
import { type JsonOption, report, type Terminal, warn, withJson } from './terminal.ts';
import { openWorkspace } from './workspace.ts';

/** The commands for keys. */
export function keyCommand(terminal: Terminal): Command {
  const key = new Command('key').description('the signing keys');

  async function reencrypt(options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const { reEncrypted, remaining, unreadable } = await workspace.store.reEncrypt();
    if (remaining > 0) {
      warn(
        terminal,
        'a running server still encrypts with an older key: restart it with the new list, and run this again',
      );
    }
    if (unreadable > 0) warn(terminal, `${unreadable} rows open with no key of the list: they were lost before`);
    report(terminal, options, { reencrypted: reEncrypted, remaining, unreadable }, [
      `encrypted ${reEncrypted} rows with the first ENCRYPTION_KEY; ${remaining} depend on an older one`,
      ...(remaining === 0 ? ['the others can be removed from the list, but not from where backups are opened'] : []),
    ]);
  }

  withJson(key.command('list'))
    .description('list the signing keys, oldest first, and who has fetched the next ones')
    .action((options: JsonOption) => listKeys(terminal, options));
  withJson(key.command('rotate'))
    .description('publish the next signing keys, to sign in KEY_PUBLISH_DAYS')
    .addOption(new Option('--alg <alg>', 'of this algorithm only').choices(signingAlgs))
    .option('--now', 'let the next keys sign at once, also when verifiers do not know them yet')
    .action((options: RotateOptions) => rotate(terminal, options));
  withJson(key.command('retire <kid>'))
    .description('let the next key sign at once in the place of this one, which still verifies for KEY_RETIRE_DAYS')
    .option('--now', 'and verify its tokens no longer: for a key that somebody else may know')
    .action((kid: string, options: RetireOptions) => retire(terminal, kid, options));
  withJson(key.command('reencrypt'))
    .description('encrypt everything again with the first ENCRYPTION_KEY, so that older ones can be removed')
    .action(reencrypt);
  return key;
}
