// A reverse proxy before the service, and a browser for which the public URL leads to it.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createUserAgent, type UserAgent } from './user-agent.ts';

export interface ReverseProxy extends AsyncDisposable {
  /** where it listens; the world knows it as the origin of the public URL */
  readonly origin: string;
}

/**
 * Terminates TLS, so to speak: tells the service about it by `X-Forwarded-Proto`, adds the client's address to
 * `X-Forwarded-For`, and passes on everything else that the client said, `Host` included.
 * @param options `strip` is the path prefix that it takes away, if any
 */
export async function startReverseProxy(options: { target: string; strip?: string }): Promise<ReverseProxy> {
  const { target, strip = '' } = options;
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/';
    const headers = {
      ...incoming.headers,
      'x-forwarded-proto': 'https',
      'x-forwarded-for': [incoming.headers['x-forwarded-for'], '198.51.100.7'].flat().filter(Boolean).join(', '),
    };
    const passedOn = request(
      new URL(target),
      { method: incoming.method, headers, path: path.startsWith(strip) ? path.slice(strip.length) || '/' : path },
      (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(outgoing);
      },
    );
    passedOn.once('error', () => outgoing.destroy());
    incoming.pipe(passedOn);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** `fetch`, for which requests to `publicOrigin` lead to `reachable`. */
export function rerouted(publicOrigin: string, reachable: string): typeof fetch {
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    return fetch(url.origin === publicOrigin ? reachable + url.pathname + url.search : url, init);
  };
}

/** A browser that sees nothing of the proxy: its URLs and cookies are those of the public origin. */
export function createPublicUserAgent(publicOrigin: string, reachable: string): UserAgent {
  return createUserAgent(publicOrigin, { fetch: rerouted(publicOrigin, reachable) });
}
