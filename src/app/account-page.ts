// The account page: the sections of it, each built from what it needs.
import type { RequestListener } from 'node:http';
import type Router from 'koa-router';
import { createFormTokens } from '../../interactions/interaction.ts';
import { createAccountPage } from '../account-page/account-page.ts';
import { authenticator } from '../account-page/authenticator.ts';
import { identities } from '../account-page/identities.ts';
import { createKnownDevices } from '../provider/known-devices.ts';
import type { AppOptions, Domain } from './domain.ts';
import type { Protocol } from './protocol.ts';

/** @param handle answers the requests that the account page sends to the provider: the whole service */
export function createAccountRoutes(
  { config, store, clock }: AppOptions,
  { accounts, audit, guesses, passwordRules, secondFactors, units }: Domain,
  { pages, providers, upstreams }: Protocol,
  handle: RequestListener,
): Router {
  const elsewhere = identities({
    issuer: config.issuer,
    upstreams,
    linkedIdentities: store.linkedIdentities,
    hasOwnFactor: async ({ id, passwordHash }) =>
      passwordHash !== undefined || (await store.passkeys.listOf(id)).length > 0,
    audit,
  });
  const app = authenticator({
    accounts,
    audit,
    guesses,
    passwordRules,
    secondFactors,
    knownDevices: createKnownDevices({ issuer: config.issuer, secrets: config.cookieSecrets }),
    installation: config.installation.name,
  });
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
    sections: [app, ...(upstreams.byId.size > 0 ? [elsewhere] : [])],
  });
}
