// Which resource servers a client may ask tokens for, and how their access tokens look (RFC 8707, RFC 9068).

import type { KeyObject } from 'node:crypto';
import {
  errors,
  type KoaContextWithOIDC,
  type Client as OidcClient,
  type ResourceServer as ResourceServerInfo,
} from 'oidc-provider';
import { grantedScope } from '../clients/permissions.ts';
import { audienceOf } from '../resource-servers/identifiers.ts';
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
    defaultResource: (_ctx: KoaContextWithOIDC, _client: OidcClient, oneOf?: readonly string[]) => oneOf?.[0] ?? [],
    useGrantedResource: () => false,
    async getResourceServerInfo(
      ctx: KoaContextWithOIDC,
      indicator: string,
      client: OidcClient,
    ): Promise<ResourceServerInfo> {
      const [record, resourceServer] = await Promise.all([
        options.findClient(client.clientId),
        options.findResourceServer(audienceOf(indicator)),
      ]);
      const granted = record && resourceServer ? grantedScope(record, resourceServer) : undefined;
      if (resourceServer === undefined || granted === undefined) {
        throw new errors.InvalidTarget('the requested resource is unknown or not granted to this client');
      }
      const onBehalfOfClient = ctx.oidc.params?.['grant_type'] === 'client_credentials';
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
