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
  /** Ends its connections. */
  close(): void;
}

/** @param address that the proxy says it has; several requests at once need several browsers */
export function openBrowser(port: number, address = '192.0.2.1'): Browser {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const cookies = new Map<string, string>();
  const shared = { 'x-forwarded-proto': 'https', 'x-forwarded-for': address, accept: 'text/html' };

  function send(method: string, path: string, body: string, headers: Record<string, string>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
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
      const length = String(Buffer.byteLength(body));
      const type = 'application/x-www-form-urlencoded';
      return send('POST', path, body, { 'content-type': type, 'content-length': length, ...headers });
    },
    close: () => agent.destroy(),
  };
}

/** Paths do not matter in a flow whose steps follow each other. */
function keep(cookies: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
  if (value === '') cookies.delete(name);
  else cookies.set(name, value);
}
