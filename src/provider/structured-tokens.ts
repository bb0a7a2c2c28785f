// Lets the introspection and revocation endpoints answer for JWT access tokens too (RFC 7662, RFC 7009).
import type { Context, Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { type ClientCredentials, parseBasicCredentials } from '../clients/authentication.ts';
import { addressesOf } from '../http/addresses.ts';
import type { Parameters } from '../http/body.ts';
import type { AuditLog } from '../logging/events.ts';
import type { ClientRecord } from '../store.ts';
import type { AskingClient, Introspection } from '../tokens/introspection.ts';
import type { Revocation } from '../tokens/revocation.ts';

export interface StructuredTokens {
  /** undefined when these are not the client's credentials, or not of the kind that it is registered for */
  authenticate(credentials: ClientCredentials): Promise<ClientRecord | undefined>;
  introspect(token: string, asking: AskingClient): Promise<Introspection>;
  revoke(token: string, clientId: string): Promise<Revocation>;
  audit: AuditLog;
  /** keeps back what is not true before the request's writes are durable */
  afterCommit(effect: () => void): void;
}

export interface StructuredTokenAnswers {
  /**
   * Stands around the library. It authenticates the client, by whichever method, and checks the parameters, before it
   * declines JWTs as an unsupported token type: what it then says of client and token is where we go on.
   * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/shared/reject_structured_tokens.js
   */
  aroundLibrary: Middleware;
  /**
   * The same without the library, for what resource servers ask all the time: a JWT, and good credentials by HTTP Basic.
   * False: it is another request, or something is wrong with it, and the library has to see it.
   */
  shortCut(ctx: Context, parameters: Parameters): Promise<boolean>;
}

const ENDPOINTS = new Set(['/introspect', '/revoke']);

/** All that an answer without the library knows of; `token_type_hint` may be ignored (RFC 7662 §2.1). */
const SHORT_CUT_PARAMETERS = new Set(['token', 'token_type_hint']);

export function createStructuredTokens(options: StructuredTokens): StructuredTokenAnswers {
  return {
    async aroundLibrary(ctx, next) {
      await next();
      const declined = ENDPOINTS.has(ctx.path) ? declinedToken(ctx) : undefined;
      if (declined !== undefined) await answer(ctx, declined.token, declined.asking);
    },

    async shortCut(ctx, parameters) {
      const { token } = parameters;
      if (!ENDPOINTS.has(ctx.path) || typeof token !== 'string' || !looksStructured(token)) return false;
      // an origin means that CORS has a say
      if (ctx.get('origin') !== '' || Object.keys(parameters).some((name) => !SHORT_CUT_PARAMETERS.has(name)))
        return false;
      const credentials = parseBasicCredentials(ctx.get('authorization'));
      const client = credentials && (await options.authenticate(credentials));
      if (client === undefined) return false;
      return answer(ctx, token, { clientId: client.clientId, isPublic: false });
    },
  };

  /** False when the token is of a kind that is not supported after all. */
  async function answer(ctx: Context, token: string, asking: AskingClient): Promise<boolean> {
    if (ctx.path === '/introspect') {
      ctx.status = 200;
      ctx.body = await options.introspect(token, asking);
      return true;
    }
    const { clientId } = asking;
    const revocation = await options.revoke(token, clientId);
    if (revocation.outcome === 'nameless') return false;
    ctx.status = 200;
    ctx.body = '';
    if (revocation.outcome === 'revoked') {
      const { jti: tokenId, accountId } = revocation;
      const facts = { requestId: ctx.response.get('x-request-id'), ...addressesOf(ctx), clientId, accountId, tokenId };
      options.afterCommit(() => options.audit.tokenRevoked(facts));
    }
    return true;
  }
}

/** Whether it might be a JWT: no opaque token of the library has a dot. */
function looksStructured(token: string): boolean {
  return token.split('.', 4).length === 3;
}

/** The JWT that the library has just declined, and the client that it authenticated before. */
function declinedToken(ctx: Context): { token: string; asking: AskingClient } | undefined {
  const { error } = (ctx.body ?? {}) as { error?: unknown };
  if (ctx.status !== 400 || error !== 'unsupported_token_type') return undefined;
  const { client, params } = (ctx as unknown as KoaContextWithOIDC).oidc;
  const token = params?.['token'];
  if (client === undefined || typeof token !== 'string') return undefined;
  return { token, asking: { clientId: client.clientId, isPublic: client.clientAuthMethod === 'none' } };
}
