// What a client may do at the endpoints that it calls itself.
import { type Client, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';

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

/** `first_party` skips the consent page, so a client never gives it to itself (RFC 7591 §5). */
export function refuseSelfPromotion(ctx: unknown, key: string, value: unknown): void {
  if (ctx !== undefined && key === 'first_party' && value !== undefined) {
    throw new errors.InvalidClientMetadata('first_party is not a member that a client can register');
  }
  if (value !== undefined && typeof value !== 'boolean') {
    throw new errors.InvalidClientMetadata(`${key} must be a boolean`);
  }
}
