// The service at an address that outlives it: it can end and start again, with other secrets, while a browser looks on.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newSecret, type Service, startService } from './service.ts';

export interface RestartingService extends AsyncDisposable {
  readonly issuer: string;
  current(): Service;
  /** Ends the service, and starts it anew on the same database. @param env changes that last */
  restart(env?: Record<string, string>): Promise<void>;
  /** whether answers arrive without their cookies, as with a browser that takes none */
  losesCookies: boolean;
}

export async function startRestartingService(env: Record<string, string>): Promise<RestartingService> {
  await using opening = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'identity-restarts-'));
  opening.defer(() => rmSync(folder, { recursive: true, force: true }));
  const front = createServer((request, response) => {
    if (restarting.losesCookies) {
      const { setHeader } = response;
      response.setHeader = (name, value) =>
        /^set-cookie$/i.test(name) ? response : setHeader.call(response, name, value);
    }
    void service.app.handle(request, response);
  });
  const issuer = await listen(front);
  opening.defer(() => front.closeAllConnections());
  opening.defer(() => void front.close());
  let variables = {
    PUBLIC_URL: issuer,
    DATABASE_URL: `sqlite:${join(folder, 'identity.db')}`,
    COOKIE_SECRET: newSecret(),
    ENCRYPTION_KEY: newSecret(),
    ...env,
  };
  let service = await startService(variables);
  opening.defer(() => service[Symbol.asyncDispose]());
  const opened = opening.move();
  const restarting: RestartingService = {
    issuer,
    losesCookies: false,
    current: () => service,
    async restart(changes = {}) {
      await service[Symbol.asyncDispose]();
      variables = { ...variables, ...changes };
      service = await startService(variables);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return restarting;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
