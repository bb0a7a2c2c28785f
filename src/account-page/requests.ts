// One request of the account page: what its section can do with it, in the frame around every page.
import type { Context } from 'koa';
import type { Texts } from '../../views/texts/en.ts';
import { ACCOUNT_PAGE_CLIENT } from '../clients/account-page.ts';
import { addressesOf } from '../http/addresses.ts';
import type { FormTokens } from '../http/form-guard.ts';
import { issuerPath } from '../http/issuer-path.ts';
import { textsFor } from '../http/languages.ts';
import type { PageResponses } from '../http/page-responses.ts';
import { seeOther } from '../http/redirects.ts';
import { momentOf } from './moments.ts';
import { createOutcomes } from './outcomes.ts';
import type { PageSession, PageSessions } from './page-sessions.ts';
import type { AccountRequest } from './section.ts';

/** A link of the frame. */
export interface Link {
  path: string;
  label: (texts: Texts) => string;
}

/** What there is, added section by section. */
export interface SiteMap {
  readonly links: Link[];
  /** the paths that a browser can be sent to */
  readonly shown: Set<string>;
}

export interface AccountRequests {
  /** @param here the page whose link is the current one */
  of(ctx: Context, session: PageSession, here: string): AccountRequest;
  /** Whether the token of a form is one that a page of this session had. */
  isOurs(session: PageSession, token: unknown): boolean;
}

export function createAccountRequests(options: {
  issuer: string;
  pages: PageResponses;
  tokens: FormTokens;
  sessions: Pick<PageSessions, 'endOthers'>;
  map: SiteMap;
  pathOf(path: string): string;
}): AccountRequests {
  const { issuer, pages, tokens, sessions, map, pathOf } = options;
  const outcomes = createOutcomes(issuer);
  const signOut = `${issuerPath(issuer)}/logout`;

  return {
    isOurs: (session, token) => tokens.verify(formsOf(session), token),
    of(ctx, session, here) {
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
        has: (path) => map.shown.has(path),
        moment: (at) => momentOf(at, texts.dates),
        show(name, locals, more) {
          const links = map.links.map(({ path, label }) => {
            return { href: pathOf(path), label: label(texts), isHere: path === here };
          });
          const frame = { username: account.username, links, signOut, csrf, ...outcomes.take(ctx, texts) };
          pages.show(ctx, name, { ...locals, frame } as never, { ...more, texts });
        },
        endOtherVisits: () => sessions.endOthers(session),
        goTo: (path) => seeOther(ctx, pathOf(path)),
        finish(path, outcome) {
          outcomes.leave(ctx, outcome);
          seeOther(ctx, pathOf(path));
        },
        facts: () => ({
          requestId: ctx.response.get('x-request-id'),
          clientId: ACCOUNT_PAGE_CLIENT,
          accountId: account.id,
          ...addressesOf(ctx),
        }),
      };
    },
  };
}

/** What the tokens of forms are bound to: it stays the same when the same person signs in again. */
function formsOf({ account, sessionUid }: PageSession): string {
  return `account page ${account.id} ${sessionUid}`;
}
