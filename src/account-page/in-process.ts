// Requests of the account page to its own provider: answered within the process, past the network and every proxy.
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Context } from 'koa';
import inject, { type DispatchFunc, type InjectOptions } from 'light-my-request';
import type { CustomFetch } from 'openid-client';

/** At the other end of a unix socket, where nobody has an address. */
const NO_ADDRESS = '@';

/**
 * A `fetch` on behalf of the request that is being answered. What it sends reaches `handle` as if it had come in the same
 * way, through the same proxy, so that it is the end-user's address that it is known by. It gets a unit of work of its
 * own, which is committed when the answer is there, whatever becomes of the request during which it was sent.
 */
export function createInProcessFetch(handle: RequestListener): (onBehalfOf: Context) => CustomFetch {
  const dispatch: RequestListener = (request, response) => handle(withDistinctHeaders(request), response);
  return ({ ip, protocol, req }) =>
    async (url, { method, headers, body }) => {
      const payload = body instanceof URLSearchParams ? body.toString() : undefined;
      const answer = await inject(dispatch as DispatchFunc, {
        method: method as NonNullable<InjectOptions['method']>,
        url,
        headers: { ...headers, 'x-forwarded-for': ip, 'x-forwarded-proto': protocol },
        remoteAddress: req.socket.remoteAddress ?? NO_ADDRESS,
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
