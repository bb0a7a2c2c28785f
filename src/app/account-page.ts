// The account page: the sections of it, each built from what it needs.
import type { RequestListener } from 'node:http';
import type Router from 'koa-router';
import { createAccountPage } from '../account-page/account-page.ts';
import { activity } from '../account-page/activity.ts';
import { applications } from '../account-page/applications.ts';
import { authenticator } from '../account-page/authenticator.ts';
import { createClientNames } from '../account-page/client-names.ts';
import { identities } from '../account-page/identities.ts';
import { passkeys } from '../account-page/passkeys.ts';
import { password } from '../account-page/password.ts';
import { profile } from '../account-page/profile.ts';
import { sessions } from '../account-page/sessions.ts';
import { createFormTokens } from '../http/form-guard.ts';
import { createAccountGrants } from '../provider/account-grants.ts';
import { createAccountSessions } from '../provider/account-sessions.ts';
import { createBackChannelLogout } from '../provider/back-channel-logout.ts';
import { createKnownDevices } from '../provider/known-devices.ts';
import type { AppOptions, Domain } from './domain.ts';
import type { Protocol } from './protocol.ts';

/** @param handle answers the requests that the account page sends to the provider: the whole service */
export function createAccountRoutes(
  { config, store, logger, clock }: AppOptions,
  { accounts, audit, guesses, passwordRules, secondFactors, units, ...domain }: Domain,
  { pages, passkeyScript, providers, upstreams }: Protocol,
  handle: RequestListener,
): Router {
  const { letters, limits, links, mailer, notices } = domain.mail;
  const elsewhere = identities({
    issuer: config.issuer,
    upstreams,
    linkedIdentities: store.linkedIdentities,
    hasOwnFactor: async ({ id, passwordHash }) =>
      passwordHash !== undefined || (await store.passkeys.listOf(id)).length > 0,
    audit,
    notices,
  });
  const lastFactor = {
    accounts,
    guesses,
    passwordRules,
    knownDevices: createKnownDevices({ issuer: config.issuer, secrets: config.cookieSecrets }),
  };
  const ownPasskeys = passkeys({
    ...lastFactor,
    audit,
    notices,
    secondFactors,
    ceremonies: domain.passkeys,
    script: passkeyScript,
    passkeys: store.passkeys,
    linkedIdentities: store.linkedIdentities,
  });
  const app = authenticator({
    ...lastFactor,
    audit,
    notices,
    secondFactors,
    installation: config.installation.name,
  });
  const accountSessions = createAccountSessions({
    artifacts: store.artifacts,
    onEnd: createBackChannelLogout({ provider: providers.current, logger }),
  });
  const namesOf = createClientNames(domain.clients.find);
  return createAccountPage({
    issuer: config.issuer,
    provider: providers.current,
    accounts,
    pages,
    tokens: createFormTokens(config.cookieSecrets as [string, ...string[]]),
    artifacts: units.artifacts,
    idleLifetime: config.session.idle,
    handle,
    clock,
    // a section is a function that adds its pages and forms: see src/account-page/section.ts
    sections: [
      profile({ accounts, audit, letters, limits, links, mailer }),
      password({ ...lastFactor, audit, secondFactors, sessions: accountSessions, notices }),
      app,
      ...(domain.passkeys.isOffered ? [ownPasskeys] : []),
      ...(upstreams.byId.size > 0 ? [elsewhere] : []),
      sessions({ sessions: accountSessions, namesOf, audit }),
      applications({ grants: createAccountGrants(store.artifacts), namesOf, audit }),
      activity({ events: store.auditEvents, namesOf }),
    ],
  });
}
