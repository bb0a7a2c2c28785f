// Client metadata: completing what was registered, and handing it to oidc-provider.
import { createHmac, randomBytes } from 'node:crypto';
import type { ClientRecord } from '../store.ts';
import { type Metadata, optionalGrantTypes, usesSecret, workloadMethod } from './metadata-rules.ts';

let standInKey: Buffer | undefined;
const standIns = new WeakMap<ClientRecord, string>();

/**
 * oidc-provider wants a `client_secret` of every client that authenticates with one, and would use it as a key for HS256
 * too. We keep digests only and compare them ourselves, so it gets a value that nobody knows: the same for a client as
 * long as the process lives, since the library caches clients by their metadata.
 */
function standInSecret(client: ClientRecord): string {
  let secret = standIns.get(client);
  if (secret === undefined) {
    standInKey ??= randomBytes(32);
    secret = createHmac('sha256', standInKey).update(client.clientId).digest('base64url');
    standIns.set(client, secret);
  }
  return secret;
}

function isEmpty(list: unknown): boolean {
  return !Array.isArray(list) || list.length === 0;
}

function isWebUri(uri: unknown): boolean {
  return typeof uri === 'string' && /^https?:/i.test(uri);
}

/**
 * Adds what follows from what was given: grant and response types from redirect URIs, the authentication method, and
 * `native` for redirect URIs that are not of the web. What is given stands.
 */
export function completeMetadata(given: Metadata): Record<string, unknown> {
  const redirectUris = given['redirect_uris'] ?? [];
  const grantTypes = given['grant_types'] ?? (isEmpty(redirectUris) ? [] : ['authorization_code', 'refresh_token']);
  const usesCode = Array.isArray(grantTypes) && grantTypes.includes('authorization_code');
  const native = Array.isArray(redirectUris) && redirectUris.some((uri) => !isWebUri(uri));
  return {
    ...(native && { application_type: 'native' }),
    response_types: usesCode ? ['code'] : [],
    token_endpoint_auth_method: 'client_secret_basic',
    ...given,
    redirect_uris: redirectUris,
    grant_types: grantTypes,
  };
}

/**
 * The client as oidc-provider's adapter finds it, in wire names, with our own `first_party` (no consent page),
 * `require_mfa` (its users sign in with two factors) and `require_pkce`. Its `client_secret`, where there is one, is a
 * stand-in that nothing matches: use `matchingSecret`.
 * @param features the optional ones that are on: the library knows no grant type of the others, and would take nothing
 *   from a client that is registered for one
 */
export function providerMetadata(
  client: ClientRecord,
  features: ReadonlySet<string> = new Set(),
): Record<string, unknown> {
  const { trusted_issuers: _, ...metadata } = completeMetadata(client.metadata);
  const isWorkload = metadata['token_endpoint_auth_method'] === workloadMethod;
  const isOffered = (grantType: unknown) => {
    const feature = optionalGrantTypes[String(grantType)];
    return feature === undefined || features.has(feature);
  };
  const grantTypes = metadata['grant_types'];
  return {
    ...metadata,
    ...(Array.isArray(grantTypes) && { grant_types: grantTypes.filter(isOffered) }),
    // the library writes into the keys that it is given
    ...(metadata['jwks'] !== undefined && { jwks: structuredClone(metadata['jwks']) }),
    // a secret that nobody knows: such a client is only ever vouched for
    ...(isWorkload && { token_endpoint_auth_method: 'client_secret_basic' }),
    client_id: client.clientId,
    client_id_issued_at: client.createdAt,
    first_party: metadata['first_party'] === true,
    require_pkce: metadata['require_pkce'] !== false,
    require_mfa: metadata['require_mfa'] === true,
    ...((usesSecret(metadata) || isWorkload) && { client_secret: standInSecret(client) }),
  };
}
