// The registered clients: finding them, adding and removing them, and rotating their secrets.
import { type ClientRecord, type ClientSecret, type Clients, type Clock, Conflict } from '../store.ts';
import { completeMetadata } from './metadata.ts';
import { checkMetadata, InvalidClientMetadata, type Metadata, signsWithSecret, usesSecret } from './metadata-rules.ts';
import { newClientSecret, secretDigest } from './secrets.ts';
import type { TrustConditions } from './trust-presets.ts';
import { type TrustRule, trustRules } from './trust-rules.ts';

/** What is known of a client before it exists. */
export interface NewClient {
  clientId: string;
  /** in wire names; what follows from it may be left out */
  metadata: Metadata;
  /** what it may ask tokens for: audience → scope, `null` for every scope of that resource server */
  audiences?: Readonly<Record<string, string | null>>;
}

/** The clients of the store and those that the configuration brings, which win and cannot be changed here. */
export interface ClientRegistry {
  find(clientId: string): Promise<ClientRecord | undefined>;
  /** By client id. */
  list(): Promise<ClientRecord[]>;
  /**
   * The new client, and its secret when it authenticates with one: this is the only time that it can be seen.
   * @throws InvalidClientMetadata, Conflict('client_id')
   */
  add(client: NewClient): Promise<{ client: ClientRecord; secret?: string }>;
  /** False when there is none. @throws InvalidClientMetadata when the client is configured */
  remove(clientId: string): Promise<boolean>;
  /**
   * One more secret beside those it has, so that the old one can be removed once nobody uses it (security.md R61).
   * `undefined` when there is no such client.
   * @param secret `expiresAt` in epoch seconds
   * @throws InvalidClientMetadata when the client is configured or does not use secrets, Conflict('secret name')
   */
  addSecret(clientId: string, secret: { name: string; expiresAt?: number }): Promise<string | undefined>;
  /** False when there is no such client or secret. @throws InvalidClientMetadata when the client is configured */
  removeSecret(clientId: string, name: string): Promise<boolean>;
  /**
   * One more rule by which an outside issuer authenticates the client; `undefined` when there is no such client.
   * @param name absent: the next free number
   * @throws InvalidClientMetadata also when the rule is not narrow, Conflict('rule name')
   */
  trust(clientId: string, conditions: TrustConditions, name?: string): Promise<TrustRule | undefined>;
  /** False when there is no such client or rule. @throws InvalidClientMetadata when the client is configured */
  untrust(clientId: string, name: string): Promise<boolean>;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function checkClientId(clientId: string): void {
  if (!/^[\x21-\x7e]{1,128}$/.test(clientId)) {
    throw new InvalidClientMetadata('a client id must have 1 to 128 visible ASCII characters without spaces');
  }
  // Accounts have UUIDs: a client of that shape could pass for an end-user in `sub` (RFC 9700 §4.15).
  if (uuid.test(clientId)) throw new InvalidClientMetadata('a client id must not look like a UUID');
}

function checkSecretName(name: string): void {
  if (!/^[\x21-\x7e]{1,64}$/.test(name)) {
    throw new InvalidClientMetadata('a secret name must have 1 to 64 visible ASCII characters without spaces');
  }
}

function checkDefaultAudience(metadata: Metadata, audiences: NonNullable<NewClient['audiences']>): void {
  const audience = metadata['default_audience'];
  if (audience === undefined || Object.hasOwn(audiences, String(audience))) return;
  throw new InvalidClientMetadata('default_audience must be one of the audiences that the client may ask tokens for');
}

function freeName(rules: readonly TrustRule[]): string {
  const taken = new Set(rules.map(({ name }) => name));
  let number = 1;
  while (taken.has(String(number))) number += 1;
  return String(number);
}

/** Without an authentication method that nobody chose: the client may then send its secret either way. */
function chosen(metadata: Record<string, unknown>, given: Metadata): Record<string, unknown> {
  const { token_endpoint_auth_method: method, ...rest } = metadata;
  return given['token_endpoint_auth_method'] === undefined ? rest : { ...rest, token_endpoint_auth_method: method };
}

/** What is kept of a new secret. */
function kept(secret: string, metadata: Metadata, rest: Omit<ClientSecret, 'digest' | 'value'>): ClientSecret {
  return { ...rest, digest: secretDigest(secret), ...(signsWithSecret(metadata) && { value: secret }) };
}

/** The clients of a store, with the configured ones before them. */
export function createClientRegistry(parts: {
  clients: Clients;
  builtIn: readonly ClientRecord[];
  clock: Clock;
}): ClientRegistry {
  const { clients, clock } = parts;
  const builtIn = new Map(parts.builtIn.map((client) => [client.clientId, client]));

  async function findStored(clientId: string): Promise<ClientRecord | undefined> {
    if (builtIn.has(clientId)) {
      throw new InvalidClientMetadata(`${clientId} is registered by the configuration and is changed there`);
    }
    return clients.find(clientId);
  }

  return {
    find: async (clientId) => builtIn.get(clientId) ?? clients.find(clientId),

    async list() {
      const stored = await clients.list();
      const all = [...builtIn.values(), ...stored.filter(({ clientId }) => !builtIn.has(clientId))];
      return all.sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
    },

    async add({ clientId, metadata: given, audiences = {} }) {
      checkClientId(clientId);
      if (builtIn.has(clientId)) throw new Conflict('client_id');
      const metadata = completeMetadata(given);
      checkMetadata(metadata);
      checkDefaultAudience(metadata, audiences);
      const createdAt = clock();
      const secret = usesSecret(metadata) ? newClientSecret() : undefined;
      const secrets = secret === undefined ? [] : [kept(secret, metadata, { name: 'first', createdAt })];
      const client = { clientId, metadata: chosen(metadata, given), audiences: { ...audiences }, secrets, createdAt };
      await clients.insert(client);
      return { client, ...(secret !== undefined && { secret }) };
    },

    async remove(clientId) {
      return (await findStored(clientId)) !== undefined && clients.remove(clientId);
    },

    async addSecret(clientId, { name, expiresAt }) {
      checkSecretName(name);
      const client = await findStored(clientId);
      if (!client) return undefined;
      const metadata = completeMetadata(client.metadata);
      if (!usesSecret(metadata)) {
        throw new InvalidClientMetadata(`${clientId} does not authenticate with a secret`);
      }
      if (client.secrets.some((secret) => secret.name === name)) throw new Conflict('secret name');
      const secret = newClientSecret();
      const added = kept(secret, metadata, {
        name,
        createdAt: clock(),
        ...(expiresAt !== undefined && { expiresAt }),
      });
      return (await clients.update({ ...client, secrets: [...client.secrets, added] })) ? secret : undefined;
    },

    async removeSecret(clientId, name) {
      const client = await findStored(clientId);
      const secrets = client?.secrets.filter((secret) => secret.name !== name);
      if (!client || !secrets || secrets.length === client.secrets.length) return false;
      return clients.update({ ...client, secrets });
    },

    async trust(clientId, conditions, given) {
      const client = await findStored(clientId);
      if (!client) return undefined;
      const rules = trustRules(client.metadata);
      const name = given ?? freeName(rules);
      if (rules.some((rule) => rule.name === name)) throw new Conflict('rule name');
      const rule = { name, ...conditions };
      const metadata = { ...client.metadata, trusted_issuers: [...rules, rule] };
      checkMetadata(completeMetadata(metadata));
      return (await clients.update({ ...client, metadata })) ? rule : undefined;
    },

    async untrust(clientId, name) {
      const client = await findStored(clientId);
      const rules = client && trustRules(client.metadata);
      const kept = rules?.filter((rule) => rule.name !== name);
      if (!client || !kept || kept.length === rules?.length) return false;
      return clients.update({ ...client, metadata: { ...client.metadata, trusted_issuers: kept } });
    },
  };
}
