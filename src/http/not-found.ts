// Answers every path that does not exist, and every method that a path does not have.
import type { Middleware } from 'koa';
import { type PageResponses, wantsPage } from './page-responses.ts';

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
