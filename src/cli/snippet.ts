// `identity snippet`: code that gets and verifies tokens for an audience, with the real names in it.
import { Command, Option } from 'commander';
import { maySendSecret } from '../clients/authentication.ts';
import { grantedScope } from '../clients/permissions.ts';
import { curl } from '../snippets/curl.ts';
import { express } from '../snippets/express.ts';
import type { Snippet, SnippetFacts } from '../snippets/facts.ts';
import { go } from '../snippets/go.ts';
import { pythonDjango, pythonFastapi, pythonFlask } from '../snippets/python.ts';
import type { ResourceServer } from '../store.ts';
import { issuerFor } from '../tokens/access-token.ts';
import { Failure, type JsonOption, report, type Terminal, withJson } from './terminal.ts';
import { loadConfig, openWorkspace, type Workspace } from './workspace.ts';

type Language = 'python-flask' | 'python-fastapi' | 'django' | 'express' | 'go' | 'curl';

interface SnippetOptions extends JsonOption {
  audience: string;
  lang: Language;
  client?: string;
  part?: keyof Snippet;
}

const languages: Readonly<Record<Language, (facts: SnippetFacts) => Snippet>> = {
  'python-flask': pythonFlask,
  'python-fastapi': pythonFastapi,
  django: pythonDjango,
  express,
  go,
  curl,
};

/** @throws Failure when the client could not call with what the snippet does */
async function checkClient({ clients }: Workspace, clientId: string, resourceServer: ResourceServer): Promise<void> {
  const client = await clients.find(clientId);
  if (!client) throw new Failure(`there is no client ${clientId}`);
  if (grantedScope(client, resourceServer) === undefined) {
    throw new Failure(`${clientId} was not granted the audience ${resourceServer.audience}`);
  }
  if (!maySendSecret(client, 'client_secret_basic')) {
    throw new Failure(`${clientId} does not authenticate by client_secret_basic, which the snippets use`);
  }
}

/** The command that prints code. */
export function snippetCommand(terminal: Terminal): Command {
  async function snippet({ audience, lang, client, part, ...options }: SnippetOptions): Promise<void> {
    const config = loadConfig(terminal);
    await using workspace = await openWorkspace(terminal);
    const resourceServer = await workspace.resourceServers.find(audience);
    if (!resourceServer) throw new Failure(`there is no resource server ${audience}`);
    if (client !== undefined) await checkClient(workspace, client, resourceServer);
    const made = languages[lang]({
      issuer: issuerFor(resourceServer.alg, config),
      tokenEndpoint: `${config.issuer}/token`,
      verifyEndpoint: `${config.issuer}/verify`,
      jwksUri: `${config.issuer}/jwks`,
      audience,
      alg: resourceServer.alg,
      clockSkew: config.clockSkew,
      ...(client !== undefined && { clientId: client }),
    });
    const parts = part === undefined ? [made.caller, made.verifier] : [made[part]];
    report(terminal, options, part === undefined ? made : { [part]: made[part] }, [parts.join('\n\n').trimEnd()]);
  }

  return withJson(new Command('snippet'))
    .description('code that gets tokens for an audience, and code that verifies them')
    .requiredOption('--audience <name>', 'the resource server that is called')
    .addOption(new Option('--lang <language>').choices(Object.keys(languages)).makeOptionMandatory())
    .option('--client <client-id>', 'the client that calls; otherwise CLIENT_ID of its environment')
    .addOption(new Option('--part <part>', 'only one end').choices(['caller', 'verifier']))
    .action(snippet);
}
