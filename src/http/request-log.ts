// Gives every request an id and, when it is answered, one line in the log.
import { randomUUID } from 'node:crypto';
import type { Context, Middleware, Next } from 'koa';
import type { Logger } from 'pino';

/** The id is in `X-Request-Id` of every answer; ids that callers send are not taken over. */
export function createRequestLog(logger: Logger): Middleware {
  return function requestLog(ctx, next) {
    const requestId = randomUUID();
    ctx.res.setHeader('X-Request-Id', requestId);
    return logger.isLevelEnabled('debug') ? logAnswer(ctx, next, requestId) : next();
  };

  async function logAnswer(ctx: Context, next: Next, requestId: string): Promise<void> {
    const startedAt = performance.now();
    await next();
    const { method, path, status, ip } = ctx;
    const durationMs = Math.round(performance.now() - startedAt);
    logger.debug({ requestId, method, path, status, ip, durationMs }, 'request answered');
  }
}
