// `identity client`: registered clients and their secrets.
import { Command } from 'commander';
import { completeMetadata } from '../clients/metadata.ts';
import type { ClientRecord } from '../store.ts';
import { audiencesOf, type ClientOptions, metadataOf, withClientOptions } from './client-options.ts';
import { addTrustCommands } from './client-trust.ts';
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

interface SecretOptions extends JsonOption {
  expiresIn?: number;
}

/**
 * The client in wire names, without anything secret.
 * @param uses when each secret was last used; a use before the secret was made is of one that had its name
 */
function shown(client: ClientRecord, uses: Readonly<Record<string, number>> = {}): Record<string, unknown> {
  return {
    client_id: client.clientId,
    client_id_issued_at: client.createdAt,
    ...completeMetadata(client.metadata),
    audiences: client.audiences,
    secrets: client.secrets.map(({ name, createdAt, expiresAt }) => {
      const usedAt = uses[name];
      return {
        name,
        created_at: createdAt,
        ...(expiresAt !== undefined && { expires_at: expiresAt }),
        ...(usedAt !== undefined && usedAt >= createdAt && { last_used_at: usedAt }),
      };
    }),
  };
}

/** A new secret as it is shown, this once (RFC 7591 §3.2.1: 0 never expires). */
function secretMembers(secret: string, expiresAt = 0): Record<string, unknown> {
  return { client_secret: secret, client_secret_expires_at: expiresAt };
}

function secretLines(clientId: string, secret: string | undefined): string[] {
  if (secret === undefined) return [`client_id      ${clientId}`];
  return [`client_id      ${clientId}`, `client_secret  ${secret}`, 'The secret is shown this once: keep it now.'];
}

/** The commands for clients. */
export function clientCommand(terminal: Terminal): Command {
  const client = new Command('client').description('registered clients and their secrets');

  async function add(clientId: string, options: ClientOptions): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const audiences = await audiencesOf(options.audience ?? [], workspace.resourceServers);
    const { client, secret } = await workspace.clients.add({ clientId, metadata: metadataOf(options), audiences });
    const { secrets: _, ...members } = shown(client);
    const result = { ...members, ...(secret !== undefined && secretMembers(secret)) };
    report(terminal, options, result, secretLines(clientId, secret));
  }

  async function list(options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const clients = await workspace.clients.list();
    const rows = clients.map(({ clientId, metadata, audiences, createdAt }) => [
      clientId,
      createdAt === 0 ? 'built in' : instant(createdAt),
      String(metadata['grant_types'] ?? '').replaceAll(',', ' '),
      Object.keys(audiences).join(' '),
    ]);
    const head = ['CLIENT ID', 'CREATED', 'GRANT TYPES', 'AUDIENCES'];
    report(terminal, options, { clients: clients.map((client) => shown(client)) }, table(head, rows));
  }

  async function show(clientId: string, options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const found = await workspace.clients.find(clientId);
    if (!found) throw new Failure(`there is no client ${clientId}`);
    const result = shown(found, await workspace.store.clientUses.secretsOf(clientId));
    report(terminal, options, result, memberLines(result));
  }

  async function remove(clientId: string, options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    if (!(await workspace.clients.remove(clientId))) throw new Failure(`there is no client ${clientId}`);
    report(terminal, options, { client_id: clientId }, [`removed ${clientId}`]);
  }

  async function addSecret(clientId: string, name: string, options: SecretOptions): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    const expiresAt = options.expiresIn === undefined ? undefined : workspace.clock() + options.expiresIn;
    const secret = await workspace.clients.addSecret(clientId, {
      name,
      ...(expiresAt !== undefined && { expiresAt }),
    });
    if (secret === undefined) throw new Failure(`there is no client ${clientId}`);
    const result = { client_id: clientId, name, ...secretMembers(secret, expiresAt) };
    report(terminal, options, result, secretLines(clientId, secret));
  }

  async function removeSecret(clientId: string, name: string, options: JsonOption): Promise<void> {
    await using workspace = await openWorkspace(terminal);
    if (!(await workspace.clients.removeSecret(clientId, name))) {
      throw new Failure(`there is no client ${clientId} with a secret ${name}`);
    }
    report(terminal, options, { client_id: clientId, name }, [`removed the secret ${name} of ${clientId}`]);
  }

  withJson(withClientOptions(client.command('add <client-id>')))
    .description('register a client')
    .action(add);
  withJson(client.command('list')).description('list the clients').action(list);
  withJson(client.command('show <client-id>')).description('show a client').action(show);
  withJson(client.command('remove <client-id>')).description('remove a client').action(remove);
  withJson(client.command('add-secret <client-id> <name>'))
    .description('make one more secret, beside those it has')
    .option('--expires-in <seconds>', 'when the new secret stops working', seconds)
    .action(addSecret);
  withJson(client.command('remove-secret <client-id> <name>'))
    .description('remove a secret; the first one is named "first"')
    .action(removeSecret);
  addTrustCommands(client, terminal);
  return client;
}
