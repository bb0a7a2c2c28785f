// Answers the plainest of all token requests without the library: a client's secret, and a token for itself.
import type { IncomingHttpHeaders } from 'node:http';
import { type ClientCredentials, parseBasicCredentials } from '../clients/authentication.ts';
import { defaultAudience, grantedScope, soleAudience } from '../clients/permissions.ts';
import { staticClaims } from '../clients/static-claims.ts';
import type { EventFacts } from '../logging/events.ts';
import { audienceOf, resourceIdentifier } from '../resource-servers/identifiers.ts';
import type { ClientRecord, ResourceServer } from '../store.ts';
import type { Parameters } from './body.ts';
import type { ServiceTokenEndpoint } from './service-token-endpoint.ts';

/** All that an answer without the library knows of. */
const PARAMETERS = new Set(['grant_type', 'audience', 'resource', 'scope', 'client_id', 'client_secret']);

/** Headers that let other rules have a say: CORS, DPoP (RFC 9449), attestation. */
const HEADERS = ['origin', 'dpop', 'oauth-client-attestation', 'oauth-client-attestation-pop'];

/** What a client's registration may ask of its tokens or its scopes, and the library alone takes care of. */
const METADATA = ['dpop_bound_access_tokens', 'tls_client_certificate_bound_access_tokens', 'scope'];

/** A token request of which nothing but this matters. */
export interface PlainRequest {
  readonly headers: IncomingHttpHeaders;
  readonly parameters: Parameters;
  /** its id, and where it came from */
  readonly facts: EventFacts;
}

/** The members of a successful answer (RFC 6749 §5.1). */
export interface PlainAnswer {
  readonly access_token: string;
  readonly expires_in: number;
  readonly scope?: string;
  readonly token_type: 'Bearer';
}

/**
 * Services send one kind of form all day: `grant_type=client_credentials`, a secret, an audience, perhaps a scope. When
 * everything about it is as usual and good, it is answered here, at a third of the cost, with what the library would
 * answer (RFC 6749 §4.4). Undefined: it is another request, or something is wrong with it, and the library has to see it.
 */
export function createClientCredentialsForm(
  options: Pick<ServiceTokenEndpoint, 'authenticate' | 'findResourceServer' | 'issue' | 'audit'>,
): (request: PlainRequest) => Promise<PlainAnswer | undefined> {
  return async function answerClientCredentials({ headers, parameters, facts }) {
    if (!isUsual(headers, parameters)) return undefined;
    const credentials = credentialsOf(headers.authorization, parameters);
    const client = credentials && (await options.authenticate(credentials));
    if (client === undefined || !isServed(client)) return undefined;
    const resource = resourceOf(parameters, client);
    const resourceServer = resource === undefined ? undefined : await options.findResourceServer(audienceOf(resource));
    if (resourceServer === undefined || resourceIdentifier(resourceServer.audience) !== resource) return undefined;
    const scope = scopeOf(parameters, client, resourceServer);
    if (scope === undefined) return undefined;

    const { clientId } = client;
    const { audience } = resourceServer;
    const extra = staticClaims(client.metadata);
    const { token, jti, expiresIn } = await options.issue({ clientId, resourceServer, scope, extra });
    const grantType = 'client_credentials';
    options.audit.tokenIssued({ ...facts, grantType, clientId, audience, scope: scope || undefined, tokenId: jti });
    return { access_token: token, expires_in: expiresIn, ...(scope && { scope }), token_type: 'Bearer' };
  };
}

function isUsual(headers: IncomingHttpHeaders, parameters: Parameters): boolean {
  return (
    parameters['grant_type'] === 'client_credentials' &&
    Object.entries(parameters).every(([name, value]) => PARAMETERS.has(name) && typeof value === 'string') &&
    HEADERS.every((name) => headers[name] === undefined)
  );
}

/** One mechanism only (RFC 6749 §2.3); undefined when there is none, or more than a secret. */
function credentialsOf(authorization = '', parameters: Parameters): ClientCredentials | undefined {
  const { client_id: clientId, client_secret: clientSecret } = parameters as Record<string, string | undefined>;
  if (authorization === '') {
    return clientId && clientSecret ? { clientId, clientSecret, method: 'client_secret_post' } : undefined;
  }
  // the library takes one space and no other
  const isPlain = clientSecret === undefined && authorization.split(' ', 3).length === 2;
  const basic = isPlain ? parseBasicCredentials(authorization) : undefined;
  return clientId === undefined || clientId === basic?.clientId ? basic : undefined;
}

function isServed({ metadata }: ClientRecord): boolean {
  const grantTypes = metadata['grant_types'];
  return (
    Array.isArray(grantTypes) &&
    grantTypes.includes('client_credentials') &&
    METADATA.every((name) => metadata[name] === undefined || metadata[name] === false)
  );
}

/** The resource indicator that is asked for, or that the client is registered to mean. */
function resourceOf({ audience, resource }: Parameters, client: ClientRecord): string | undefined {
  if (resource !== undefined) return audience === undefined ? String(resource) : undefined;
  const name = audience ?? defaultAudience(client) ?? soleAudience(client);
  return name === undefined ? undefined : resourceIdentifier(String(name));
}

/** What is asked for of what was granted, all of it without `scope`; undefined when that is not possible. */
function scopeOf({ scope }: Parameters, client: ClientRecord, resourceServer: ResourceServer): string | undefined {
  const granted = grantedScope(client, resourceServer);
  if (granted === undefined || scope === undefined) return granted;
  const allowed = granted.split(' ');
  const asked = new Set(String(scope).split(' '));
  return scope !== '' && [...asked].every((name) => allowed.includes(name)) ? [...asked].join(' ') : undefined;
}
