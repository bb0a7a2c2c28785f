// `identity db`: the schema and the expired rows of the store, its backup and the way back.
import { Command, Option } from 'commander';
import { backUp } from './db-backup.ts';
import { type RestoreOptions, restore } from './db-restore.ts';
import { type JsonOption, report, type Terminal, withJson } from './terminal.ts';
import { openWorkspace } from './workspace.ts';

// Small transactions, so that a running server is never kept waiting.
const batch = 500;

/** The commands for the database. */
export function dbCommand(terminal: Terminal): Command {
  const db = new Command('db').description('the database');

  async function migrate(options: JsonOption): Promise<void> {
    // Opening the workspace migrates.
    await using workspace = await openWorkspace(terminal);
    await workspace.store.probe();
    report(terminal, options, { migrated: true }, ['the schema is up to date']);
  }

  async function purge(options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    let purged = 0;
    for (let more = true; more; ) {
      const swept = await workspace.store.sweep(batch);
      purged += swept.rows;
      more = swept.more;
    }
    report(terminal, options, { purged }, [`deleted ${purged} expired rows`]);
  }

  withJson(db.command('migrate')).description('bring the schema up to date').action(migrate);
  withJson(db.command('purge')).description('delete what has expired').action(purge);
  withJson(db.command('backup <file>'))
    .description('write data and keys to one encrypted file, while the server runs (SQLite)')
    .action((file: string, options: JsonOption) => backUp(terminal, file, options));
  withJson(db.command('restore <file>'))
    .description('put a backup in the place of the database (SQLite)')
    .option('--verify', 'prove that it could be restored, and put nothing in place')
    .addOption(new Option('--replace', 'also when there is a database, which is kept').conflicts('verify'))
    .action((file: string, options: RestoreOptions) => restore(terminal, file, options));
  return db;
}
