// Reads posted forms, and only those that this client showed to this very session (CSRF).
import { timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import { koaBody } from 'koa-body';
import { staleForm } from './problem.ts';
import type { Session, Sessions } from './sessions.ts';

const parseForm = koaBody({ json: false, text: false, formLimit: '16kb' });

/** @throws Problem when the form's `csrf` is not the session's */
export async function readOwnForm(
  ctx: Context,
  sessions: Sessions,
): Promise<{ session: Session; form: Record<string, unknown> }> {
  await parseForm(ctx, async () => {});
  const form = (ctx.request.body ?? {}) as Record<string, unknown>;
  const session = sessions.find(ctx);
  if (session === undefined || !isEqual(session.csrf, form.csrf)) throw staleForm();
  return { session, form };
}

/** Answers a POST: the browser fetches the next page by GET, so that reloading it repeats nothing. */
export function seeOther(ctx: Context, location: string): void {
  ctx.redirect(location);
  ctx.status = 303;
}

function isEqual(expected: string, received: unknown): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(typeof received === 'string' ? received : '')];
  return a.length === b.length && timingSafeEqual(a, b);
}
