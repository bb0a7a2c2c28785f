// The sample browser client on a free port, registered at a provider of its own.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBrowserClient } from '../../examples/browser-client/server.ts';
import { newSecret } from './service.ts';

export interface SampleClient<Provider> extends AsyncDisposable {
  readonly provider: Provider;
  /** where the client is, without a trailing slash: another host than a provider's, so that neither has the other's cookies */
  readonly url: string;
}

/**
 * The port comes first: the provider must know the redirect URI, and the client its provider.
 * @param start what knows the client by these variables
 * @param urlsOf where the client finds it
 */
export async function startSampleClient<Provider extends AsyncDisposable>(
  start: (env: Record<string, string>) => Promise<Provider>,
  urlsOf: (provider: Provider) => { issuer: string; logging?: string },
): Promise<SampleClient<Provider>> {
  await using opening = new AsyncDisposableStack();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://localhost:${port}`;
  const clientSecret = newSecret();
  opening.defer(() => server.closeAllConnections());
  opening.defer(() => void server.close());
  const provider = opening.use(
    await start({ BROWSER_UI_CLIENT_SECRET: clientSecret, BROWSER_UI_REDIRECT_URIS: `${url}/callback` }),
  );
  const { issuer, logging = url } = urlsOf(provider);
  const client = createBrowserClient({
    issuer,
    clientId: 'browser-ui',
    clientSecret,
    baseUrl: url,
    loggingUrl: logging,
    audience: 'logging-service',
    host: '127.0.0.1',
    port,
  });
  server.on('request', client.callback());
  const opened = opening.move();
  return { provider, url, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
