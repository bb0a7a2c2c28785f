// Gives every request an id and, when it is answered, one line in the log.
import { randomUUID } from 'node:crypto';
import type { Middleware } from 'koa';
import type { Logger } from 'pino';

/** The id is in `X-Request-Id` of every answer; ids that callers send are not taken over. */
export function createRequestLog(logger: Logger): Middleware {
  return async function requestLog(ctx, next) {
    const startedAt = performance.now();
    const requestId = randomUUID();
    ctx.set('x-request-id', requestId);
    await next();
    if (!logger.isLevelEnabled('debug')) return;
    logger.debug(
      {
        requestId,
        method: ctx.method,
        path: ctx.path,
        status: ctx.status,
        ip: ctx.ip,
        durationMs: Math.round(performance.now() - startedAt),
      },
      'request answered',
    );
  };
}
