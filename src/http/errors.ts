// Answers every request that failed: OAuth errors as JSON or a page, outages as 503, bugs as 500 without a word.
import type { Context, Middleware } from 'koa';
import { errors } from 'oidc-provider';
import type { Logger } from 'pino';
import { TooManyGuesses } from '../accounts/guesses.ts';
import { PasswordQueueFull } from '../accounts/hash-queue.ts';
import { StoreUnavailable } from '../store.ts';
import { type Failure, type PageResponses, wantsPage } from './page-responses.ts';

const OUTAGE = {
  status: 503,
  error: 'temporarily_unavailable',
  description: 'the service is temporarily unavailable, try again shortly',
};

/** Codes of what goes wrong because the peer went away, was too slow, or stopped speaking HTTP. */
const PEER_FAULTS = /^(ECONN|EPIPE|HPE_|ERR_HTTP_REQUEST_TIMEOUT|ERR_STREAM_)/;

/** The one place where errors become answers and bugs are logged. */
export function createErrorHandler(options: { logger: Logger; pages: PageResponses }): Middleware {
  return async function errorHandler(ctx, next) {
    try {
      await next();
    } catch (error) {
      const failure = failureOf(error);
      if (failure.status >= 500)
        options.logger.error({ err: error, requestId: ctx.response.get('x-request-id') }, 'request failed');
      if (error instanceof TooManyGuesses) ctx.set('retry-after', String(error.retryAfter));
      answer(ctx, failure, options.pages);
      if (failure.status === 413) ctx.set('connection', 'close');
    }
    if (ctx.status === 503 && !ctx.response.get('retry-after')) ctx.set('retry-after', '1');
  };
}

/** Logs what goes wrong outside of the middleware; what peers do to their own requests is no error of ours. */
export function createConnectionErrorLog(logger: Logger): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    const level = PEER_FAULTS.test(error.code ?? '') ? 'debug' : 'error';
    logger[level]({ err: error }, 'response failed');
  };
}

function failureOf(error: unknown): Failure {
  if (error instanceof errors.OIDCProviderError && error.expose) {
    return { status: error.statusCode, error: error.error, description: error.error_description };
  }
  if (error instanceof StoreUnavailable || error instanceof PasswordQueueFull) return OUTAGE;
  if (error instanceof TooManyGuesses) {
    return { status: 429, error: OUTAGE.error, description: error.message };
  }
  const { status, expose, message } = error as { status?: number; expose?: boolean; message?: string };
  if (expose === true && typeof status === 'number' && status < 500) {
    return { status, error: 'invalid_request', description: message };
  }
  return { status: 500, error: 'server_error', description: 'the request could not be processed' };
}

function answer(ctx: Context, failure: Failure, pages: PageResponses): void {
  ctx.status = failure.status;
  if (wantsPage(ctx)) {
    pages.error(ctx, failure);
    return;
  }
  ctx.set('cache-control', 'no-store');
  if (failure.status === 401) ctx.set('www-authenticate', `Basic realm="token", error="${failure.error}"`);
  ctx.body = { error: failure.error, ...(failure.description ? { error_description: failure.description } : {}) };
}
