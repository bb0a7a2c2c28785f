// Answers the token requests that services send all day before Koa and the library see them.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { parseStrictObject } from '../strict-json.ts';
import { addressesOf } from './addresses.ts';
import { type Arrival, createArrivals, type Handle } from './arrivals.ts';
import { announcedKind, type Parameters, parseForm } from './body.ts';
import { receiveBody, spoilBody } from './body-bytes.ts';
import type { PlainAnswer, PlainRequest } from './client-credentials-form.ts';
import { logAnswer } from './request-log.ts';

export interface PlainTokenRequests {
  /** the OIDC issuer */
  issuer: string;
  trustedProxies: readonly string[];
  /** of every answer for programs */
  headers: Readonly<Record<string, string>>;
  /** undefined: somebody else has to see the request */
  answer(request: PlainRequest): Promise<PlainAnswer | undefined>;
  logger: Logger;
}

/**
 * `POST /token` with a client's secret, as a form or as `{"sub","aud"}`: of what such a request costs, the way through
 * middleware that it has no use for would be the larger half. Only a success is answered here. Whatever is unusual or
 * wrong has not happened yet when `otherwise` gets the request, its body still to be read.
 */
export function createPlainTokenRequests(options: PlainTokenRequests, otherwise: Handle): Handle {
  const { answer, logger } = options;
  const arrivalOf = createArrivals(options);
  const headers = Object.entries({ ...options.headers, 'Content-Type': 'application/json; charset=utf-8' }).flat();

  return async function plainTokenRequests(request, response) {
    const startedAt = performance.now();
    const kind = request.method === 'POST' && request.url?.endsWith('/token') ? announcedKind(request) : undefined;
    if (kind === undefined) return otherwise(request, response);
    const arrival = arrivalOf(request);
    if (!mayPass(arrival)) return otherwise(request, response);
    const requestId = randomUUID();
    const facts = { requestId, ...addressesOf({ ip: arrival.address, req: request }) };

    let body: object | undefined;
    try {
      const bytes = await receiveBody(request);
      const parameters = kind === 'form' ? parseForm(bytes) : parametersOf(parseStrictObject(bytes));
      const granted = parameters && (await answer({ headers: request.headers, parameters, facts }));
      body = granted && kind === 'json' ? { token: granted.access_token, ...granted } : granted;
    } catch (error) {
      spoilBody(request, error);
    }
    if (body === undefined) return otherwise(request, response);

    const text = JSON.stringify(body);
    response.writeHead(200, [...headers, 'X-Request-Id', requestId, 'Content-Length', String(Buffer.byteLength(text))]);
    response.end(text);
    if (logger.isLevelEnabled('debug')) {
      logAnswer(logger, { requestId, method: 'POST', path: '/token', status: 200, ip: arrival.address }, startedAt);
    }
  };
}

/** Whether the request gate would let it pass, and it is for the token endpoint. */
function mayPass({ target, namesHost, insecure, sameMachine }: Arrival): boolean {
  return target === '/token' && namesHost && (!insecure || sameMachine);
}

/** The old service's `{"sub","aud"}` as the grant that it stands for. */
function parametersOf(body: Record<string, unknown> | undefined): Parameters | undefined {
  if (body === undefined) return undefined;
  const { sub, aud, ...others } = body;
  if (typeof sub !== 'string' || typeof aud !== 'string' || Object.keys(others).length > 0) return undefined;
  return { grant_type: 'client_credentials', client_id: sub, audience: aud };
}
