// Lets what is the same for everybody be cached: the JWKS and the metadata documents.
import type { Middleware } from 'koa';

const JWKS = '/jwks';

/**
 * Seconds (RFC 9111 §5.2.2.1). A new key is in the JWKS a day or more before it signs, so a cache of ten minutes knows
 * it long before; metadata change with the configuration only.
 */
export const maxAges: Readonly<Record<string, number>> = {
  [JWKS]: 600,
  '/.well-known/openid-configuration': 300,
  '/.well-known/oauth-authorization-server': 300,
};

/** @param onJwksFetch hears of everybody who got the JWKS; `agent` is the `User-Agent` as it was sent */
export function createPublishedDocuments(onJwksFetch: (address: string, agent: string) => void): Middleware {
  return async function publishedDocuments(ctx, next) {
    await next();
    const maxAge = Object.hasOwn(maxAges, ctx.path) ? maxAges[ctx.path] : undefined;
    if (maxAge === undefined || ctx.status !== 200) return;
    ctx.set('cache-control', `public, max-age=${maxAge}`);
    if (ctx.path === JWKS && ctx.method === 'GET') onJwksFetch(ctx.ip, ctx.get('user-agent'));
  };
}
