// The routes of the account page: signing in to it, and the guard before each page and form.
import type { Context } from 'koa';
import Router from 'koa-router';
import { ACCOUNT_PAGE } from '../clients/account-page.ts';
import { readForm } from '../http/body.ts';
import { type FormTokens, refuseForeignForms } from '../http/form-guard.ts';
import { issuerPath } from '../http/issuer-path.ts';
import { textsFor } from '../http/languages.ts';
import type { PageResponses } from '../http/page-responses.ts';
import { seeOther } from '../http/redirects.ts';
import type { Clock } from '../store.ts';
import type { PageSession, PageSessions } from './page-sessions.ts';
import type { RelyingParty } from './relying-party.ts';
import { createAccountRequests, type SiteMap } from './requests.ts';
import type { AccountSection, SectionRoutes } from './section.ts';

/** Seconds for which somebody who has signed in may change what the account is signed in to with. */
const FRESH = 10 * 60;
/** A page with such a form is shown while there is time left to fill it in. */
const FRESH_TO_BEGIN = FRESH / 2;

export interface AccountPage {
  issuer: string;
  relyingParty: RelyingParty;
  sessions: PageSessions;
  pages: PageResponses;
  tokens: FormTokens;
  clock: Clock;
}

/** @param sections in the order of their links */
export function createAccountRouter(page: AccountPage, sections: readonly AccountSection[]): Router {
  const { issuer, relyingParty, sessions, pages, tokens, clock } = page;
  // one spelling per path: the request gate decides by the path too
  const router = new Router({ sensitive: true, strict: true });
  const home = `${issuerPath(issuer)}/`;
  const base = `${home.slice(0, -1)}${ACCOUNT_PAGE}`;
  const pathOf = (path: string) => below(base, path);
  const map: SiteMap = { links: [], shown: new Set() };
  const requests = createAccountRequests({ issuer, pages, tokens, sessions, map, pathOf });

  const isFresh = ({ authTime }: PageSession, seconds: number) => clock() - authTime <= seconds;

  /** Where to come back to: a page of ours without parameters, whatever was asked for. */
  function signIn(ctx: Context, path: string, session?: PageSession) {
    const again = session && { maxAge: FRESH_TO_BEGIN, loginHint: session.account.username };
    return relyingParty.signIn(ctx, { returnTo: map.shown.has(path) ? path : '/', ...again });
  }

  /** For who cannot go on here: one sentence, and one button. */
  function sayLost(ctx: Context, status: number, reason: 'lost' | 'oldForm', path: string): void {
    const texts = textsFor(ctx);
    const { title, message, carryOn } = texts.accountFrame[reason];
    const requestId = ctx.response.get('x-request-id');
    const button = { href: pathOf(path), label: carryOn };
    ctx.status = status;
    pages.show(ctx, 'error', { title, message, button, error: 'invalid_request', requestId }, { texts });
  }

  function routesOf(): SectionRoutes {
    let entry = '/';
    return {
      entry(path, label) {
        entry = path;
        map.links.push({ path, label });
      },
      get(path, handler, { fresh = false } = {}) {
        const here = entry;
        if (!path.includes(':')) map.shown.add(path);
        router.get(below(ACCOUNT_PAGE, path), async (ctx) => {
          const session = await sessions.find(ctx);
          if (session === undefined || session.isStale) return signIn(ctx, path);
          if (fresh && !isFresh(session, FRESH_TO_BEGIN)) return signIn(ctx, path, session);
          await handler(requests.of(ctx, session, here));
        });
      },
      post(path, handler, { fresh = false } = {}) {
        const here = entry;
        router.post(below(ACCOUNT_PAGE, path), async (ctx) => {
          refuseForeignForms(ctx, issuer);
          const back = map.shown.has(path) ? path : here;
          const session = await sessions.find(ctx);
          if (session === undefined) return signIn(ctx, back);
          const form = await readForm(ctx);
          if (!requests.isOurs(session, form['csrf'])) return sayLost(ctx, 403, 'oldForm', back);
          if (fresh && !isFresh(session, FRESH)) return signIn(ctx, back, session);
          await handler({ ...requests.of(ctx, session, here), form });
        });
      },
    };
  }

  router.get(`${ACCOUNT_PAGE}/callback`, async (ctx) => {
    const signedIn = await relyingParty.complete(ctx);
    // somebody who is signed in already did not want to sign in again
    if (signedIn === 'cancelled') return seeOther(ctx, (await sessions.find(ctx)) ? base : home);
    if (signedIn && (await sessions.begin(ctx, signedIn))) return seeOther(ctx, pathOf(signedIn.returnTo));
    sayLost(ctx, 400, 'lost', '/');
  });
  for (const section of sections) section(routesOf());
  return router;
}

function below(base: string, path: string): string {
  return path === '/' ? base : `${base}${path}`;
}
