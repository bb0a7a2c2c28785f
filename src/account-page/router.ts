// The routes of the account page: signing in to it, the guard before each page, and the frame around it.
import type { Context } from 'koa';
import Router from 'koa-router';
import { type FormTokens, refuseForeignForms } from '../../interactions/interaction.ts';
import type { Texts } from '../../views/texts/en.ts';
import { ACCOUNT_PAGE, ACCOUNT_PAGE_CLIENT } from '../clients/account-page.ts';
import { addressesOf } from '../http/addresses.ts';
import { readForm } from '../http/body.ts';
import { textsFor } from '../http/languages.ts';
import type { PageResponses } from '../http/page-responses.ts';
import { seeOther } from '../http/redirects.ts';
import type { Clock } from '../store.ts';
import { momentOf } from './moments.ts';
import { createOutcomes } from './outcomes.ts';
import type { PageSession, PageSessions } from './page-sessions.ts';
import type { RelyingParty } from './relying-party.ts';
import type { AccountRequest, AccountSection, SectionRoutes } from './section.ts';

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

interface Link {
  path: string;
  label: (texts: Texts) => string;
}

/** @param sections in the order of their links */
export function createAccountRouter(page: AccountPage, sections: readonly AccountSection[]): Router {
  const { issuer, relyingParty, sessions, pages, tokens, clock } = page;
  // one spelling per path: the request gate decides by the path too
  const router = new Router({ sensitive: true, strict: true });
  const base = `${new URL(issuer).pathname.replace(/\/$/, '')}${ACCOUNT_PAGE}`;
  const outcomes = createOutcomes(issuer);
  const links: Link[] = [];
  const shown = new Set<string>();

  const pathOf = (path: string) => (path === '/' ? base : `${base}${path}`);
  const isFresh = ({ authTime }: PageSession, seconds: number) => clock() - authTime <= seconds;

  /** Where to come back to: a page of ours without parameters, whatever was asked for. */
  function signIn(ctx: Context, path: string, session?: PageSession) {
    const again = session && { maxAge: FRESH_TO_BEGIN, loginHint: session.account.username };
    return relyingParty.signIn(ctx, { returnTo: shown.has(path) ? path : '/', ...again });
  }

  function requestOf(ctx: Context, session: PageSession, path: string): AccountRequest {
    const { account, sessionUid } = session;
    const texts = textsFor(ctx);
    const csrf = tokens.issue(formsOf(session));
    return {
      ctx,
      account,
      sessionUid,
      csrf,
      texts,
      pathOf,
      has: (to) => shown.has(to),
      moment: (at) => momentOf(at, texts.language),
      show(name, locals, options) {
        const frame = {
          username: account.username,
          links: links.map(({ path: to, label }) => ({ href: pathOf(to), label: label(texts), isHere: to === path })),
          signOut: `${base.slice(0, -ACCOUNT_PAGE.length)}/logout`,
          csrf,
          ...outcomes.take(ctx, texts),
        };
        pages.show(ctx, name, { ...locals, frame } as never, { ...options, texts });
      },
      goTo: (to) => seeOther(ctx, pathOf(to)),
      finish(to, outcome) {
        outcomes.leave(ctx, outcome);
        seeOther(ctx, pathOf(to));
      },
      facts: () => ({
        requestId: ctx.response.get('x-request-id'),
        clientId: ACCOUNT_PAGE_CLIENT,
        accountId: account.id,
        ...addressesOf(ctx),
      }),
    };
  }

  function routesOf(): SectionRoutes {
    let entry = '/';
    return {
      entry(path, label) {
        entry = path;
        links.push({ path, label });
      },
      get(path, handler, { fresh = false } = {}) {
        if (!path.includes(':')) shown.add(path);
        const here = entry;
        router.get(pathFor(path), async (ctx) => {
          const session = await sessions.find(ctx);
          if (session === undefined || session.isStale) return signIn(ctx, path);
          if (fresh && !isFresh(session, FRESH_TO_BEGIN)) return signIn(ctx, path, session);
          await handler(requestOf(ctx, session, here));
        });
      },
      post(path, handler, { fresh = false } = {}) {
        const here = entry;
        router.post(pathFor(path), async (ctx) => {
          refuseForeignForms(ctx, issuer);
          const back = shown.has(path) ? path : here;
          const session = await sessions.find(ctx);
          if (session === undefined) return signIn(ctx, back);
          const form = await readForm(ctx);
          if (!tokens.verify(formsOf(session), form['csrf'])) {
            ctx.throw(403, 'the form was not one of ours, or is too old', { expose: true });
          }
          if (fresh && !isFresh(session, FRESH)) return signIn(ctx, back, session);
          await handler({ ...requestOf(ctx, session, here), form });
        });
      },
    };
  }

  router.get(`${ACCOUNT_PAGE}/callback`, async (ctx) => {
    const signedIn = await relyingParty.complete(ctx);
    if (signedIn && (await sessions.begin(ctx, signedIn))) return seeOther(ctx, pathOf(signedIn.returnTo));
    const { lost } = textsFor(ctx).accountFrame;
    ctx.status = 400;
    const requestId = ctx.response.get('x-request-id');
    const { title, message, carryOn } = lost;
    pages.show(ctx, 'error', {
      title,
      message,
      button: { href: base, label: carryOn },
      error: 'invalid_request',
      requestId,
    });
  });
  for (const section of sections) section(routesOf());
  return router;
}

/** What the tokens of forms are bound to: it stays the same when the same person signs in again. */
function formsOf({ account, sessionUid }: PageSession): string {
  return `account page ${account.id} ${sessionUid}`;
}

function pathFor(path: string): string {
  return path === '/' ? ACCOUNT_PAGE : `${ACCOUNT_PAGE}${path}`;
}
