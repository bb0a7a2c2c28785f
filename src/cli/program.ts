// The `identity` program: its nouns, and how every outcome becomes an exit code.
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config.ts';
import { Conflict } from '../store.ts';
import { createAdministration } from './administration.ts';
import { auditCommand } from './audit.ts';
import { clientCommand } from './client.ts';
import { dbCommand } from './db.ts';
import { doctorCommand } from './doctor.ts';
import { keyCommand } from './key.ts';
import { resourceServerCommand } from './resource-server.ts';
import { snippetCommand } from './snippet.ts';
import type { Terminal } from './terminal.ts';
import { userCommand } from './user.ts';

const examples = `
Examples:
  identity user add alice --email alice@example.org --name "Alice" --password-stdin
  identity resource-server add logging-service --scope "logs:write logs:read" --alg HS256
  identity client add careergpt-backend --grant-type client_credentials --audience logging-service --json
  identity client add web --redirect-uri https://web.example/callback
`;

function createProgram(terminal: Terminal): Command {
  const program = new Command('identity')
    .description('Accounts, clients and keys of the configured store; works beside a running server.')
    .addHelpText('after', examples);
  program.addCommand(userCommand(terminal));
  program.addCommand(clientCommand(terminal));
  program.addCommand(resourceServerCommand(terminal));
  program.addCommand(keyCommand(terminal));
  program.addCommand(dbCommand(terminal));
  program.addCommand(auditCommand(terminal));
  program.addCommand(snippetCommand(terminal));
  program.addCommand(doctorCommand(terminal));
  const administration = createAdministration(terminal);
  program.hook('preAction', (_program, command) => administration.begin(command));
  program.hook('postAction', (_program, command) => administration.end(command));
  for (const command of [program, ...program.commands.flatMap((noun) => [noun, ...noun.commands])]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    });
  }
  return program;
}

/** One line on stderr, but for a configuration, which lists all its problems. */
function explain(error: unknown, terminal: Terminal): string {
  if (error instanceof ConfigError) {
    const hint = terminal.env['NODE_ENV'] ? '' : '\non a development machine, set NODE_ENV=development';
    return `${error.message}${hint}`;
  }
  if (error instanceof Conflict && error.field === 'username') return 'the username or e-mail address is already taken';
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*\n\s*/g, ' ');
}

/** Runs one command and answers the exit code: 0 done, 1 failed, 2 bad usage. Throws nothing. */
export async function runIdentity(terminal: Terminal): Promise<number> {
  try {
    await createProgram(terminal).parseAsync([...terminal.argv], { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has printed its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    terminal.stderr.write(`identity: ${explain(error, terminal)}\n`);
    return 1;
  }
}
