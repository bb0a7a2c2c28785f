// A log service for tests: a real HTTP server on a free port whose behaviour can be changed while it runs.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** What the log service was sent. */
export interface Received {
  method: string | undefined;
  path: string | undefined;
  authorization: string | undefined;
  contentType: string | undefined;
  body: { service: string; level: string; message: string; context: Record<string, unknown> };
}

/** How the service answers a request. */
export type Behaviour = (response: ServerResponse, request: Received) => void;

/** Answers with a status and nothing else. */
export function status(code: number, headers: Record<string, string> = {}): Behaviour {
  return (response) => void response.writeHead(code, headers).end();
}

/** Never answers. */
export const hang: Behaviour = () => {};

/** Breaks the connection. */
export const reset: Behaviour = (response) => void response.destroy();

/** Records every request and answers it as `behaviour` says at that moment. */
export class LogService implements AsyncDisposable {
  readonly received: Received[] = [];
  connections = 0;
  behaviour: Behaviour = status(200);
  readonly #server: Server;
  #watchers: { count: number; resolve: () => void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', () => {
      this.connections += 1;
    });
    server.on('request', (request, response) => void this.#take(request, response));
  }

  static async start(behaviour: Behaviour = status(200)): Promise<LogService> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const service = new LogService(server);
    service.behaviour = behaviour;
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get messages(): string[] {
    return this.received.map(({ body }) => body.message);
  }

  /** Resolves once so many requests have arrived in all. */
  async arrivals(count: number): Promise<void> {
    if (this.received.length >= count) return;
    await new Promise<void>((resolve) => this.#watchers.push({ count, resolve }));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await json(request)) as Received['body'];
    const { authorization, 'content-type': contentType } = request.headers;
    const received = { method: request.method, path: request.url, authorization, contentType, body };
    this.received.push(received);
    this.behaviour(response, received);
    for (const { count, resolve } of this.#watchers) if (this.received.length >= count) resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
