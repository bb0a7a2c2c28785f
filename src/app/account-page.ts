// The account page: the sections of it, each built from what it needs.
import type { RequestListener } from 'node:http';
import type Router from 'koa-router';
import { createFormTokens } from '../../interactions/interaction.ts';
import { createAccountPage } from '../account-page/account-page.ts';
import type { AppOptions, Domain } from './domain.ts';
import type { Protocol } from './protocol.ts';

/** @param handle answers the requests that the account page sends to the provider: the whole service */
export function createAccountRoutes(
  { config, clock }: AppOptions,
  { accounts, audit, units }: Domain,
  { pages, providers }: Protocol,
  handle: RequestListener,
): Router {
  return createAccountPage({
    issuer: config.issuer,
    provider: providers.current,
    accounts,
    audit,
    pages,
    tokens: createFormTokens(config.cookieSecrets as [string, ...string[]]),
    artifacts: units.artifacts,
    idleLifetime: config.session.idle,
    handle,
    clock,
    // after ours; a section is a function that adds its pages and forms: see src/account-page/section.ts
    sections: [],
  });
}
