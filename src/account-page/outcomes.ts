// The sentence that the page after a change begins with: carried by a cookie, and said once.
import type { Context } from 'koa';
import type { Texts } from '../../views/texts/en.ts';
import { accountCookie } from './cookies.ts';
import type { Outcome } from './section.ts';

/** Longer than it takes to follow a redirect. */
const MAX_AGE_MS = 60_000;

export function createOutcomes(issuer: string) {
  const { name, attributes } = accountCookie(issuer, 'account-outcome');
  return {
    leave(ctx: Context, outcome: Outcome): void {
      ctx.cookies.set(name, outcome, { ...attributes, maxAge: MAX_AGE_MS });
    },
    take(ctx: Context, { accountFrame }: Texts): { outcome?: string } {
      const outcome = ctx.cookies.get(name, { signed: true });
      if (outcome === undefined) return {};
      ctx.cookies.set(name, null, attributes);
      return Object.hasOwn(accountFrame.outcomes, outcome)
        ? { outcome: accountFrame.outcomes[outcome as Outcome] }
        : {};
    },
  };
}
