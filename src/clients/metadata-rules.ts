// The rules that client metadata keeps when it is registered (RFC 7591 §2, RFC 9700 §2).
import { findStaticClaimsFault } from './static-claims.ts';
import { findTrustFault } from './trust-rules.ts';

/** A client that cannot be registered as it was given; the message says what is wrong. */
export class InvalidClientMetadata extends Error {
  override name = 'InvalidClientMetadata';
}

/** Client metadata in wire names (RFC 7591 §2). */
export type Metadata = Readonly<Record<string, unknown>>;

/** What each of these does at the token endpoint; those that need a feature switched on are refused there when it is off. */
const grantTypes = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  'implicit',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
  'urn:openid:params:grant-type:ciba',
];

/** Of our own: by the JWTs of trusted issuers alone. Any other confidential client may trust issuers too. */
export const workloadMethod = 'workload_identity';

/** Grant types that are there only when the feature of that name is on; a client may be registered for them before. */
export const optionalGrantTypes: Readonly<Record<string, string>> = {
  implicit: 'implicit',
  'urn:ietf:params:oauth:grant-type:device_code': 'device',
  'urn:ietf:params:oauth:grant-type:token-exchange': 'token-exchange',
  'urn:openid:params:grant-type:ciba': 'ciba',
};

const secretMethods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'];
const keyMethods = ['private_key_jwt', 'self_signed_tls_client_auth'];
const authMethods = [...secretMethods, ...keyMethods, 'tls_client_auth', workloadMethod, 'none'];

const uriMembers = [
  'client_uri',
  'logo_uri',
  'policy_uri',
  'tos_uri',
  'jwks_uri',
  'backchannel_logout_uri',
  'initiate_login_uri',
  'sector_identifier_uri',
];
// The library refuses these two without TLS, also on a loopback address.
const httpsMembers = ['initiate_login_uri', 'sector_identifier_uri'];
const flagMembers = ['first_party', 'require_pkce', 'require_mfa'];
const textMembers = ['client_name', 'scope', 'default_audience'];

/** What `scope` may limit; scopes of resource servers are granted with their audience instead. */
const oidcScopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];

/** Schemes that a browser would run or open instead of handing the response to an application. */
const unsafeSchemes = ['javascript:', 'vbscript:', 'data:', 'blob:', 'file:', 'about:', 'ws:', 'wss:', 'ftp:'];

/** Whether a client with this metadata authenticates with a secret that we make. */
export function usesSecret(metadata: Metadata): boolean {
  return secretMethods.includes(String(metadata['token_endpoint_auth_method']));
}

/** Whether its secret is a key, so that the secret itself has to be kept. */
export function signsWithSecret(metadata: Metadata): boolean {
  return metadata['token_endpoint_auth_method'] === 'client_secret_jwt';
}

function isLoopback({ hostname }: URL): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function parseUri(member: string, value: unknown): URL {
  const url = typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) ? URL.parse(value) : null;
  if (!url) throw new InvalidClientMetadata(`${member} must be an absolute URI`);
  if (url.username || url.password)
    throw new InvalidClientMetadata(`${member} must not contain a username or password`);
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw new InvalidClientMetadata(`${member} must use https; http is for loopback addresses only`);
  }
  return url;
}

/** Redirect URIs are matched as strings, so what is registered must be exact (RFC 9700 §2.1, §2.6). */
function checkRedirectUris(member: string, value: unknown): void {
  for (const uri of listOf(member, value)) {
    const url = parseUri(member, uri);
    if (uri.includes('#')) throw new InvalidClientMetadata(`${member} must not contain a fragment`);
    if (uri.includes('*')) throw new InvalidClientMetadata(`${member} must not contain a wildcard`);
    if (unsafeSchemes.includes(url.protocol)) throw new InvalidClientMetadata(`${member} must not use ${url.protocol}`);
  }
}

function checkWebUri(member: string, value: unknown): void {
  const { protocol } = parseUri(member, value);
  const secure = protocol === 'https:' || (protocol === 'http:' && !httpsMembers.includes(member));
  if (!secure) throw new InvalidClientMetadata(`${member} must use https`);
}

function checkScope(scope: unknown): void {
  const unknown =
    scope === undefined
      ? undefined
      : String(scope)
          .split(' ')
          .find((name) => !oidcScopes.includes(name));
  if (unknown === undefined) return;
  throw new InvalidClientMetadata(
    `scope can only limit ${oidcScopes.join(', ')}, not ${JSON.stringify(unknown)}: grant an audience with its scopes`,
  );
}

