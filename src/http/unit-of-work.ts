// Commits what a request wrote before its answer leaves.
import type { Context, Middleware } from 'koa';

/** The headers of an answer that turned out not to be true. */
const WITHDRAWN = ['set-cookie', 'location', 'www-authenticate', 'content-type', 'content-length'];

/**
 * Koa sends an answer only when all middleware is done, so everything inside is still unsaid when the commit fails: the
 * answer is withdrawn and the error goes on to the error handler. A request that ended in 5xx leaves nothing behind.
 */
export function createUnitOfWorkMiddleware(options: {
  /** commits when its argument resolves true */
  run(answer: () => Promise<boolean>): Promise<void>;
  /** turns what the store throws into what OAuth says */
  translate(error: unknown, ctx: Context): unknown;
}): Middleware {
  return async function unitOfWork(ctx, next) {
    try {
      await options.run(async () => {
        await next();
        return ctx.status < 500;
      });
    } catch (error) {
      ctx.body = null;
      for (const header of WITHDRAWN) ctx.remove(header);
      throw options.translate(error, ctx);
    }
  };
}
