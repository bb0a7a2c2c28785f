// Prepares requests for the library's endpoints: read once, strictly, and put in the form that it understands.
import type { Context, Middleware } from 'koa';
import { errors } from 'oidc-provider';
import { resourceIdentifier } from '../resource-servers/identifiers.ts';
import {
  bodyKind,
  formatParameters,
  type Parameters,
  parseParameters,
  readForm,
  readJson,
  refuseRepetition,
} from './body.ts';
import { isForPrograms } from './page-responses.ts';
import { seeOther } from './redirects.ts';

export interface ProtocolRequests {
  /** relative path of the issuer's origin, without a trailing slash */
  prefix: string;
  /**
   * Authenticates a client by an assertion that the library cannot verify, and answers the parameters without it; what
   * the library can judge itself passes untouched.
   */
  authenticateAssertion(ctx: Context, parameters: Parameters): Promise<Parameters>;
  /** answers POST /token with a JSON body that has no `grant_type` */
  serviceToken(ctx: Context, body: Record<string, unknown>): Promise<void>;
  /** answers a form without the library; false when the library has to */
  shortCut(ctx: Context, parameters: Parameters): Promise<boolean>;
}

/** Where a browser may be sent by POST; answered by the same request as a GET. */
const REDIRECTED = new Set(['/authorize', '/logout']);
const WITH_AUDIENCE = new Set(['/authorize', '/token', '/par']);
/** Where clients authenticate themselves. */
const AUTHENTICATED = new Set(['/token', '/introspect', '/revoke', '/par']);
const FORMS = new Set(['/token', '/userinfo', '/introspect', '/revoke', '/par', '/logout/confirm']);

/** Middleware in front of the library; requests of other paths pass untouched. */
export function createProtocolRequests(options: ProtocolRequests): Middleware {
  return async function protocolRequests(ctx, next) {
    // the library asks this header alone whether an error is a page
    if (isForPrograms(ctx.path)) ctx.req.headers.accept = 'application/json';
    if (ctx.method === 'POST' && REDIRECTED.has(ctx.path)) {
      return redirectAsGet(ctx, options.prefix);
    }
    if (ctx.method === 'GET' && REDIRECTED.has(ctx.path)) {
      const parameters = parseParameters(ctx.querystring);
      refuseRepetition(parameters);
      if (ctx.path === '/authorize') ctx.querystring = formatParameters(withResource(parameters));
    }
    if (ctx.method === 'POST' && FORMS.has(ctx.path)) {
      const sent = await readParameters(ctx, options);
      if (sent === undefined) return;
      const { parameters: given, inOldForm } = sent;
      if (await options.shortCut(ctx, given)) return;
      const parameters = AUTHENTICATED.has(ctx.path) ? await options.authenticateAssertion(ctx, given) : given;
      replay(ctx, withoutDroppedScope(WITH_AUDIENCE.has(ctx.path) ? withResource(parameters) : parameters));
      await next();
      if (inOldForm) answerInOldForm(ctx);
      return;
    }
    return next();
  };
}

interface SentParameters {
  readonly parameters: Parameters;
  /** they came as `{"sub","aud"}` */
  readonly inOldForm?: boolean;
}

/**
 * The form, or a JSON body with `grant_type`, or with a client assertion, as that form; undefined when the request is
 * already answered.
 */
async function readParameters(ctx: Context, options: ProtocolRequests): Promise<SentParameters | undefined> {
  // RFC 6750 §2.1: userinfo may be asked by POST with the token in a header and no body at all
  if (ctx.path === '/userinfo' && !ctx.get('content-type')) return { parameters: {} };
  if (ctx.path !== '/token' || bodyKind(ctx) === 'form') return { parameters: await readForm(ctx) };
  const body = await readJson(ctx);
  const inOldForm = body['grant_type'] === undefined;
  if (inOldForm && body['client_assertion'] === undefined) {
    await options.serviceToken(ctx, body);
    return undefined;
  }
  const parameters = parametersOf(inOldForm ? clientCredentialsOf(body) : body);
  refuseRepetition(parameters, parseParameters(ctx.querystring));
  return { parameters, inOldForm };
}

