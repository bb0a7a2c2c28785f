// Gives every answer the headers of one for programs; pages replace them with their own.
import type { Middleware } from 'koa';
import { apiHeaders } from './security-headers.ts';

/** Caching and framing are off unless an endpoint says otherwise. */
export function createDefaultHeaders(): Middleware {
  const headers = apiHeaders();
  return async function defaultHeaders(ctx, next) {
    ctx.set(headers);
    await next();
  };
}