function listOf(member: string, value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string' && item !== '')) {
    throw new InvalidClientMetadata(`${member} must be a list of texts`);
  }
  return value;
}

function checkGrantTypes(metadata: Metadata): void {
  const granted = listOf('grant_types', metadata['grant_types']);
  for (const grantType of granted) {
    if (!grantTypes.includes(grantType)) {
      throw new InvalidClientMetadata(`grant type ${grantType} is unknown; known are ${grantTypes.join(', ')}`);
    }
  }
  if (granted.length === 0) throw new InvalidClientMetadata('a client needs a redirect URI or a grant type');
  const redirects = listOf('redirect_uris', metadata['redirect_uris']).length > 0;
  if (!redirects && (granted.includes('authorization_code') || granted.includes('implicit'))) {
    throw new InvalidClientMetadata('the authorization code flow needs at least one redirect URI');
  }
  // RFC 6749 §4.4: only confidential clients.
  if (granted.includes('client_credentials') && metadata['token_endpoint_auth_method'] === 'none') {
    throw new InvalidClientMetadata('a public client cannot use client_credentials');
  }
}

function checkTrust({ trusted_issuers: rules, token_endpoint_auth_method: method }: Metadata): void {
  if (rules === undefined) return;
  const fault = method === 'none' ? 'are for confidential clients' : findTrustFault(rules);
  if (fault !== undefined) throw new InvalidClientMetadata(`trusted_issuers ${fault}`);
}

function checkAuthentication(metadata: Metadata): void {
  const method = String(metadata['token_endpoint_auth_method']);
  if (!authMethods.includes(method)) {
    throw new InvalidClientMetadata(`authentication method ${method} is unknown; known are ${authMethods.join(', ')}`);
  }
  const keys = ['jwks', 'jwks_uri'].filter((member) => metadata[member] !== undefined);
  if (keys.length > 1) throw new InvalidClientMetadata('only one of jwks and jwks_uri can be given');
  if (keyMethods.includes(method) && keys.length === 0) {
    throw new InvalidClientMetadata(`${method} needs the client's keys: jwks_uri or jwks`);
  }
  if (method === 'none' && metadata['require_pkce'] === false) {
    throw new InvalidClientMetadata('a public client cannot do without PKCE');
  }
}

/**
 * Only digests of secrets are kept, so nothing can be signed or encrypted with a client's secret, but for the assertions
 * of a client that is registered to sign them so.
 */
function checkNoSecretAsKey(metadata: Metadata): void {
  if (metadata['client_secret'] !== undefined)
    throw new InvalidClientMetadata('client_secret is made here, never given');
  for (const [member, value] of Object.entries(metadata)) {
    if (member === 'token_endpoint_auth_signing_alg' && signsWithSecret(metadata)) {
      if (value !== 'HS256') throw new InvalidClientMetadata(`${member} must be HS256 for client_secret_jwt`);
      continue;
    }
    const symmetric = /_signed_response_alg$|_signing_alg$/.test(member) ? /^HS/ : /^(A\d|dir$)/;
    if (/_alg$/.test(member) && symmetric.test(String(value))) {
      throw new InvalidClientMetadata(`${member} must be asymmetric: client secrets are not kept and cannot be keys`);
    }
  }
}

/**
 * Checks complete metadata.
 * @throws InvalidClientMetadata naming the first member that breaks a rule
 */
export function checkMetadata(metadata: Metadata): void {
  checkRedirectUris('redirect_uris', metadata['redirect_uris']);
  checkRedirectUris('post_logout_redirect_uris', metadata['post_logout_redirect_uris']);
  for (const member of uriMembers) if (metadata[member] !== undefined) checkWebUri(member, metadata[member]);
  for (const member of flagMembers) {
    if (metadata[member] !== undefined && typeof metadata[member] !== 'boolean') {
      throw new InvalidClientMetadata(`${member} must be true or false`);
    }
  }
  for (const member of textMembers) {
    const value = metadata[member];
    if (value !== undefined && (typeof value !== 'string' || value.trim() === '' || /\p{Cc}/u.test(value))) {
      throw new InvalidClientMetadata(`${member} must be a text without control characters`);
    }
  }
  checkScope(metadata['scope']);
  const claims = metadata['access_token_claims'];
  const fault = claims === undefined ? undefined : findStaticClaimsFault(claims);
  if (fault !== undefined) throw new InvalidClientMetadata(`access_token_claims ${fault}`);
  checkTrust(metadata);
  listOf('serves', metadata['serves']);
  checkGrantTypes(metadata);
  checkAuthentication(metadata);
  checkNoSecretAsKey(metadata);
}
