// HTTP requests without a framework: quick enough to press a server hard, and able to strike at the same moment.
import { Agent, type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';

export interface Request {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Record<string, string>;
  /** sent as a form */
  readonly form?: Record<string, string>;
  /** sent as JSON */
  readonly json?: Record<string, unknown>;
}

/** An answer that arrived whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** the members of a JSON answer; empty when it is none */
  readonly body: Record<string, unknown>;
}

/** Connections that are kept alive and used again, as many as are needed at once. */
export function createConnections(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 256 });
}

/** Rejects when no whole answer arrives: refused, reset, cut, or `timeoutMs` without a byte. */
export function send(url: string, options: Request = {}, agent?: Agent, timeoutMs = 30_000): Promise<Answer> {
  const { call, answer, payload } = prepare(url, options, agent, timeoutMs);
  call.end(payload);
  return answer;
}

/**
 * Sends the requests so that they become whole at the same moment: everything but the last byte first, and when all of
 * them are on their way, the last byte of each.
 */
export async function sendTogether(requests: readonly [url: string, options: Request][], agent: Agent) {
  const prepared = requests.map(([url, options]) => prepare(url, { method: 'POST', ...options }, agent, 30_000));
  const answers = Promise.all(prepared.map(({ answer }) => answer));
  await Promise.all(
    prepared.map(({ call, payload }) => new Promise((resolve) => call.write(payload.subarray(0, -1), resolve))),
  );
  for (const { call, payload } of prepared) call.end(payload.subarray(-1));
  return answers;
}

function prepare(url: string, options: Request, agent: Agent | undefined, timeoutMs: number) {
  const { method, headers = {}, form, json } = options;
  const payload = Buffer.from(form ? new URLSearchParams(form).toString() : json ? JSON.stringify(json) : '');
  const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
  const call = request(url, {
    method: method ?? (payload.length > 0 ? 'POST' : 'GET'),
    agent: agent ?? false,
    timeout: timeoutMs,
    headers: {
      ...(payload.length > 0 && { 'content-type': type, 'content-length': payload.length }),
      ...headers,
    },
  });
  call.on('timeout', () => call.destroy(new Error(`no answer from ${url} within ${timeoutMs} ms`)));
  return { call, payload, answer: answerOf(call) };
}

function answerOf(call: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    call.on('error', reject);
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the answer was cut off'));
        const json = String(response.headers['content-type']).startsWith('application/json') && text !== '';
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          body: json ? JSON.parse(text) : {},
        });
      });
    });
  });
}
