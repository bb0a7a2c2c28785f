// The composition root: builds every part from what it needs and stacks the middleware. Read from top to bottom.
import { createSecretKey } from 'node:crypto';
import Koa from 'koa';
import Router from 'koa-router';
import type { Configuration, Provider } from 'oidc-provider';
import type { Logger } from 'pino';
import { createProviderAdapter } from '../adapters/provider-adapter.ts';
import { createRequestUnits } from '../adapters/request-units.ts';
import { createFormTokens } from '../interactions/interaction.ts';
import { createInteractionRouter } from '../interactions/router.ts';
import { createAccountDirectory } from './accounts/directory.ts';
import { createPasswordHasher } from './accounts/passwords.ts';
import { authenticateClient, type ClientCredentials } from './clients/authentication.ts';
import { browserUiClient } from './clients/browser-ui.ts';
import { createClientFailures } from './clients/failures.ts';
import { providerMetadata } from './clients/metadata.ts';
import { createClientRegistry } from './clients/registration.ts';
import { createSecretUses } from './clients/secret-uses.ts';
import { isLoopback } from './config/issuer.ts';
import type { Config } from './config.ts';
import { createDefaultHeaders } from './http/default-headers.ts';
import { createDebugEnv, createTestToken } from './http/development-endpoints.ts';
import { createConnectionErrorLog, createErrorHandler } from './http/errors.ts';
import { createReadiness, ping } from './http/health.ts';
import { createHome } from './http/home.ts';
import { createNotFound } from './http/not-found.ts';
import { createPageResponses } from './http/page-responses.ts';
import { createPages } from './http/pages.ts';
import { createProtocolRequests } from './http/protocol-requests.ts';
import { createPublishedDocuments } from './http/published-documents.ts';
import { createRequestGate } from './http/request-gate.ts';
import { createRequestLog } from './http/request-log.ts';
import { createRevocationsEndpoint } from './http/revocations-endpoint.ts';
import { createServiceTokenEndpoint } from './http/service-token-endpoint.ts';
import { createUnitOfWorkMiddleware } from './http/unit-of-work.ts';
import { createVerifyEndpoint } from './http/verify-endpoint.ts';
import { createJwksFetchRecorder } from './keys/jwks-fetches.ts';
import { openLiveKeyring, type WatchedKeys } from './keys/signing-keys.ts';
import { createAuditTrail } from './logging/audit-trail.ts';
import { createAuditLog, createEventFactory } from './logging/events.ts';
import { createDocumentFetcher, createDocumentFetcherBy } from './outbound/documents.ts';
import { createIssuerKeys } from './outbound/issuer-keys.ts';
import { createAccessTokenCustomizer } from './provider/access-tokens.ts';
import { createFindAccount } from './provider/accounts.ts';
import { auditProvider, auditReplay } from './provider/audit.ts';
import { createClientAssertions } from './provider/client-assertions.ts';
import { createClientRefusal, createClientRefusalLimit } from './provider/client-refusals.ts';
import { isProviderPath } from './provider/configuration.ts';
import { createLastAnswer } from './provider/last-answer.ts';
import { createLiveProvider } from './provider/live-provider.ts';
import { createLostSignIns } from './provider/lost-sign-ins.ts';
import { createProviderPages } from './provider/pages.ts';
import type { ProviderOptions } from './provider/provider.ts';
import { createResourceIndicators } from './provider/resource-indicators.ts';
import { createSealedRequests } from './provider/sealed-requests.ts';
import { translateStorageError, withTranslatedErrors } from './provider/storage-errors.ts';
import { createStructuredTokens } from './provider/structured-tokens.ts';
import { addTokenExchange } from './provider/token-exchange.ts';
import { createVouchers } from './provider/vouchers.ts';
import { createWorkloadVerifier } from './provider/workload-identity.ts';
import { loggingResourceServer } from './resource-servers/logging.ts';
import { createResourceServerRegistry } from './resource-servers/registry.ts';
import { AlreadyConsumed, type Clock, type Store } from './store.ts';
import { createIntrospection } from './tokens/introspection.ts';
import { createAccessTokenMemory, createRevocation } from './tokens/revocation.ts';
import { createRevocationFeed } from './tokens/revocation-feed.ts';
import { createServiceTokens, type ServiceToken } from './tokens/service-token.ts';
import { createVerifier } from './tokens/verification.ts';

/** One spelling per path: what stands before a router decides by the path too. */
const EXACT = { sensitive: true, strict: true };

/** The running service, without its socket. */
export interface App {
  koa: Koa;
  /** the provider in use */
  provider(): Provider;
  /** to be watched while the service runs */
  keys: WatchedKeys;
  /** `/ready` answers 503 from now on */
  startDraining(): void;
  /** the JWT with which this service writes to the central log service */
  logServiceToken(): Promise<ServiceToken>;
  /** Writes what is queued for the audit trail; to be called after the last request, before the store is closed. */
  end(): Promise<void>;
}

