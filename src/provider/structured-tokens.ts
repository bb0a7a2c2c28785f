// Lets the introspection and revocation endpoints answer for JWT access tokens too (RFC 7662, RFC 7009).
import type { Context, Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { AuditLog } from '../logging/events.ts';
import type { AskingClient, Introspection } from '../tokens/introspection.ts';
import type { Revocation } from '../tokens/revocation.ts';

export interface StructuredTokens {
  introspect(token: string, asking: AskingClient): Promise<Introspection>;
  revoke(token: string, clientId: string): Promise<Revocation>;
  audit: AuditLog;
  /** keeps back what is not true before the request's writes are durable */
  afterCommit(effect: () => void): void;
}

/**
 * Stands around the library. It authenticates the client, by whichever method, and checks the parameters, before it
 * declines JWTs as an unsupported token type: what it then says of client and token is where we go on.
 * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/shared/reject_structured_tokens.js
 */
export function createStructuredTokens(options: StructuredTokens): Middleware {
  return async function structuredTokens(ctx, next) {
    await next();
    const declined = declinedToken(ctx);
    if (declined === undefined) return;
    if (ctx.path === '/introspect') {
      ctx.status = 200;
      ctx.body = await options.introspect(declined.token, declined.asking);
      return;
    }
    const { clientId } = declined.asking;
    const revocation = await options.revoke(declined.token, clientId);
    if (revocation.outcome === 'nameless') return;
    ctx.status = 200;
    ctx.body = '';
    if (revocation.outcome === 'ignored') return;
    const { jti: tokenId, accountId } = revocation;
    const facts = { requestId: ctx.response.get('x-request-id'), ip: ctx.ip, clientId, accountId, tokenId };
    options.afterCommit(() => options.audit.tokenRevoked(facts));
  };
}

/** The JWT that the library has just declined, and the client that it authenticated before. */
function declinedToken(ctx: Context): { token: string; asking: AskingClient } | undefined {
  if (ctx.path !== '/introspect' && ctx.path !== '/revoke') return undefined;
  if (ctx.status !== 400 || (ctx.body as { error?: unknown } | null)?.error !== 'unsupported_token_type')
    return undefined;
  const { client, params } = (ctx as unknown as KoaContextWithOIDC).oidc;
  const token = params?.['token'];
  if (client === undefined || typeof token !== 'string') return undefined;
  return { token, asking: { clientId: client.clientId, isPublic: client.clientAuthMethod === 'none' } };
}
