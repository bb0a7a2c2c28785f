// Which resource servers a client may ask tokens for, and how their access tokens look (RFC 8707, RFC 9068).

import type { KeyObject } from 'node:crypto';
import {
  errors,
  type KoaContextWithOIDC,
  type Client as OidcClient,
  type ResourceServer as ResourceServerInfo,
} from 'oidc-provider';
import { defaultAudience, grantedScope, soleAudience } from '../clients/permissions.ts';
import { audienceOf, resourceIdentifier } from '../resource-servers/identifiers.ts';
import type { ClientRecord, ResourceServer } from '../store.ts';

export interface ResourceIndicators {
  findClient(clientId: string): Promise<ClientRecord | undefined>;
  findResourceServer(audience: string): Promise<ResourceServer | undefined>;
  /** signs HS256 tokens */
  sharedSecret: KeyObject;
  /** seconds */
  accessTokenLifetime: number;
}

/** The library's `features.resourceIndicators`. */
export function createResourceIndicators(options: ResourceIndicators) {
  return {
    enabled: true,
    async defaultResource(ctx: KoaContextWithOIDC, client: OidcClient, oneOf?: readonly string[]) {
      if (oneOf) return oneOf[0] ?? [];
      return isOnBehalfOfClient(ctx) ? defaultResource(ctx, await options.findClient(client.clientId)) : [];
    },
    useGrantedResource: () => false,
    async getResourceServerInfo(
      ctx: KoaContextWithOIDC,
      indicator: string,
      client: OidcClient,
    ): Promise<ResourceServerInfo> {
      if (isOnBehalfOfClient(ctx) && Array.isArray(ctx.oidc.params?.['resource'])) {
        throw new errors.InvalidTarget('only one resource can be asked for');
      }
      const [record, resourceServer] = await Promise.all([
        options.findClient(client.clientId),
        options.findResourceServer(audienceOf(indicator)),
      ]);
      const granted = record && resourceServer ? grantedScope(record, resourceServer) : undefined;
      if (resourceServer === undefined || granted === undefined) {
        throw new errors.InvalidTarget('the requested resource is unknown or not granted to this client');
      }
      const onBehalfOfClient = isOnBehalfOfClient(ctx);
      if (onBehalfOfClient) settleClientScope(ctx, granted);
      return {
        audience: resourceServer.audience,
        scope: granted,
        accessTokenFormat: 'jwt',
        accessTokenTTL: resourceServer.expiresIn ?? options.accessTokenLifetime,
        jwt: { sign: signature(resourceServer, onBehalfOfClient, options.sharedSecret) },
      };
    },
  };
}

function isOnBehalfOfClient(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.params?.['grant_type'] === 'client_credentials';
}

/**
 * A client that has a default audience, or a single one, need not name it. Otherwise its token is for no resource
 * server, and has no scope: one that we let through here would be vouched for by introspection, granted or not
 * (RFC 6749 §3.3).
 */
function defaultResource(ctx: KoaContextWithOIDC, client: ClientRecord | undefined): string | string[] {
  const audience = client && (defaultAudience(client) ?? soleAudience(client));
  if (audience !== undefined) return resourceIdentifier(audience);
  if (ctx.oidc.params?.['scope'] === undefined) return [];
  throw new errors.InvalidTarget('a scope needs the audience or resource that it belongs to');
}

/** Without `scope` the client gets all it was granted; asking for more is an error, not a silent cut (RFC 6749 §3.3). */
function settleClientScope(ctx: KoaContextWithOIDC, granted: string): void {
  const params = ctx.oidc.params as Record<string, unknown>;
  if (params['scope'] === undefined) {
    params['scope'] = granted || undefined;
    return;
  }
  const allowed = new Set(granted.split(' '));
  const refused = String(params['scope'])
    .split(' ')
    .filter((scope) => !allowed.has(scope));
  if (refused.length > 0) {
    throw new errors.InvalidScope(
      `the requested scope is not granted to this client; granted: ${granted || 'none'}`,
      refused.join(' '),
    );
  }
}

/**
 * Whoever holds the shared secret can make an HS256 token, so it never speaks for an end-user: a user's token for such
 * a resource server is ES256, verified through the JWKS (security requirement R15).
 */
function signature(resourceServer: ResourceServer, onBehalfOfClient: boolean, sharedSecret: KeyObject) {
  if (resourceServer.alg !== 'HS256') return { alg: resourceServer.alg };
  return onBehalfOfClient ? { alg: 'HS256' as const, key: sharedSecret } : { alg: 'ES256' as const };
}
