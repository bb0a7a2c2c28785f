// Turns sign-ins away at the door when as many are waiting for their password check as can be served in a second.
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Context, Middleware } from 'koa';
import type { AccountDirectory } from '../src/accounts/directory.ts';
import { receiveForm } from '../src/http/body.ts';
import { refuseForeignForms } from '../src/http/form-guard.ts';
import type { PageResponses } from '../src/http/page-responses.ts';
import type { KnownDevices } from '../src/provider/known-devices.ts';

/** At once in this process, and fewer where a second is not enough for them (security.md R51). */
const MOST_OF_STRANGERS = 40;
/** More are let in from browsers that somebody has signed in from: whoever floods the service shuts fewer people out. */
const RESERVED = 12;
/** Hashing that is slow for a moment leaves so many. */
const LEAST = 8;
const WAIT_MS = 1_000;
/** What comes without a pause for longer is no burst. */
const BURST_MS = 250;
/** A pause, where several wait: hashing takes the processors that refusals need. */
const QUIET_MS = 20;
/** Where names and passwords are posted to: `/login/:uid`. */
const SIGN_IN = /^\/login\/[^/]+$/;

/** Stands before anything is looked up, even the route: refusing has to be cheap. */
export function createSignInLimit(parts: {
  accounts: Pick<AccountDirectory, 'verifiedWithin'>;
  pages: PageResponses;
  knownDevices: KnownDevices;
  issuer: string;
}): Middleware {
  let running = 0;
  let turn = Promise.resolve();
  let arrivals = 0;
  let latestAt = 0;
  let burstSince: number | undefined;
  const refusal = parts.pages.prepareError({
    status: 503,
    error: 'temporarily_unavailable',
    description: 'too many sign-ins at once',
  });

  /** Who opens a connection is seen one turn after the one before, so a burst lasts for as many turns as it has requests. */
  async function untilBurstIsOver(): Promise<void> {
    for (;;) {
      const before = arrivals;
      const quietIn = running > LEAST ? latestAt + QUIET_MS - performance.now() : 0;
      await (quietIn > 0 ? pause(quietIn) : nextTurn());
      if (arrivals === before) burstSince = undefined;
      else burstSince ??= performance.now();
      if (burstSince === undefined || performance.now() - burstSince > BURST_MS) return;
    }
  }

  function isFull(ctx: Context): boolean {
    const most = Math.min(MOST_OF_STRANGERS, Math.max(LEAST, parts.accounts.verifiedWithin(WAIT_MS)));
    return running >= most && (running >= most + RESERVED || !parts.knownDevices.hasAny(ctx));
  }

  return async function limitSignIns(ctx, next) {
    if (ctx.method !== 'POST' || !SIGN_IN.test(ctx.path)) return next();
    arrivals += 1;
    latestAt = performance.now();
    refuseForeignForms(ctx, parts.issuer);
    if (!isFull(ctx)) await receiveForm(ctx); // who is slow to send it keeps nobody else out
    if (isFull(ctx)) {
      ctx.set('retry-after', '2');
      refusal.show(ctx);
      return;
    }
    running += 1;
    refusal.prepare(); // now, since in a flood there is no time for it
    try {
      // one after the other: refusals go first, and so does whatever else came meanwhile
      turn = turn.then(untilBurstIsOver);
      await turn;
      await next();
    } finally {
      running -= 1;
    }
  };
}
