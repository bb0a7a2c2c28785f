// Requests of the account page to its own provider: answered within the process, past the network and every proxy.
import type { IncomingMessage, RequestListener } from 'node:http';
import inject, { type DispatchFunc, type InjectOptions } from 'light-my-request';
import type { CustomFetch } from 'openid-client';

/**
 * A `fetch` whose requests reach `handle` as if a program on this machine had sent them. Each gets a unit of work of its
 * own, which is committed when the answer is there, whatever becomes of the request during which it was sent.
 */
export function createInProcessFetch(handle: RequestListener): CustomFetch {
  const dispatch: RequestListener = (request, response) => handle(withDistinctHeaders(request), response);
  return async (url, { method, headers, body }) => {
    const payload = body instanceof URLSearchParams ? body.toString() : undefined;
    const answer = await inject(dispatch as DispatchFunc, {
      method: method as NonNullable<InjectOptions['method']>,
      url,
      headers,
      ...(payload !== undefined && { payload }),
    });
    return new Response(answer.payload, { status: answer.statusCode, headers: headersOf(answer.headers) });
  };
}

/** `light-my-request` knows `headers` alone; the request gate counts those that were sent twice. */
function withDistinctHeaders(request: IncomingMessage): IncomingMessage {
  const headersDistinct = Object.entries(request.headers).map(([name, value]) => [name, [value].flat()]);
  return Object.defineProperty(request, 'headersDistinct', { value: Object.fromEntries(headersDistinct) });
}

function headersOf(headers: Readonly<Record<string, unknown>>): Headers {
  const answer = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value].flat()) if (one !== undefined) answer.append(name, String(one));
  }
  return answer;
}
