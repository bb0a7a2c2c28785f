// What a client may do at the endpoints that it calls itself.
import {
  type AccessToken,
  type Client,
  type ClientCredentials,
  type Configuration,
  errors,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { staticClaims } from '../clients/static-claims.ts';
import { actorClaim } from './token-exchange.ts';

type IntrospectedToken = { clientId?: string | undefined; accountId?: unknown };

/** A browser-based client calls from the origin of its redirect URI; private-use schemes have none, which is `null`. */
export function isOriginOf(client: Client, origin: string): boolean {
  return origin !== 'null' && (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin);
}

/**
 * A token of an account that is gone or disabled is not active, and a public client learns about its own tokens only:
 * anybody could speak in its name (RFC 7662 §4).
 */
export function introspectionPolicy(findAccount: NonNullable<Configuration['findAccount']>) {
  return async (ctx: KoaContextWithOIDC, client: Client, token: IntrospectedToken): Promise<boolean> => {
    if (client.clientAuthMethod === 'none' && token.clientId !== client.clientId) return false;
    const { accountId } = token;
    return typeof accountId !== 'string' || (await findAccount(ctx, accountId)) !== undefined;
  };
}

/**
 * What the registration of a client adds to the tokens that it gets for itself, never to an end-user's; those only name
 * the services that act for the end-user.
 */
export function extraTokenClaims(_ctx: unknown, token: AccessToken | ClientCredentials) {
  if (token.kind === 'ClientCredentials') return token.client ? staticClaims(token.client) : {};
  return actorClaim(token) ?? {};
}

/**
 * `first_party` skips the consent page, and claims in a token are believed by whoever verifies it, so a client never
 * gives either to itself (RFC 7591 §5).
 */
export function refuseSelfPromotion(ctx: unknown, key: string, value: unknown): void {
  if (ctx !== undefined && key !== 'require_pkce' && key !== 'require_mfa' && value !== undefined) {
    throw new errors.InvalidClientMetadata(`${key} is not a member that a client can register`);
  }
  if (key === 'access_token_claims') return; // its rules are those of src/clients/static-claims.ts
  if (value !== undefined && typeof value !== 'boolean') {
    throw new errors.InvalidClientMetadata(`${key} must be a boolean`);
  }
}
