// The HTTP listener: opens on a port or on a web server's socket, and closes without dropping a request.
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { answerMalformedRequests } from '../http/malformed-requests.ts';

/** Where to listen. The web server that hosts us (Phusion Passenger) decides itself, and hands over a unix socket. */
export type Place = { readonly host: string; readonly port: number } | 'passenger';

/** A listening server. */
export interface Listener {
  /** `host:port`, or the path of the socket */
  readonly address: string;
  /**
   * Answers what is in flight, tells every client to close its connection, and then takes nothing new. What is still
   * open at the deadline is cut.
   */
  close(deadlineMs: number): Promise<void>;
}

/** The place is taken or not ours to listen on; the message says which and what to do, in one line. */
export class ListenRefused extends Error {
  override name = 'ListenRefused';
}

/**
 * How long a client that keeps connections alive may still send a request on one while we close: it cannot know yet.
 * Without such connections nobody waits.
 */
const LINGER_MS = 500;

/**
 * A client that sends its request slower than this is gone (security requirement R71). Idle connections are kept longer
 * than the 60 s of the usual proxies, so that it is they who close them, and never while a request is on its way.
 */
const LIMITS = {
  headersTimeout: 8_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 2_500,
  keepAliveTimeout: 65_000,
  requireHostHeader: false,
};
const MAX_CONNECTIONS = 5_000;

/** @throws ListenRefused */
export async function openListener(handler: RequestListener, place: Place, logger: Logger): Promise<Listener> {
  // by connection: a response that has left by then does not mind
  const latest = new Map<Socket, ServerResponse>();
  let closing = false;
  let onSocket = false;
  const server = createServer(LIMITS, (request, response) => {
    // Passenger and LiteSpeed pretend that every peer of their socket is 127.0.0.1; it has no address.
    if (onSocket) Object.defineProperty(request.socket, 'remoteAddress', { value: undefined, configurable: true });
    if (closing) response.shouldKeepAlive = false;
    latest.set(request.socket, response);
    handler(request, response);
  });
  server.on('connection', (socket) => socket.once('close', () => latest.delete(socket)));
  answerMalformedRequests(server, logger);
  // Without the latter a worker passes what is too much on to the next one, which may be full too, and so on. @types/node
  // does not know it yet.
  Object.assign(server, { maxConnections: MAX_CONNECTIONS, dropMaxConnection: true });
  await listen(server, place);
  server.on('error', (error) => logger.error({ err: error }, 'the listener has a problem'));
  const address = server.address();
  onSocket = typeof address !== 'object';
  return {
    address: address !== null && typeof address === 'object' ? `${address.address}:${address.port}` : String(address),
    async close(deadlineMs) {
      closing = true;
      for (const response of latest.values()) response.shouldKeepAlive = false;
      const cut = setTimeout(() => server.closeAllConnections(), deadlineMs);
      if ((await connectionsOf(server)) > 0) await new Promise((resolve) => setTimeout(resolve, LINGER_MS));
      await new Promise<void>((resolve) => server.close(() => resolve()));
      clearTimeout(cut);
    },
  };
}

function listen(server: Server, place: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (error: Error) => reject(refusal(error, place));
    const listening = () => {
      server.off('error', refused);
      resolve();
    };
    server.once('error', refused);
    if (place === 'passenger') server.listen('passenger', listening);
    else server.listen({ ...place }, listening);
  });
}

function refusal(error: NodeJS.ErrnoException, place: Place): Error {
  if (place === 'passenger') return error;
  const { host, port } = place;
  switch (error.code) {
    case 'EADDRINUSE':
      return new ListenRefused(`Port ${port} of ${host} is in use: end the program that listens there, or set PORT.`);
    case 'EACCES':
      return new ListenRefused(`Port ${port} is not open to this user: set PORT to one above 1023.`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenRefused(`${host} is not an address of this machine: set HOST to one that is.`);
    default:
      return error;
  }
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)));
}
