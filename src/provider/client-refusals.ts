// Answers clients that failed to authenticate: 401, and after too many failures 429 with the time to come back.
import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { errors } from 'oidc-provider';
import { parseBasicCredentials } from '../clients/authentication.ts';
import type { ClientFailures } from '../clients/failures.ts';
import { parseCompactJws } from '../tokens/compact-jws.ts';

/** Too many failures (RFC 6585 §4); the code stays the one of RFC 6749 §5.2. */
export class TooManyFailures extends errors.OIDCProviderError {
  constructor() {
    super(429, 'invalid_client');
    this.error_description = 'client authentication failed too often, try again later';
    this.expose = true;
  }
}

/**
 * Refuses the client that this request claims to be.
 * @throws errors.InvalidClientAuth, TooManyFailures, StoreUnavailable: always one of them
 */
export type RefuseClient = (ctx: Context, clientId: string, reason?: string) => Promise<never>;

export function createClientRefusal({ count }: ClientFailures): RefuseClient {
  return async function refuseClient(ctx, clientId, reason) {
    const waitSeconds = await count(clientId);
    if (waitSeconds === undefined) throw new errors.InvalidClientAuth(reason);
    ctx.set('retry-after', String(waitSeconds));
    throw new TooManyFailures();
  };
}

/**
 * Middleware around the library: counts the refusals that it has answered itself. A genuine assertion that was used
 * before is refused and not counted: it is no guess, and who only sends again what got lost should not be told to wait.
 */
export function createClientRefusalLimit(
  refuse: RefuseClient,
  isReplay: (request: IncomingMessage) => boolean,
): Middleware {
  return async function limitClientRefusals(ctx, next) {
    await next();
    const { error } = (ctx.body ?? {}) as { error?: unknown };
    if (ctx.status !== 401 || error !== 'invalid_client' || isReplay(ctx.req)) return;
    try {
      await refuse(ctx, claimedClientId(ctx));
    } catch (refusal) {
      // what the library said stands, with its headers
      if (refusal instanceof errors.InvalidClientAuth) return;
      ctx.remove('www-authenticate');
      throw refusal;
    }
  };
}

/** Who the library took the caller for; the empty text when it could not tell. */
function claimedClientId(ctx: Context): string {
  const { params = {} } = (ctx as { oidc?: { params?: Record<string, unknown> } }).oidc ?? {};
  const { client_id: clientId, client_assertion: assertion } = params;
  if (typeof clientId === 'string') return clientId;
  if (typeof assertion === 'string') return String(parseCompactJws(assertion)?.payload['sub'] ?? '');
  return parseBasicCredentials(ctx.get('authorization'))?.clientId ?? '';
}
