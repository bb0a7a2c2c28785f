// The whole service over an engine that can be made to fail, listening on a free port.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createStore, type DatabaseLocation, openEngine } from '../../../adapters/open-store.ts';
import { createApp } from '../../../src/app.ts';
import { parseConfig } from '../../../src/config.ts';
import { createSecretBox } from '../../../src/keys/secret-box.ts';
import { createLogger } from '../../../src/logging/logger.ts';
import type { Env } from '../../support/process.ts';
import { createFaultyEngine, type FaultyEngine } from './faulty-engine.ts';

export interface FaultyService extends AsyncDisposable {
  readonly origin: string;
  readonly faulty: FaultyEngine;
  /** Resolves when every request that has come in was dealt with, whether or not its client still listens. */
  settled(): Promise<unknown>;
}

export async function startFaultyService(location: DatabaseLocation, env: Env): Promise<FaultyService> {
  const config = parseConfig(env);
  const clock = () => Math.floor(Date.now() / 1000);
  const faulty = createFaultyEngine(await openEngine(location));
  const box = createSecretBox(config.encryptionKeys);
  const store = createStore(faulty.engine, { database: location, clock, box });
  const logger = createLogger({ level: 'silent', destination: { write: () => undefined } });
  const app = await createApp({ config, store, logger, clock });
  const handle = app.handle;
  const requests = new Set<Promise<unknown>>();
  const server = createServer((request, response) => {
    const dealtWith = handle(request, response).finally(() => requests.delete(dealtWith));
    requests.add(dealtWith);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faulty,
    settled: () => Promise.all(requests),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store[Symbol.asyncDispose]();
    },
  };
}
