// The composition root: the parts, and the middleware that requests go through. Read from top to bottom.
import Koa from 'koa';
import type { Provider } from 'oidc-provider';
import { createAccountRoutes } from './app/account-page.ts';
import { type AppOptions, createDomain } from './app/domain.ts';
import { createEndpoints } from './app/endpoints.ts';
import { createLetterRoutes } from './app/letters.ts';
import { createProtocol } from './app/protocol.ts';
import { hashConfig } from './config/hash.ts';
import type { Handle } from './http/arrivals.ts';
import { createDefaultHeaders, defaultHeaders } from './http/default-headers.ts';
import { createConnectionErrorLog, createErrorHandler } from './http/errors.ts';
import { createFormPosts } from './http/form-posts.ts';
import { issuerPath } from './http/issuer-path.ts';
import { createNotFound } from './http/not-found.ts';
import { createPlainTokenRequests } from './http/plain-token-requests.ts';
import { createProtocolRequests } from './http/protocol-requests.ts';
import { createPublishedDocuments } from './http/published-documents.ts';
import { createRequestGate } from './http/request-gate.ts';
import { createRequestLog } from './http/request-log.ts';
import { routesOf } from './http/routes.ts';
import { createUnitOfWorkMiddleware } from './http/unit-of-work.ts';
import type { WatchedKeys } from './keys/signing-keys.ts';
import { auditReplay } from './provider/audit.ts';
import { createClientRefusalLimit } from './provider/client-refusals.ts';
import { isProviderPath, MISSING_FEATURES } from './provider/configuration.ts';
import { createCookieKeys } from './provider/cookie-keys.ts';
import { translateStorageError } from './provider/storage-errors.ts';
import { AlreadyConsumed } from './store.ts';
import type { ServiceToken } from './tokens/service-token.ts';

/** The running service, without its socket. */
export interface App {
  /** answers one request */
  handle: Handle;
  /** the provider in use */
  provider(): Provider;
  /** to be watched while the service runs */
  keys: WatchedKeys;
  /** Records that it serves, and with which settings (by their hash), and prepares for busy times. */
  noteStart(): void;
  /** `/ready` answers 503 from now on */
  startDraining(): void;
  /** the JWT with which this service writes to the central log service */
  logServiceToken(): Promise<ServiceToken>;
  /** Sends letters and writes what is queued for the audit trail; after the last request, before the store is closed. */
  end(): Promise<void>;
}

/**
 * How long letters may take once `/ready` says 503: they leave beside the last requests, and then in the time that those
 * have left. Without such a beginning, a moment.
 */
const LETTERS_MS = 8_000;
const ALONE_MS = 2_000;

export async function createApp(options: AppOptions): Promise<App> {
  const { config, logger } = options;
  const { issuer } = config;
  let draining = false;
  let lettersUntil: number | undefined;

  const domain = await createDomain(options);
  const { audit, issueFor, jwksFetches, keyring, mail, refuseClient, trail, units } = domain;
  const protocol = createProtocol(options, domain);
  const {
    answerClientCredentials,
    authenticateAssertion,
    formScript,
    interactions,
    pages,
    passkeyScript,
    providers,
    replays,
    serviceToken,
    signInLimit,
    structuredTokens,
    stylesheet,
  } = protocol;
  const missing = MISSING_FEATURES.filter((feature) => config.features.has(feature));
  if (missing.length > 0) logger.warn({ features: missing }, 'OIDC_FEATURES names what this version does not have yet');
  const keptFiles = [stylesheet, formScript, passkeyScript];
  const own = createEndpoints(options, domain, { pages, keptFiles, isDraining: () => draining });

  const account = createAccountRoutes(options, domain, protocol, (request, response) => handle(request, response));
  const letters = createLetterRoutes(options, domain, protocol);

  // from the outside in
  const headers = defaultHeaders(issuer);
  const koa = new Koa();
  koa.proxy = true; // forwarded headers are rewritten by the request gate
  koa.keys = createCookieKeys(config.cookieSecrets);
  koa.on('error', createConnectionErrorLog(logger));
  koa.use(createRequestLog(logger));
  koa.use(createDefaultHeaders(headers));
  koa.use(createErrorHandler({ logger, pages }));
  koa.use(createRequestGate({ issuer, trustedProxies: config.trustedProxies, logger }));
  koa.use(signInLimit.middleware);
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
  koa.use(routesOf(own, interactions, account, letters));
  koa.use(createClientRefusalLimit(refuseClient, replays.isReplay));
  koa.use(
    createProtocolRequests({
      prefix: issuerPath(issuer),
      authenticateAssertion,
      serviceToken,
      shortCut: structuredTokens.shortCut,
    }),
  );
  koa.use(structuredTokens.aroundLibrary);
  koa.use(createFormPosts(pages));
  koa.use(createPublishedDocuments(jwksFetches.note));
  koa.use((ctx, next) => (isProviderPath(ctx.path) ? providers.dispatch(ctx, next) : next()));

  // before all of that
  const handle = signInLimit.before(koa.callback());
  const plainTokenRequests = createPlainTokenRequests(
    { issuer, trustedProxies: config.trustedProxies, headers, answer: answerClientCredentials, logger },
    handle,
  );

  return {
    handle: plainTokenRequests,
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
    noteStart() {
      audit.started({ configHash: hashConfig(config) });
      signInLimit.prepare();
    },
    startDraining() {
      draining = true;
      lettersUntil = performance.now() + LETTERS_MS;
    },
    async logServiceToken() {
      const token = await issueFor(config.identitySub, config.loggingBackendAud);
      if (token === undefined) throw new Error(`no resource server ${config.loggingBackendAud}`);
      return token;
    },
    async end() {
      const now = performance.now();
      await mail.mailer.drain(Math.max((lettersUntil ?? now + ALONE_MS) - now, 0));
      await trail[Symbol.asyncDispose]();
    },
  };
}
