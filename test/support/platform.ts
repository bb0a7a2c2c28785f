// The platform of the specification on free ports: the identity service in development, and the logging back end beside it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLoggingBackend } from '../../examples/logging-backend/server.ts';
import { type Service, startService } from './service.ts';

/** What the specification calls `https://…/identity-backend` and `https://…/logging-backend`. */
export interface Platform extends AsyncDisposable {
  readonly service: Service;
  readonly identity: string;
  readonly logging: string;
}

/** @param env on top of a development environment that gives tokens without credentials, as the old service did */
export async function startPlatform(env: Record<string, string> = {}): Promise<Platform> {
  await using opening = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'identity-spec-'));
  opening.defer(() => rmSync(folder, { recursive: true }));
  const service = opening.use(
    await startService({ NODE_ENV: 'development', ALLOW_UNAUTHENTICATED_TOKENS: 'true', ...env }),
  );
  const logging = await startLoggingBackend({
    audience: service.config.loggingBackendAud,
    shared: { secrets: service.config.jwtSecrets, issuer: service.config.sharedSecretIssuer },
    provider: { issuer: service.issuer },
    databasePath: join(folder, 'logs.db'),
    development: true,
    host: '127.0.0.1',
    port: 0,
  });
  opening.defer(() => logging.close());
  const opened = opening.move();
  return {
    service,
    identity: service.issuer,
    logging: logging.url,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
