// Asks a request for its bearer token (RFC 6750) and refuses it in the words that the standard prescribes.
import type { Context } from 'koa';
import { Refusal } from './refusal.ts';
import { type Caller, KeysUnavailable, type TokenVerifier } from './token-verification.ts';

/**
 * Answers who calls. A token that carries scopes must carry this one; a token without any may do everything.
 * @throws Refusal 401, 403, or 503 while the provider's keys cannot be fetched
 */
export async function authenticate(ctx: Context, verifyToken: TokenVerifier, scope: string): Promise<Caller> {
  const token = /^Bearer ([^ ]+)$/i.exec(ctx.get('Authorization'))?.[1];
  // No error code for a request that did not try to authenticate (RFC 6750 §3.1).
  if (token === undefined) throw challenge(401, 'invalid_token', 'send a JWT as "Authorization: Bearer <token>"', '');
  const caller = await verifyToken(token).catch((error: Error) => {
    throw error instanceof KeysUnavailable ? unavailable(error) : unacceptable(error);
  });
  if (caller.scopes !== undefined && !caller.scopes.has(scope)) {
    const attributes = `, error="insufficient_scope", scope="${scope}"`;
    throw challenge(403, 'insufficient_scope', `the token lacks the scope ${scope}`, attributes);
  }
  return caller;
}

function unacceptable({ message }: Error): Refusal {
  const description = message.replaceAll('"', "'");
  return challenge(401, 'invalid_token', message, `, error="invalid_token", error_description="${description}"`);
}

function unavailable({ message }: Error): Refusal {
  return new Refusal(503, 'temporarily_unavailable', message, { 'Retry-After': '5' });
}

function challenge(status: number, code: string, message: string, attributes: string): Refusal {
  return new Refusal(status, code, message, { 'WWW-Authenticate': `Bearer realm="logging"${attributes}` });
}