/** The old JSON form, as the grant that it stands for: only the library can judge every kind of assertion. */
function clientCredentialsOf({ sub, aud, ...rest }: Record<string, unknown>): Record<string, unknown> {
  const { client_id: clientId = sub, client_assertion: assertion, client_assertion_type: type } = rest;
  if (typeof sub !== 'string' || sub === '') throw new errors.InvalidRequest("missing required parameter 'sub'");
  if (sub !== clientId) throw new errors.InvalidRequest('sub must be the client itself');
  return {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_assertion: assertion,
    ...(type !== undefined && { client_assertion_type: type }),
    ...(aud !== undefined && { audience: aud }),
  };
}

/** The library's answer, with what the old form has beside it (see src/http/service-token-endpoint.ts). */
function answerInOldForm(ctx: Context): void {
  const { access_token: token, ...body } = (ctx.body ?? {}) as Record<string, unknown>;
  if (ctx.status === 200) ctx.body = { token, access_token: token, ...body };
  else if (body['error'] === 'invalid_target') ctx.status = 403;
}

function parametersOf(body: Record<string, unknown>): Parameters {
  const parameters: Parameters = Object.create(null);
  for (const [name, value] of Object.entries(body)) {
    const several = Array.isArray(value) && value.every((one) => typeof one === 'string');
    if (typeof value !== 'string' && !several) throw new errors.InvalidRequest('every parameter must be a string');
    parameters[name] = value as string | string[];
  }
  return parameters;
}

/** `audience=NAME` is `resource=urn:audience:NAME`: audiences here are names, resource indicators are URIs. */
function withResource(parameters: Parameters): Parameters {
  const { audience, ...rest } = parameters;
  if (audience === undefined || audience === '') return rest;
  const resources = [rest['resource'] ?? []].flat();
  const resource = resourceIdentifier(String(audience));
  return { ...rest, resource: resources.length > 0 ? [...resources, resource] : resource };
}

/**
 * Client libraries repeat the scope of the authorization request when they refresh. `offline_access` may have been
 * dropped from it since (OpenID Connect Core §11), and asks for nothing that a refresh could give.
 */
function withoutDroppedScope(parameters: Parameters): Parameters {
  const { grant_type: grantType, scope, ...rest } = parameters;
  if (grantType !== 'refresh_token' || typeof scope !== 'string') return parameters;
  const asked = scope.split(' ').filter((name) => name !== 'offline_access');
  return { grant_type: grantType, ...rest, ...(asked.length > 0 && { scope: asked.join(' ') }) };
}

/**
 * OpenID Connect Core §3.1.2.1 wants POST; cookies that are SameSite=Lax do not travel with a POST from another site.
 * A 303 to the same request as a GET has both.
 */
async function redirectAsGet(ctx: Context, prefix: string): Promise<void> {
  const parameters = ctx.get('content-type') ? await readForm(ctx) : {};
  const query = [ctx.querystring, formatParameters(parameters)].filter(Boolean).join('&');
  seeOther(ctx, `${prefix}${ctx.path}${query ? `?${query}` : ''}`);
}

/**
 * Lets the library read the parameters as the body of the request. It reads the stream itself and warns on the console
 * when another parser was faster, so it is shown a stream that holds exactly this.
 * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/shared/selective_body.js
 */
function replay(ctx: Context, parameters: Parameters): void {
  const body = Buffer.from(formatParameters(parameters));
  delete ctx.req.headers['transfer-encoding'];
  ctx.req.headers['content-type'] = 'application/x-www-form-urlencoded';
  ctx.req.headers['content-length'] = String(body.length);
  Object.defineProperties(ctx.req, {
    readable: { value: true },
    readableEncoding: { value: null },
    iterator: { value: () => [body] },
  });
}
