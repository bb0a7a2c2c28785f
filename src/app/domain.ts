// What the service knows and can do, apart from the protocol and HTTP: each part built from what it needs.
import type { Configuration } from 'oidc-provider';
import type { Logger } from 'pino';
import { createRequestUnits } from '../../adapters/request-units.ts';
import { createAccountDirectory } from '../accounts/directory.ts';
import { createGuesses } from '../accounts/guesses.ts';
import { createPasskeyChallenges } from '../accounts/passkey-challenges.ts';
import { createPasskeyCeremonies } from '../accounts/passkeys.ts';
import { createPasswordRules } from '../accounts/password-rules.ts';
import { createPasswordHasher } from '../accounts/passwords.ts';
import { createSecondFactorDirectory } from '../accounts/second-factors.ts';
import { accountPageClient } from '../clients/account-page.ts';
import { authenticateClient, type ClientCredentials } from '../clients/authentication.ts';
import { browserUiClient } from '../clients/browser-ui.ts';
import { createClientFailures } from '../clients/failures.ts';
import { createClientRegistry } from '../clients/registration.ts';
import { createSecretUses } from '../clients/secret-uses.ts';
import type { Config } from '../config.ts';
import { createJwksFetchRecorder } from '../keys/jwks-fetches.ts';
import { openLiveKeyring } from '../keys/signing-keys.ts';
import { createAuditTrail } from '../logging/audit-trail.ts';
import { cleanFacts, createAuditLog, createEventFactory } from '../logging/events.ts';
import { createClientRefusal } from '../provider/client-refusals.ts';
import { loggingResourceServer } from '../resource-servers/logging.ts';
import { createResourceServerRegistry } from '../resource-servers/registry.ts';
import type { Clock, Store } from '../store.ts';
import { createServiceTokens, type ServiceToken } from '../tokens/service-token.ts';
import { createVerifier } from '../tokens/verification.ts';
import { createMail } from './mail.ts';

/** What the service is made from. */
export interface AppOptions {
  config: Config;
  /** migrated */
  store: Store;
  logger: Logger;
  clock: Clock;
  /** calls clients (jwks_uri, back-channel logout); absent, private and loopback addresses are out of reach */
  fetch?: NonNullable<Configuration['fetch']>;
  /** prints letters in development, where no mail server is configured */
  letterOutput?: { write(text: string): unknown };
}

/** The parts below the provider, in the order in which they need each other. */
export type Domain = Awaited<ReturnType<typeof createDomain>>;

export async function createDomain(options: AppOptions) {
  const { config, store, logger, clock } = options;
  const { issuer, sharedSecretIssuer } = config;

  // what happened
  const newEvent = createEventFactory(clock);
  const trail = createAuditTrail({
    append: store.auditEvents.append,
    lossOf: (count) => newEvent('eventsLost', cleanFacts({ count })),
    logger,
  });
  const audit = createAuditLog(logger, { record: (event, facts) => trail.record(newEvent(event, facts)) });

  const units = createRequestUnits(store.artifacts, clock);

  // who there is
  const [encryptionKey] = config.encryptionKeys as [string];
  const guesses = createGuesses({ rateLimits: store.rateLimits, encryptionKey, clock });
  const accounts = createAccountDirectory({
    accounts: store.accounts,
    passwords: createPasswordHasher(),
    clock,
    forgive: guesses.forgive,
  });
  const secondFactors = createSecondFactorDirectory({
    secondFactors: store.secondFactors,
    passkeys: store.passkeys,
    artifacts: store.artifacts,
    clock,
  });
  const passkeys = createPasskeyCeremonies({
    passkeys: store.passkeys,
    accounts,
    challenges: createPasskeyChallenges({
      secrets: config.cookieSecrets as [string, ...string[]],
      artifacts: store.artifacts,
      clock,
    }),
    issuer,
    name: config.installation.name,
    clock,
  });
  const clients = createClientRegistry({
    clients: { ...store.clients, find: units.remember(store.clients.find) },
    builtIn: [
      accountPageClient(issuer, config.installation.name),
      ...(config.browserUi ? [browserUiClient(config.browserUi, config.loggingBackendAud)] : []),
    ],
    clock,
  });
  const resourceServers = createResourceServerRegistry({
    resourceServers: { ...store.resourceServers, find: units.remember(store.resourceServers.find) },
    builtIn: [loggingResourceServer(config.loggingBackendAud)],
    clock,
  });

  // how clients prove who they are
  const recordUse = createSecretUses({ uses: store.clientUses, clock });
  const authenticate = async (credentials: ClientCredentials) => {
    const authenticated = await authenticateClient(clients.find, credentials, clock());
    if (authenticated) recordUse(authenticated.client.clientId, authenticated.secret.name);
    return authenticated?.client;
  };
  const refuseClient = createClientRefusal(createClientFailures({ uses: store.clientUses, clock }));

  // what they are given, and how it is checked
  const keyring = await openLiveKeyring({ keys: store.keys, clock });
  const jwksFetches = createJwksFetchRecorder(store.jwksFetches, clock);
  const [sharedSecret] = config.jwtSecrets as [string];
  const serviceTokens = createServiceTokens({
    keyring,
    sharedSecret,
    issuer,
    sharedSecretIssuer,
    defaultLifetime: config.accessTokenLifetime,
    clock,
  });
  const verifier = createVerifier({
    keyring,
    sharedSecrets: config.jwtSecrets,
    issuer,
    sharedSecretIssuer,
    clockSkew: config.clockSkew,
    clock,
    findResourceServer: resourceServers.find,
    isRevoked: store.revokedTokens.has,
  });
  const issueFor = async (clientId: string, audience: string): Promise<ServiceToken | undefined> => {
    const resourceServer = await resourceServers.find(audience);
    return resourceServer && serviceTokens.issue({ clientId, resourceServer, scope: resourceServer.scope });
  };

  return {
    trail,
    audit,
    units,
    accounts,
    secondFactors,
    passkeys,
    guesses,
    mail: createMail(options, accounts.find),
    passwordRules: createPasswordRules({ words: [config.installation.name, new URL(issuer).host] }),
    clients,
    resourceServers,
    recordUse,
    authenticate,
    refuseClient,
    keyring,
    jwksFetches,
    sharedSecret,
    serviceTokens,
    verifier,
    issueFor,
  };
}
