// Authenticates a client that presents its secret (RFC 6749 §2.3.1).
import type { ClientRecord, ClientSecret } from '../store.ts';
import { matchingSecret } from './secrets.ts';

/**
 * How a secret came: in the Authorization header, in the form, or as a member of the JSON `{"sub","aud"}` form, which no
 * RFC knows and for which nobody registers.
 */
export type SecretMethod = 'client_secret_basic' | 'client_secret_post' | 'json';

export interface ClientCredentials {
  clientId: string;
  clientSecret: string;
  method: SecretMethod;
}

/** A client that proved who it is, and the secret that it has shown. */
export interface AuthenticatedClient {
  client: ClientRecord;
  secret: ClientSecret;
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
    return {
      clientId: formDecode(decoded.slice(0, at)),
      clientSecret: formDecode(decoded.slice(at + 1)),
      method: 'client_secret_basic',
    };
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
  { clientId, clientSecret, method }: ClientCredentials,
  now: number,
): Promise<AuthenticatedClient | undefined> {
  const client = await find(clientId);
  const secret = matchingSecret(client, clientSecret, now);
  return client !== undefined && secret !== undefined && maySendSecret(client, method) ? { client, secret } : undefined;
}

/**
 * Whether the client is registered for a secret that comes this way (RFC 7591 §2). Libraries differ in what they do
 * unless told otherwise, so a client for which nobody chose a method may send its secret in the header or in the body.
 */
export function maySendSecret({ metadata }: ClientRecord, method: SecretMethod): boolean {
  const registered = metadata['token_endpoint_auth_method'];
  if (registered === undefined || method === registered) return true;
  return method === 'json' && (registered === 'client_secret_basic' || registered === 'client_secret_post');
}

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
