// Speaks HTTP by hand, for requests that no decent client would send.
import assert from 'node:assert/strict';
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Writes these bytes to a connection of their own, and reads until the service closes it: a request that is well-formed
 * has to ask for that with `Connection: close`.
 */
export function exchange(origin: string, request: string | Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(request));
    socket.setTimeout(10_000, () => socket.destroy(new Error('the service keeps the connection open')));
    socket.on('data', (chunk) => chunks.push(chunk));
    // a service that refuses to read the rest may reset the connection after its answer
    socket.on('error', (error) => (chunks.length > 0 ? undefined : reject(error)));
    socket.on('close', () => {
      const answer = parseAnswer(Buffer.concat(chunks).toString());
      if (answer) resolve(answer);
      else reject(new Error('the service closed the connection without an answer'));
    });
  });
}

/** The final answer: an interim one (1xx) before it is skipped. */
function parseAnswer(text: string): RawAnswer | undefined {
  const [, status, fields = '', body = ''] = /^HTTP\/1\.1 (\d+) [^\r]*\r\n(.*?)\r\n\r\n(.*)$/s.exec(text) ?? [];
  if (status === undefined) return undefined;
  if (status.startsWith('1')) return parseAnswer(body);
  const headers = new Headers(fields.split('\r\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  return { status: Number(status), headers, body };
}

/** A request with `Host`, `Connection: close` and the length of its body. */
export function formatRequest(
  line: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string | Buffer } = {},
): Buffer {
  const length: Record<string, string> =
    body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const fields = { Host: 'id.example.com', Connection: 'close', ...length, ...headers };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${line} HTTP/1.1\r\n${head.join('')}\r\n`), Buffer.from(body ?? '')]);
}

/** What no answer may contain: stack traces, SQL, paths of files, names of our modules. */
const INTERNALS =
  /\bat \S+ \(|node:internal|node_modules|\.ts:\d|SQLITE|select [^{}]* from|insert into|\/work\/|\/home\/|\/tmp\//i;

/** An answer that teaches nothing: no internals, a request id, never kept by a cache. */
export function assertHarmless({ status, headers, body }: RawAnswer): void {
  assert.ok(status < 500, `${status} ${body}`);
  assert.doesNotMatch(body, INTERNALS);
  assert.match(headers.get('x-request-id') ?? '', /^[\da-f-]{36}$/);
  assert.equal(headers.get('cache-control'), 'no-store');
  assert.equal(headers.get('x-powered-by') ?? headers.get('server'), null);
}

/** A harmless refusal as OAuth says it, in JSON (RFC 6749 §5.2). */
export function assertRefused(answer: RawAnswer, status: number, error = 'invalid_request'): void {
  assert.equal(answer.status, status, answer.body);
  assertHarmless(answer);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json\b/);
  const said = JSON.parse(answer.body);
  assert.equal(said.error, error);
  assert.match(said.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,120}$/);
  assert.deepEqual(Object.keys(said), ['error', 'error_description']);
}

/** The process lives, answers quickly, and nobody has reached into its prototypes. */
export async function assertAlive(origin: string): Promise<void> {
  const delays: number[] = [];
  // the machine may be busy with something else for a moment, the process may not
  while (delays.length < 4 && !(Math.min(...delays) < 250)) {
    const startedAt = performance.now();
    const answer = await fetch(`${origin}/ping`);
    assert.equal(await answer.text(), 'OK');
    delays.push(performance.now() - startedAt);
  }
  assert.ok(Math.min(...delays) < 250, delays.join(' '));
  assert.deepEqual(Object.keys(Object.prototype), []);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
}
