// Turns sign-ins away at the door when as many are waiting for their password check as can be served in a second.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Middleware } from 'koa';
import type { PageResponses } from '../src/http/page-responses.ts';
import type { KnownDevices } from '../src/provider/known-devices.ts';

/** At once in this process; more than that would wait for longer than a second (security.md R51). */
const MOST = 52;
/** The rest is for browsers that somebody has signed in from: who floods the service shuts fewer people out. */
const MOST_OF_STRANGERS = 40;

/** Before anything is looked up: refusing has to be cheap. */
export function createSignInLimit(parts: { pages: PageResponses; knownDevices: KnownDevices }): Middleware {
  let running = 0;
  let turn = Promise.resolve();
  return async function limitSignIns(ctx, next) {
    if (running >= MOST_OF_STRANGERS && (running >= MOST || !parts.knownDevices.hasAny(ctx))) {
      ctx.set('retry-after', '2');
      parts.pages.error(ctx, {
        status: 503,
        error: 'temporarily_unavailable',
        description: 'too many sign-ins at once',
      });
      return;
    }
    running += 1;
    try {
      // one after the other: refusals go first, and so does whatever else came meanwhile
      turn = turn.then(() => nextTurn());
      await turn;
      await next();
    } finally {
      running -= 1;
    }
  };
}
