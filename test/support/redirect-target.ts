// Where an application would be that a browser is sent back to: a page that says that it has arrived.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RedirectTarget extends AsyncDisposable {
  readonly redirectUri: string;
}

export async function startRedirectTarget(): Promise<RedirectTarget> {
  const server = createServer((_request, response) => response.end('signed in'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    redirectUri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