/** What the service is made from. */
export interface AppOptions {
  config: Config;
  /** migrated */
  store: Store;
  logger: Logger;
  clock: Clock;
  /** calls clients (jwks_uri, back-channel logout); absent, private and loopback addresses are out of reach */
  fetch?: NonNullable<Configuration['fetch']>;
}

export async function createApp(options: AppOptions): Promise<App> {
  const { config, store, logger, clock } = options;
  const { issuer, sharedSecretIssuer } = config;
  const prefix = new URL(issuer).pathname.replace(/\/$/, '');
  const newEvent = createEventFactory(clock);
  const trail = createAuditTrail({
    append: store.auditEvents.append,
    lossOf: (count) => newEvent('eventsLost', { count }),
    logger,
  });
  const audit = createAuditLog(logger, { record: (event, facts) => trail.record(newEvent(event, facts)) });

  const units = createRequestUnits(store.artifacts, clock);

  // who there is
  const accounts = createAccountDirectory({ accounts: store.accounts, passwords: createPasswordHasher(), clock });
  const clients = createClientRegistry({
    clients: { ...store.clients, find: units.remember(store.clients.find) },
    builtIn: config.browserUi ? [browserUiClient(config.browserUi, config.loggingBackendAud)] : [],
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
  const vouchers = createVouchers();

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

  // the provider
  const pages = createPageResponses(createPages({ installationName: new URL(issuer).host }));
  const sealedRequests = createSealedRequests({ encryptionKeys: config.encryptionKeys, clock });
  const lastAnswer = createLastAnswer(issuer);
  const lostSignIns = createLostSignIns({
    requests: sealedRequests,
    lastAnswer,
    provider: () => providers.current(),
    pages,
    issuer,
    clock,
  });
  const providerOptions: ProviderOptions = {
    issuer,
    cookieSecrets: config.cookieSecrets,
    accessTokenLifetime: config.accessTokenLifetime,
    clockSkew: config.clockSkew,
    features: config.features,
    jwks: keyring.privateJwks,
    adapter: createProviderAdapter({
      artifacts: units.artifacts,
      findClient: async (clientId) => {
        const client = await clients.find(clientId);
        return client && providerMetadata(client, config.features);
      },
      translate: translateStorageError,
    }),
    findAccount: createFindAccount(withTranslatedErrors(accounts.find)),
    resourceIndicators: createResourceIndicators({
      findClient: withTranslatedErrors(clients.find),
      findResourceServer: withTranslatedErrors(resourceServers.find),
      sharedSecret: createSecretKey(sharedSecret, 'utf8'),
      accessTokenLifetime: config.accessTokenLifetime,
    }),
    customizeAccessToken: createAccessTokenCustomizer(
      { issuer, sharedSecretIssuer },
      createAccessTokenMemory(units.artifacts, clock),
    ),
    pages: createProviderPages(pages, lostSignIns),
    interactionQuery: sealedRequests.queryFor,
    ...(options.fetch && { fetch: options.fetch }),
    clientAuthentication: {
      matchesClientSecret: withTranslatedErrors(
        async (clientId, clientSecret, method) =>
          (await authenticate({ clientId, clientSecret, method })) !== undefined,
      ),
      vouchers,
    },
  };
  const providers = createLiveProvider(providerOptions, (provider) => {
    auditProvider(provider, { audit, logger, afterCommit: units.afterCommit });
    lastAnswer.watch(provider);
    if (config.features.has('token-exchange')) {
      addTokenExchange(provider, {
        inspect: verifier.inspect,
        findClient: clients.find,
        findResourceServer: resourceServers.find,
        findAccount: providerOptions.findAccount,
        resourceServerInfo: providerOptions.resourceIndicators.getResourceServerInfo,
        artifacts: units.artifacts,
        clock,
      });
    }
  });

  // our own endpoints
  let draining = false;
  const own = new Router(EXACT);
  own.get('/', createHome({ issuer, pages }));
  own.get('/ping', ping);
  own.get(
    '/ready',
    createReadiness({
      checks: {
        store: () => store.probe(),
        keys: () => signAndVerify(issueFor, verifier, config),
      },
      isDraining: () => draining,
      onFailure: (part, error) => logger.error({ err: error, part }, 'not ready'),
    }),
  );
  own.post('/verify', createVerifyEndpoint(verifier.verify));
  own.get(
    '/revocations',
    createRevocationsEndpoint(
      createRevocationFeed({
        revokedTokens: store.revokedTokens,
        signingKey: () => keyring.signingKey('ES256'),
        issuer,
        clock,
      }),
    ),
  );
  if (hasDevelopmentEndpoints(config)) {
    own.get(
      '/test-token',
      createTestToken({ audience: config.loggingBackendAud, subject: config.identitySub, issue: issueFor }),
    );
    own.get(
      '/debug-env',
      createDebugEnv({ issuer, sharedSecretIssuer, audience: config.loggingBackendAud, jwtSecrets: config.jwtSecrets }),
    );
  }
  const interactions = createInteractionRouter({
    provider: providers.current,
    accounts,
    pages,
    tokens: createFormTokens(config.cookieSecrets as [string, ...string[]]),
    lostSignIns,
    audit,
    issuer,
  });
  const issuerKeys = createIssuerKeys({
    fetchDocument: options.fetch ? createDocumentFetcherBy(options.fetch) : createDocumentFetcher(),
    clock,
  });
  const authenticateAssertion = createClientAssertions({
    findClient: clients.find,
    verifyWorkload: createWorkloadVerifier({ keys: issuerKeys, issuer, clockSkew: config.clockSkew, clock }),
    recordUse,
    artifacts: units.artifacts,
    vouchers,
    refuseClient,
    audit,
    issuer,
    clockSkew: config.clockSkew,
    clock,
  });
  const serviceToken = createServiceTokenEndpoint({
    authenticate,
    refuseClient,
    findResourceServer: resourceServers.find,
    issue: serviceTokens.issue,
    allowUnauthenticated: config.allowUnauthenticatedTokens,
    audit,
  });
  const structuredTokens = createStructuredTokens({
    authenticate,
    introspect: createIntrospection({ inspect: verifier.inspect, findClient: clients.find }),
    revoke: createRevocation({ inspect: verifier.inspect, artifacts: units.artifacts }),
    audit,
    afterCommit: units.afterCommit,
  });

  // from the outside in
  const koa = new Koa();
  koa.proxy = true; // forwarded headers are rewritten by the request gate
  koa.keys = [...config.cookieSecrets];
  koa.on('error', createConnectionErrorLog(logger));
  koa.use(createRequestLog(logger));
  koa.use(createDefaultHeaders(issuer));
  koa.use(createErrorHandler({ logger, pages }));
  koa.use(createRequestGate({ issuer, trustedProxies: config.trustedProxies, logger }));
  koa.use(
    createUnitOfWorkMiddleware({
      run: units.run,
      translate(error, ctx) {
        if (error instanceof AlreadyConsumed) auditReplay(audit, ctx, error);
        return translateStorageError(error);
      },
    }),
  );
  koa.use(createNotFound(pages));
  koa.use(own.routes());
  koa.use(interactions.routes());
  koa.use(createClientRefusalLimit(refuseClient));
  koa.use(createProtocolRequests({ prefix, authenticateAssertion, serviceToken, shortCut: structuredTokens.shortCut }));
  koa.use(structuredTokens.aroundLibrary);
  koa.use(createPublishedDocuments(jwksFetches.note));
  koa.use((ctx, next) => (isProviderPath(ctx.path) ? providers.dispatch(ctx, next) : next()));

  return {
    koa,
    provider: providers.current,
    keys: {
      isDue: keyring.isDue,
      async refresh() {
        if (!(await keyring.refresh(({ privateJwks }) => providers.replaceKeys(privateJwks)))) return;
        logger.info({ published: keyring.publicJwks.keys.map(({ kid }) => kid) }, 'signing keys changed');
      },
      writeFetches: jwksFetches.write,
      noteRotation({ published, forgotten }) {
        for (const { kid, alg } of published) audit.signingKeyPublished({ reason: `${alg} ${kid}` });
        for (const kid of forgotten) audit.signingKeyForgotten({ reason: kid });
      },
    },
    startDraining() {
      draining = true;
    },
    async logServiceToken() {
      const token = await issueFor(config.identitySub, config.loggingBackendAud);
      if (token === undefined) throw new Error(`no resource server ${config.loggingBackendAud}`);
      return token;
    },
    async end() {
      await trail[Symbol.asyncDispose]();
    },
  };
}

/** In development, and even then not where an https issuer says that strangers may come by. */
function hasDevelopmentEndpoints({ mode, issuer }: Config): boolean {
  const { protocol, hostname } = new URL(issuer);
  return mode === 'development' && (protocol === 'http:' || isLoopback(hostname));
}

/** Readiness of the keys: a token that is signed now verifies now. */
async function signAndVerify(
  issueFor: (clientId: string, audience: string) => Promise<ServiceToken | undefined>,
  verifier: ReturnType<typeof createVerifier>,
  { identitySub, loggingBackendAud }: Config,
): Promise<void> {
  const issued = await issueFor(identitySub, loggingBackendAud);
  const verification = issued && (await verifier.verify(issued.token, loggingBackendAud));
  if (!verification?.valid) throw new Error(`a fresh token does not verify: ${JSON.stringify(verification)}`);
}
