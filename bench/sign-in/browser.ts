// A browser for measurements: as little of one as the flow needs, so that the load it makes is the server's.
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** until the last byte was there */
  readonly ms: number;
}

export interface Browser {
  get(path: string): Promise<Answer>;
  /** A form. */
  post(path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
  /** The same, as it goes over the wire, for somebody else to send. */
  compose(path: string, fields: Record<string, string>): string;
  /** Ends its connections. */
  close(): void;
}

/** @param address that the proxy says it has; several requests at once need several browsers */
export function openBrowser(port: number, address = '192.0.2.1'): Browser {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const cookies = new Map<string, string>();
  const shared = { 'x-forwarded-proto': 'https', 'x-forwarded-for': address, accept: 'text/html' };

  const cookieOf = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

  function send(method: string, path: string, body: string, headers: Record<string, string>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const cookie = cookieOf();
      const all = { ...shared, ...headers, ...(cookie && { cookie }) };
      const sent = request({ host: '127.0.0.1', port, agent, method, path, headers: all }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          const ms = performance.now() - startedAt;
          for (const line of response.headers['set-cookie'] ?? []) keep(cookies, line);
          resolve({ status: Number(response.statusCode), headers: response.headers, text, ms });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  return {
    get: (path) => send('GET', path, '', {}),
    post(path, fields, headers = {}) {
      const body = new URLSearchParams(fields).toString();
      return send('POST', path, body, { ...formHeaders(body), ...headers });
    },
    compose(path, fields) {
      const body = new URLSearchParams(fields).toString();
      const headers = { host: '127.0.0.1', ...shared, ...formHeaders(body), cookie: cookieOf() };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      return [`POST ${path} HTTP/1.1`, ...lines, '', body].join('\r\n');
    },
    close: () => agent.destroy(),
  };
}

function formHeaders(body: string): Record<string, string> {
  return { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(Buffer.byteLength(body)) };
}

/** Paths do not matter in a flow whose steps follow each other. */
function keep(cookies: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
  if (value === '') cookies.delete(name);
  else cookies.set(name, value);
}
