// POST /token with {"sub","aud"}: the client-credentials grant in the JSON clothes of the old service.
import type { Context } from 'koa';
import { errors } from 'oidc-provider';
import { type ClientCredentials, parseBasicCredentials } from '../clients/authentication.ts';
import { defaultAudience, grantedScope } from '../clients/permissions.ts';
import { staticClaims } from '../clients/static-claims.ts';
import type { AuditLog, EventFacts } from '../logging/events.ts';
import type { ClientRecord, ResourceServer } from '../store.ts';
import { addressesOf } from './addresses.ts';

export interface ServiceTokenEndpoint {
  /** undefined when these are not the client's credentials, or not of the kind that it is registered for */
  authenticate(credentials: ClientCredentials): Promise<ClientRecord | undefined>;
  /** never resolves: throws what the caller is told */
  refuseClient(ctx: Context, clientId: string): Promise<never>;
  findResourceServer(audience: string): Promise<ResourceServer | undefined>;
  issue(request: {
    clientId: string;
    resourceServer: ResourceServer;
    scope?: string;
    extra?: Record<string, unknown>;
  }): Promise<{ token: string; jti: string; expiresIn: number }>;
  /** development only: anybody gets a token for any `sub`, as the old service did */
  allowUnauthenticated: boolean;
  audit: AuditLog;
}

/** What a client registers whose tokens must be of no use without its key (RFC 9449 §5.2, RFC 8705 §3.4). */
const BINDINGS = ['dpop_bound_access_tokens', 'tls_client_certificate_bound_access_tokens'];

/** 403: the client is who it says, and may not have this. */
class Forbidden extends errors.OIDCProviderError {
  constructor(error: string, description: string) {
    super(403, error);
    this.error_description = description;
    this.expose = true;
  }
}

export function createServiceTokenEndpoint(options: ServiceTokenEndpoint) {
  return async function serviceToken(ctx: Context, body: Record<string, unknown>): Promise<void> {
    const sub = subjectOf(body);
    const audience = audienceOf(body);
    const { clientId, client } = await callerOf(ctx, body, sub);
    const aud = audience ?? (client && defaultAudience(client));
    if (aud === undefined) throw new errors.InvalidRequest("missing required parameter 'aud'");
    const resourceServer = await options.findResourceServer(aud);
    const scope = resourceServer && (client ? grantedScope(client, resourceServer) : resourceServer.scope);
    if (resourceServer === undefined || scope === undefined) {
      options.audit.tokenRefused({ ...factsOf(ctx), clientId, error: 'invalid_target', audience: aud });
      throw new Forbidden('invalid_target', 'the audience is unknown or not granted to this client');
    }
    const { token, jti, expiresIn } = await options.issue({
      clientId,
      resourceServer,
      ...(scope ? { scope } : {}),
      ...(client && { extra: staticClaims(client.metadata) }),
    });
    options.audit.tokenIssued({ ...factsOf(ctx), clientId, audience: aud, scope, tokenId: jti });
    ctx.body = { token, access_token: token, token_type: 'Bearer', expires_in: expiresIn, ...(scope ? { scope } : {}) };
  };

  /** Undefined client: the unauthenticated form of development. */
  async function callerOf(ctx: Context, body: Record<string, unknown>, sub: string) {
    const credentials = credentialsOf(ctx, body, sub);
    if (credentials === undefined && options.allowUnauthenticated) return { clientId: sub, client: undefined };
    const client = credentials && (await options.authenticate(credentials));
    if (client === undefined) {
      options.audit.clientAuthenticationFailed({ ...factsOf(ctx), error: 'invalid_client' });
      return options.refuseClient(ctx, credentials?.clientId ?? sub);
    }
    const grantTypes = client.metadata['grant_types'];
    if (!Array.isArray(grantTypes) || !grantTypes.includes('client_credentials')) {
      options.audit.tokenRefused({ ...factsOf(ctx), clientId: client.clientId, error: 'unauthorized_client' });
      throw new errors.UnauthorizedClient('the client is not registered for the client_credentials grant');
    }
    // as the library answers its other forms without a proof
    if (BINDINGS.some((name) => client.metadata[name] === true)) {
      options.audit.tokenRefused({ ...factsOf(ctx), clientId: client.clientId, error: 'invalid_grant' });
      throw new errors.InvalidGrant('the tokens of this client are bound to its key, which this form cannot do');
    }
    if (sub !== client.clientId) {
      options.audit.tokenRefused({
        ...factsOf(ctx),
        clientId: client.clientId,
        error: 'unauthorized_client',
        reason: 'sub',
      });
      throw new Forbidden('unauthorized_client', 'sub must be the client itself');
    }
    return { clientId: client.clientId, client };
  }
}

function factsOf(ctx: Context): EventFacts {
  return { requestId: ctx.response.get('x-request-id'), ...addressesOf(ctx), grantType: 'client_credentials' };
}

function subjectOf({ sub }: Record<string, unknown>): string {
  if (typeof sub !== 'string' || sub === '') throw new errors.InvalidRequest("missing required parameter 'sub'");
  if (sub.length > 255 || /\p{Cc}/u.test(sub)) throw new errors.InvalidRequest('sub is not acceptable');
  return sub;
}

/** Undefined: the client's default. */
function audienceOf({ aud }: Record<string, unknown>): string | undefined {
  if (aud === undefined) return undefined;
  if (typeof aud !== 'string' || aud === '') throw new errors.InvalidRequest("missing required parameter 'aud'");
  return aud;
}

/** One mechanism only (RFC 6749 §2.3). Undefined when none was used. */
function credentialsOf(ctx: Context, body: Record<string, unknown>, sub: string): ClientCredentials | undefined {
  const authorization = ctx.get('authorization');
  const { client_id: clientId = sub, client_secret: clientSecret } = body;
  if (authorization !== '') {
    if (clientSecret !== undefined)
      throw new errors.InvalidRequest('client authentication must only be provided using one mechanism');
    return parseBasicCredentials(authorization) ?? { clientId: '', clientSecret: '', method: 'client_secret_basic' };
  }
  if (clientSecret === undefined) return undefined;
  if (typeof clientId !== 'string' || typeof clientSecret !== 'string') {
    throw new errors.InvalidRequest('client_id and client_secret must be strings');
  }
  return { clientId, clientSecret, method: 'json' };
}
