// The log service as this process sees it: one attempt to hand over one line, in bounded time and memory.
import type { LogEntry } from './logger.ts';
import type { TokenCache } from './token-cache.ts';

/** More of an answer is not read; less than this keeps the connection for the next line. */
const maxAnswerBytes = 8192;

/**
 * What became of an attempt. `refused`: the service will never take this line. `failed`: it may take it later;
 * `answered` tells a service that answers with an error from one that cannot be reached.
 */
export type Outcome =
  | { result: 'delivered' }
  | { result: 'refused'; reason: string }
  | { result: 'failed'; reason: string; answered: boolean };

/** One log service. */
export interface Sink {
  /** Never rejects. Settles within the timeout, or at once when `signal` aborts. */
  post(entry: LogEntry, signal: AbortSignal): Promise<Outcome>;
}

/** What a sink needs; see `LogDeliveryOptions`. */
export interface SinkOptions {
  url: string;
  service: string;
  tokens: TokenCache;
  timeoutMs: number;
  fetch: typeof fetch;
}

async function discardBody({ body }: Response): Promise<void> {
  if (!body) return;
  let bytes = 0;
  try {
    // Leaving the loop early cancels the body and closes the connection.
    for await (const chunk of body) {
      bytes += chunk.byteLength;
      if (bytes > maxAnswerBytes) break;
    }
  } catch {
    // The status has said what became of the line; an answer that breaks off or drips changes nothing.
  }
}

function outcomeOf(status: number): Outcome {
  const reason = `HTTP ${status}`;
  if (status >= 200 && status < 300) return { result: 'delivered' };
  const passing = status === 401 || status === 408 || status === 429;
  if (status >= 400 && status < 500 && !passing) return { result: 'refused', reason };
  return { result: 'failed', reason, answered: true };
}

// fetch() hides the useful part, such as ECONNREFUSED, in the cause of its "fetch failed".
function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: unknown }; message?: unknown };
  return String(cause?.code ?? message ?? error);
}

async function withDeadline<T>(ms: number, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${ms} ms`)), ms).unref();
  const stop = () => controller.abort(outer.reason);
  outer.addEventListener('abort', stop, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', stop);
  }
}

/** Creates the sink. A refused token (401) is replaced once per attempt; redirects are not followed. */
export function createSink({ url, service, tokens, timeoutMs, fetch }: SinkOptions): Sink {
  const endpoint = `${url.replace(/\/+$/, '')}/log`;

  async function send(entry: LogEntry, token: string, signal: AbortSignal): Promise<number> {
    const response = await fetch(endpoint, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ service, ...entry }),
      signal,
    });
    await discardBody(response);
    return response.status;
  }

  async function sendWithToken(entry: LogEntry, signal: AbortSignal): Promise<number> {
    const token = await tokens.get();
    const status = await send(entry, token, signal);
    if (status !== 401) return status;
    tokens.forget(token);
    return send(entry, await tokens.get(), signal);
  }

  return {
    async post(entry, signal) {
      try {
        return outcomeOf(await withDeadline(timeoutMs, signal, (deadline) => sendWithToken(entry, deadline)));
      } catch (error) {
        return { result: 'failed', reason: reasonOf(error), answered: false };
      }
    },
  };
}
