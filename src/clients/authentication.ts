// Authenticates a client that presents its secret (RFC 6749 §2.3.1).
import type { ClientRecord } from '../store.ts';
import { matchesSecret } from './secrets.ts';

export interface ClientCredentials {
  clientId: string;
  clientSecret: string;
}

/**
 * Reads `Authorization: Basic`: base64 of the form-encoded client id and secret. Undefined when it is something else.
 */
export function parseBasicCredentials(authorization: string): ClientCredentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const at = decoded.indexOf(':');
  if (at === -1) return undefined;
  try {
    return { clientId: formDecode(decoded.slice(0, at)), clientSecret: formDecode(decoded.slice(at + 1)) };
  } catch {
    return undefined;
  }
}

/**
 * The client that these credentials belong to; undefined when there is none, the secret is another, or the client is
 * registered to authenticate otherwise. The work is the same in each case.
 * @param now epoch seconds
 */
export async function authenticateClient(
  find: (clientId: string) => Promise<ClientRecord | undefined>,
  { clientId, clientSecret }: ClientCredentials,
  now: number,
): Promise<ClientRecord | undefined> {
  const client = await find(clientId);
  const matches = matchesSecret(client, clientSecret, now);
  return client !== undefined && matches && usesSecret(client) ? client : undefined;
}

function usesSecret({ metadata }: ClientRecord): boolean {
  const method = metadata['token_endpoint_auth_method'] ?? 'client_secret_basic';
  return method === 'client_secret_basic' || method === 'client_secret_post';
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
