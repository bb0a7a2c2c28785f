// Turns sign-ins away at the door when as many are waiting for their password check as can be served in a second.
import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Context, Middleware } from 'koa';
import type { Logger } from 'pino';
import type { AccountDirectory } from '../src/accounts/directory.ts';
import type { Handle } from '../src/http/arrivals.ts';
import { receiveForm } from '../src/http/body.ts';
import { refuseForeignForms } from '../src/http/form-guard.ts';
import { textsAccepted } from '../src/http/languages.ts';
import type { PageResponses } from '../src/http/page-responses.ts';
import { logAnswer } from '../src/http/request-log.ts';
import type { KnownDevices } from '../src/provider/known-devices.ts';
import { createPlainSignIns, isSignInPath, type PlainSignInOptions } from './plain-sign-ins.ts';

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

interface SignInLimitOptions extends PlainSignInOptions {
  accounts: Pick<AccountDirectory, 'verifiedWithin'>;
  knownDevices: KnownDevices;
  pages: PageResponses;
  /** of every answer */
  headers: Readonly<Record<string, string>>;
  logger: Logger;
}

export interface SignInLimit {
  /** Renders the page of the refusal: in a flood there is no time for it. */
  prepare(): void;
  /** Stands before anything is looked up, even the route. */
  middleware: Middleware;
  /** Before Koa, refuses what surely is too much: refusing has to be cheap. `otherwise` gets everything else. */
  before(otherwise: Handle): Handle;
}

export function createSignInLimit(parts: SignInLimitOptions): SignInLimit {
  const plainSignInOf = createPlainSignIns(parts);
  let running = 0;
  let turn = Promise.resolve();
  let arrivals = 0;
  let latestAt = 0;
  let burstSince: number | undefined;
  const refusal = parts.pages.prepareError(
    { status: 503, error: 'temporarily_unavailable', description: 'too many sign-ins at once' },
    { ...parts.headers, 'Retry-After': '2' },
  );

  function noteArrival(): void {
    arrivals += 1;
    latestAt = performance.now();
  }

  /** Who opens a connection is seen one turn after the one before, so a burst lasts for as many turns as it has requests. */
  async function untilBurstIsOver(): Promise<void> {
    for (;;) {
      const before = arrivals;
      const quietIn = running > LEAST ? latestAt + QUIET_MS - performance.now() : 0;
      if (quietIn > 0) await pause(quietIn);
      await nextTurn(); // when this process had to wait itself, those who came meanwhile are seen first
      if (arrivals === before) burstSince = undefined;
      else burstSince ??= performance.now();
      if (burstSince === undefined || performance.now() - burstSince > BURST_MS) return;
    }
  }

  function mostOfStrangers(): number {
    return Math.min(MOST_OF_STRANGERS, Math.max(LEAST, parts.accounts.verifiedWithin(WAIT_MS)));
  }

  function isFull(ctx: Context): boolean {
    const most = mostOfStrangers();
    return running >= most && (running >= most + RESERVED || !parts.knownDevices.hasAny(ctx));
  }

  async function limitSignIns(ctx: Context, next: () => Promise<unknown>): Promise<void> {
    if (ctx.method !== 'POST' || !isSignInPath(ctx.path)) {
      await next();
      return;
    }
    noteArrival();
    refuseForeignForms(ctx, parts.issuer);
    if (!isFull(ctx)) await receiveForm(ctx); // who is slow to send it keeps nobody else out
    if (isFull(ctx)) {
      refusal.show(ctx);
      return;
    }
    running += 1;
    try {
      // one after the other: refusals go first, and so does whatever else came meanwhile
      turn = turn.then(untilBurstIsOver);
      await turn;
      await next();
    } finally {
      running -= 1;
    }
  }

  return {
    prepare: refusal.prepare,
    middleware: limitSignIns,
    before: (otherwise) =>
      async function refuseSurplus(request, response) {
        const startedAt = performance.now();
        const signIn = running >= mostOfStrangers() ? plainSignInOf(request) : undefined;
        if (signIn === undefined) return otherwise(request, response);
        noteArrival();
        const requestId = randomUUID();
        refusal.send(response, { texts: textsAccepted(request), requestId, query: signIn.query });
        if (parts.logger.isLevelEnabled('debug')) {
          const { path, address } = signIn;
          logAnswer(parts.logger, { requestId, method: 'POST', path, status: 503, ip: address }, startedAt);
        }
      },
  };
}
