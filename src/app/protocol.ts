// The provider and what stands around it: sign-in, client assertions, service tokens, JWTs at the library's endpoints.
import { createSecretKey } from 'node:crypto';
import { createProviderAdapter } from '../../adapters/provider-adapter.ts';
import { createResumptions } from '../../interactions/resumption.ts';
import { createInteractionRouter } from '../../interactions/router.ts';
import { createSignInLimit } from '../../interactions/sign-in-limit.ts';
import { providerMetadata } from '../clients/metadata.ts';
import { createClientCredentialsForm } from '../http/client-credentials-form.ts';
import { defaultHeaders } from '../http/default-headers.ts';
import { createFormTokens } from '../http/form-guard.ts';
import { createFormScript } from '../http/form-script.ts';
import { createPageResponses } from '../http/page-responses.ts';
import { createPages } from '../http/pages.ts';
import { createPasskeyScript } from '../http/passkey-script.ts';
import { createServiceTokenEndpoint } from '../http/service-token-endpoint.ts';
import { createStylesheet } from '../http/stylesheet.ts';
import { createDocumentFetcher, createDocumentFetcherBy } from '../outbound/documents.ts';
import { createIssuerKeys } from '../outbound/issuer-keys.ts';
import { createAccessTokenCustomizer } from '../provider/access-tokens.ts';
import { createFindAccount } from '../provider/accounts.ts';
import { auditProvider } from '../provider/audit.ts';
import { createClientAssertions } from '../provider/client-assertions.ts';
import { createKnownDevices } from '../provider/known-devices.ts';
import { createLastAnswer } from '../provider/last-answer.ts';
import { createLiveProvider } from '../provider/live-provider.ts';
import { createLostSignIns } from '../provider/lost-sign-ins.ts';
import { createProviderPages } from '../provider/pages.ts';
import type { ProviderOptions } from '../provider/provider.ts';
import { createReplays } from '../provider/replays.ts';
import { createResourceIndicators } from '../provider/resource-indicators.ts';
import { createSealedRequests } from '../provider/sealed-requests.ts';
import { translateStorageError, withTranslatedErrors } from '../provider/storage-errors.ts';
import { createStructuredTokens } from '../provider/structured-tokens.ts';
import { addTokenExchange } from '../provider/token-exchange.ts';
import { createVouchers } from '../provider/vouchers.ts';
import { createWorkloadVerifier } from '../provider/workload-identity.ts';
import { createIntrospection } from '../tokens/introspection.ts';
import { createAccessTokenMemory, createRevocation } from '../tokens/revocation.ts';
import { createUpstreamAccounts } from '../upstream/accounts.ts';
import { createPendingSignIns } from '../upstream/sign-ins.ts';
import { createUpstreams, type UpstreamParts } from '../upstream/upstreams.ts';
import type { AppOptions, Domain } from './domain.ts';

/** Everything that speaks OAuth and OpenID Connect. */
export type Protocol = ReturnType<typeof createProtocol>;

export function createProtocol(options: AppOptions, domain: Domain) {
  const { config, store, logger, clock } = options;
  const { issuer, sharedSecretIssuer } = config;
  const { accounts, audit, authenticate, clients, keyring, recordUse, refuseClient, resourceServers } = domain;
  const { serviceTokens, sharedSecret, units, verifier } = domain;

  // the pages, and sign-ins that got lost
  const stylesheet = createStylesheet(issuer, config.installation.color);
  const formScript = createFormScript(issuer);
  const pages = createPageResponses(createPages(config.installation, { stylesheet, formScript }), issuer);
  const passkeyScript = createPasskeyScript(issuer);
  const sealedRequests = createSealedRequests({ encryptionKeys: config.encryptionKeys, clock });
  const lastAnswer = createLastAnswer({ issuer, clock });
  const lostSignIns = createLostSignIns({
    requests: sealedRequests,
    lastAnswer,
    provider: () => providers.current(),
    pages,
    issuer,
    clock,
  });

  // the provider
  const vouchers = createVouchers();
  const replays = createReplays({ artifacts: units.artifacts, clock });
  const providerOptions: ProviderOptions = {
    issuer,
    cookieSecrets: config.cookieSecrets,
    accessTokenLifetime: config.accessTokenLifetime,
    clockSkew: config.clockSkew,
    sessionLifetimes: config.session,
    features: config.features,
    clock,
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
    interactionPolicy: {
      enrolledOf: withTranslatedErrors(domain.secondFactors.enrolledOf),
      passkeysAreOffered: domain.passkeys.isOffered,
    },
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
    replays,
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

  // other providers
  const upstreams: UpstreamParts = {
    byId: createUpstreams(config.upstreams, options.fetch),
    pending: createPendingSignIns(store.artifacts, clock),
    accounts: createUpstreamAccounts({
      linkedIdentities: store.linkedIdentities,
      accounts,
      linkByEmail: config.linkByEmail,
      allowSignUp: config.allowSignUp,
      clock,
    }),
  };

  // around it
  const knownDevices = createKnownDevices({ issuer, secrets: config.cookieSecrets });
  const signInLimit = createSignInLimit({
    accounts,
    pages,
    knownDevices,
    issuer,
    trustedProxies: config.trustedProxies,
    headers: defaultHeaders(issuer),
    logger,
  });
  const interactions = createInteractionRouter({
    provider: providers.current,
    accounts,
    secondFactors: domain.secondFactors,
    passkeys: domain.passkeys,
    passkeyScript,
    pages,
    guesses: domain.guesses,
    knownDevices,
    tokens: createFormTokens(config.cookieSecrets as [string, ...string[]]),
    lostSignIns,
    upstreams,
    letterPages: {
      resumptions: createResumptions(issuer),
      resetPassword: domain.mail.mailer.isConfigured,
      signUp: domain.mail.allowSignUp,
    },
    notices: domain.mail.notices,
    audit,
    issuer,
    installation: config.installation.name,
    clock,
  });
  const issuerKeys = createIssuerKeys({
    fetchDocument: options.fetch ? createDocumentFetcherBy(options.fetch) : createDocumentFetcher(),
    clock,
  });
  const authenticateAssertion = createClientAssertions({
    findClient: clients.find,
    verifyWorkload: createWorkloadVerifier({ keys: issuerKeys, issuer, clockSkew: config.clockSkew, clock }),
    recordUse,
    replays,
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
  const answerClientCredentials = createClientCredentialsForm({
    authenticate,
    findResourceServer: resourceServers.find,
    issue: serviceTokens.issue,
    audit,
  });

  return {
    answerClientCredentials,
    authenticateAssertion,
    interactions,
    signInLimit,
    pages,
    passkeyScript,
    formScript,
    providers,
    replays,
    serviceToken,
    structuredTokens,
    stylesheet,
    upstreams,
  };
}
