// The sample browser client on a free port, registered at a platform of its own.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBrowserClient } from '../../examples/browser-client/server.ts';
import { type Platform, startPlatform } from './platform.ts';
import { newSecret } from './service.ts';

export interface SampleClient extends AsyncDisposable {
  readonly platform: Platform;
  /** where the client is, without a trailing slash */
  readonly url: string;
}

/** The port comes first: the provider must know the redirect URI, and the client its provider. */
export async function startSampleClient(): Promise<SampleClient> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const clientSecret = newSecret();
  const platform = await startPlatform({
    BROWSER_UI_CLIENT_SECRET: clientSecret,
    BROWSER_UI_REDIRECT_URIS: `${url}/callback`,
  });
  const client = createBrowserClient({
    issuer: platform.identity,
    clientId: 'browser-ui',
    clientSecret,
    baseUrl: url,
    loggingUrl: platform.logging,
    audience: 'logging-service',
    host: '127.0.0.1',
    port,
  });
  server.on('request', client.callback());
  return {
    platform,
    url,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await platform[Symbol.asyncDispose]();
    },
  };
}
