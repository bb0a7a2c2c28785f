// Sends a browser on after a form, or to another page, by GET.
import type { Context } from 'koa';

/** 303, never 307: what was posted is not posted again (RFC 9700 §4.12). */
export function seeOther(ctx: Context, location: string): void {
  ctx.status = 303;
  ctx.set('location', location);
  ctx.set('cache-control', 'no-store');
  ctx.body = '';
}
