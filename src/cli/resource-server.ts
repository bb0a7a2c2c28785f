// `identity resource-server`: the audiences of access tokens.
import { Command, Option } from 'commander';
import { accessTokenAlgs } from '../resource-servers/registry.ts';
import type { AccessTokenAlg, ResourceServer } from '../store.ts';
import {
  Failure,
  instant,
  type JsonOption,
  memberLines,
  report,
  seconds,
  type Terminal,
  table,
  withJson,
} from './terminal.ts';
import { openWorkspace } from './workspace.ts';

interface AddOptions extends JsonOption {
  scope?: string;
  alg?: AccessTokenAlg;
  expiresIn?: number;
}

function shown(resourceServer: ResourceServer): Record<string, unknown> {
  const { audience, scope, alg, expiresIn, createdAt } = resourceServer;
  return { audience, scope, alg, ...(expiresIn !== undefined && { expires_in: expiresIn }), created_at: createdAt };
}

/** The commands for resource servers. */
export function resourceServerCommand(terminal: Terminal): Command {
  const resourceServer = new Command('resource-server').description('the audiences of access tokens');

  async function add(audience: string, options: AddOptions): Promise<void> {
    const { json: _, ...members } = options;
    await using workspace = await openWorkspace(terminal);
    const added = await workspace.resourceServers.add({ audience, ...members });
    report(terminal, options, shown(added), [`added ${audience}, signed with ${added.alg}`]);
  }

  async function list(options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const known = await workspace.resourceServers.list();
    const rows = known.map(({ audience, alg, scope, createdAt }) => {
      return [audience, alg, createdAt === 0 ? 'built in' : instant(createdAt), scope];
    });
    const head = ['AUDIENCE', 'ALG', 'CREATED', 'SCOPE'];
    report(terminal, options, { resource_servers: known.map(shown) }, table(head, rows));
  }

  async function show(audience: string, options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const found = await workspace.resourceServers.find(audience);
    if (!found) throw new Failure(`there is no resource server ${audience}`);
    report(terminal, options, shown(found), memberLines(shown(found)));
  }

  async function remove(audience: string, options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    if (!(await workspace.resourceServers.remove(audience))) {
      throw new Failure(`there is no resource server ${audience} in the store`);
    }
    report(terminal, options, { audience }, [`removed ${audience}`]);
  }

  withJson(resourceServer.command('add <audience>'))
    .description('register a resource server by its audience: a name or a URI')
    .option('--scope <scope>', 'the scopes that it knows, separated by spaces')
    .addOption(new Option('--alg <alg>', 'how its access tokens are signed (default ES256)').choices(accessTokenAlgs))
    .option('--expires-in <seconds>', 'lifetime of its access tokens', seconds)
    .action(add);
  withJson(resourceServer.command('list')).description('list the resource servers').action(list);
  withJson(resourceServer.command('show <audience>')).description('show a resource server').action(show);
  withJson(resourceServer.command('remove <audience>')).description('remove a resource server').action(remove);
  return resourceServer;
}
