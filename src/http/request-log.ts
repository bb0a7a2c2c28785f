// Gives every request an id and, when it is answered, one line in the log.
import { randomUUID } from 'node:crypto';
import type { Context, Middleware, Next } from 'koa';
import type { Logger } from 'pino';

/** The id is in `X-Request-Id` of every answer; ids that callers send are not taken over. */
export function createRequestLog(logger: Logger): Middleware {
  return function requestLog(ctx, next) {
    const requestId = randomUUID();
    ctx.res.setHeader('X-Request-Id', requestId);
    return logger.isLevelEnabled('debug') ? logWhenAnswered(ctx, next, requestId) : next();
  };

  async function logWhenAnswered(ctx: Context, next: Next, requestId: string): Promise<void> {
    const startedAt = performance.now();
    await next();
    const { method, path, status, ip } = ctx;
    logAnswer(logger, { requestId, method, path, status, ip }, startedAt);
  }
}

/** @param startedAt by `performance.now()` */
export function logAnswer(
  logger: Logger,
  request: { requestId: string; method: string; path: string; status: number; ip: string },
  startedAt: number,
): void {
  logger.debug({ ...request, durationMs: Math.round(performance.now() - startedAt) }, 'request answered');
}
