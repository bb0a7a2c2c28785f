// The pages around letters, built from what they need.
import type Router from 'koa-router';
import { createLetterRouter } from '../../interactions/letter-router.ts';
import { createResumptions } from '../../interactions/resumption.ts';
import { createFormTokens } from '../http/form-guard.ts';
import { createAccountSessions } from '../provider/account-sessions.ts';
import { createBackChannelLogout } from '../provider/back-channel-logout.ts';
import type { AppOptions, Domain } from './domain.ts';
import type { Protocol } from './protocol.ts';

export function createLetterRoutes(
  { config, store, logger }: AppOptions,
  { accounts, audit, mail, passwordRules, secondFactors }: Domain,
  { pages, providers }: Protocol,
): Router {
  const { issuer } = config;
  return createLetterRouter({
    ...mail,
    accounts,
    passwordRules,
    secondFactors,
    sessions: createAccountSessions({
      artifacts: store.artifacts,
      onEnd: createBackChannelLogout({ provider: providers.current, logger }),
    }),
    resumptions: createResumptions(issuer),
    pages,
    tokens: createFormTokens(config.cookieSecrets as [string, ...string[]]),
    audit,
    issuer,
  });
}
