// Gives every answer the headers of one for programs; pages replace them with their own.
import type { Middleware } from 'koa';
import { apiHeaders } from './security-headers.ts';

/** Caching and framing are off unless an endpoint says otherwise; an https issuer is https for good (RFC 6797). */
export function defaultHeaders(issuer: string): Record<string, string> {
  const headers = apiHeaders();
  if (issuer.startsWith('https:')) headers['Strict-Transport-Security'] = 'max-age=31536000';
  return headers;
}

/** @param headers those of `defaultHeaders`, which requests that never come here get too */
export function createDefaultHeaders(headers: Readonly<Record<string, string>>): Middleware {
  const entries = Object.entries(headers);
  return function setDefaultHeaders(ctx, next) {
    for (const [name, value] of entries) ctx.res.setHeader(name, value);
    return next();
  };
}
