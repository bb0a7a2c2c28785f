// The account page as a whole: its sections in the order of their links, over what they work with.
import type { RequestListener } from 'node:http';
import type Router from 'koa-router';
import type { Provider } from 'oidc-provider';
import type { FormTokens } from '../http/form-guard.ts';
import type { PageResponses } from '../http/page-responses.ts';
import type { Artifacts, Clock } from '../store.ts';
import { overview } from './overview.ts';
import { createPageSessions } from './page-sessions.ts';
import { createRelyingParty } from './relying-party.ts';
import { createAccountRouter } from './router.ts';
import type { AccountPageParts, AccountSection } from './section.ts';

export interface AccountPageOptions extends Pick<AccountPageParts, 'accounts'> {
  /** the one in use */
  provider(): Provider;
  issuer: string;
  pages: PageResponses;
  tokens: FormTokens;
  /** those of the request that is being answered */
  artifacts: Artifacts;
  /** seconds without use after which a session ends */
  idleLifetime: number;
  /** answers the requests that the account page sends to the provider: the whole service */
  handle: RequestListener;
  clock: Clock;
  /** in the order of their links, after the overview */
  sections: readonly AccountSection[];
}

export function createAccountPage(options: AccountPageOptions): Router {
  const { accounts, artifacts, clock, handle, idleLifetime, issuer, pages, provider, sections, tokens } = options;
  const sessions = createPageSessions({ issuer, artifacts, findAccount: accounts.find, provider, idleLifetime, clock });
  const relyingParty = createRelyingParty({ issuer, handle });
  return createAccountRouter({ issuer, relyingParty, sessions, pages, tokens, clock }, [overview, ...sections]);
}
