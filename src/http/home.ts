// The page at the issuer's root, and the answer to every path that does not exist.
import type { Context, Middleware } from 'koa';
import { type PageResponses, wantsPage } from './page-responses.ts';

/** `GET /`: says what this is and where its metadata are. */
export function createHome(options: { issuer: string; pages: PageResponses }): (ctx: Context) => Promise<void> {
  const { issuer, pages } = options;
  const base = issuer.replace(/\/$/, '');
  const discovery = `${base}/.well-known/openid-configuration`;
  return async (ctx) => {
    pages.show(ctx, 'home', {
      issuer,
      discovery,
      links: [
        { href: `${base}/jwks`, label: 'Public keys (JWKS)' },
        { href: `${base}/ping`, label: 'Health' },
      ],
    });
  };
}

/**
 * The same answer for every unknown path, and for every method that a path does not have, whatever either looks like:
 * nothing tells a hidden path from none. Stands before everything that may answer.
 */
export function createNotFound(pages: PageResponses): Middleware {
  return async function notFound(ctx, next) {
    await next();
    if (ctx.status !== 404 || ctx.body) return;
    if (wantsPage(ctx)) {
      pages.error(ctx, { status: 404, error: 'not_found' });
      return;
    }
    ctx.status = 404;
    ctx.body = { error: 'not_found', error_description: 'there is nothing here' };
  };
}
