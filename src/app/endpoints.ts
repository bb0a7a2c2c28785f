// The endpoints that are neither the library's nor sign-in: home, health, verification, the feed, development.
import Router from 'koa-router';
import { isLoopback } from '../config/issuer.ts';
import type { Config } from '../config.ts';
import { createDebugEnv, createTestToken } from '../http/development-endpoints.ts';
import { createReadiness, ping } from '../http/health.ts';
import { createHome } from '../http/home.ts';
import type { KeptFile } from '../http/kept-files.ts';
import type { PageResponses } from '../http/page-responses.ts';
import { createRevocationsEndpoint } from '../http/revocations-endpoint.ts';
import { createVerifyEndpoint } from '../http/verify-endpoint.ts';
import { createRevocationFeed } from '../tokens/revocation-feed.ts';
import type { ServiceToken } from '../tokens/service-token.ts';
import type { createVerifier } from '../tokens/verification.ts';
import type { AppOptions, Domain } from './domain.ts';

/** One spelling per path: what stands before a router decides by the path too. */
const EXACT = { sensitive: true, strict: true };

export function createEndpoints(
  { config, store, logger, clock }: AppOptions,
  { keyring, issueFor, verifier }: Domain,
  { pages, keptFiles, isDraining }: { pages: PageResponses; keptFiles: readonly KeptFile[]; isDraining: () => boolean },
): Router {
  const { issuer, sharedSecretIssuer } = config;
  const own = new Router(EXACT);
  own.get('/', createHome({ issuer, pages }));
  own.get('/ping', ping);
  for (const { route, serve } of keptFiles) own.get(route, serve);
  own.get(
    '/ready',
    createReadiness({
      checks: {
        store: () => store.probe(),
        keys: () => signAndVerify(issueFor, verifier, config),
      },
      isDraining,
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
  return own;
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
