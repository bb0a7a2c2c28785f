// Listens to the library's events and writes them to the audit log.

import type { Context } from 'koa';
import type { errors, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Logger } from 'pino';
import { addressesOf } from '../http/addresses.ts';
import type { AuditLog, EventFacts } from '../logging/events.ts';
import { AlreadyConsumed, CLIENT_ASSERTION, DPOP_PROOF } from '../store.ts';

/** @param options `afterCommit` keeps back what is not true before the request's writes are durable */
export function auditProvider(
  provider: Provider,
  options: { audit: AuditLog; logger: Logger; afterCommit: (effect: () => void) => void },
): void {
  const { audit, logger, afterCommit } = options;
  provider.on('interaction.started', (ctx, prompt) => {
    audit.interactionStarted({ ...factsOf(ctx), reason: prompt.reasons.join(' ') });
  });
  provider.on('grant.success', (ctx) => {
    const facts = { ...factsOf(ctx), ...issuedBy(ctx), grantType: grantTypeOf(ctx) };
    afterCommit(() => audit.tokenIssued(facts));
  });
  for (const event of ['grant', 'introspection', 'revocation', 'pushed_authorization_request', 'userinfo'] as const) {
    provider.on(`${event}.error` as 'grant.error', (ctx, error) => {
      if (error.statusCode >= 500) failed(ctx, error);
      // a JWT, which is not refused: src/provider/structured-tokens.ts answers for it
      else if (error.error !== 'unsupported_token_type') refused(ctx, error, audit);
    });
  }
  provider.on('authorization.error', (ctx, error) => {
    if (error.statusCode >= 500) failed(ctx, error);
    else audit.tokenRefused({ ...factsOf(ctx), error: error.error, reason: reasonOf(error) });
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path !== '/revoke' || ctx.status !== 200) return;
    const asked = ctx as unknown as KoaContextWithOIDC;
    const revoked = presentedToken(asked);
    if (revoked) afterCommit(() => audit.tokenRevoked({ ...factsOf(asked), ...revoked }));
  });
  provider.on('grant.revoked', (ctx) => audit.grantRevoked(factsOf(ctx)));
  provider.on('end_session.success', (ctx) => audit.logoutSucceeded(factsOf(ctx)));
  provider.on('backchannel.error', (ctx, error, client) => {
    logger.warn({ err: error, ...factsOf(ctx), clientId: client.clientId }, 'back-channel logout failed');
  });
  provider.on('server_error', failed);

  function failed(ctx: KoaContextWithOIDC, error: Error): void {
    logger.error({ err: error, ...factsOf(ctx) }, 'request failed');
  }
}

/** Something was used twice at the same time: the commit told, after the library had seen nothing wrong. */
export function auditReplay(audit: AuditLog, ctx: Context, error: AlreadyConsumed): void {
  const facts = { ...factsOf(ctx as unknown as KoaContextWithOIDC), reason: error.message };
  if (error.model === CLIENT_ASSERTION) audit.clientAuthenticationFailed({ ...facts, error: 'invalid_client' });
  else if (error.model === DPOP_PROOF) audit.tokenRefused({ ...facts, error: 'invalid_dpop_proof' });
  else if (error.model === 'RefreshToken') audit.refreshTokenReused(facts);
  else audit.codeReplayed(facts);
}

function refused(ctx: KoaContextWithOIDC, error: errors.OIDCProviderError, audit: AuditLog): void {
  const facts = { ...factsOf(ctx), error: error.error, reason: reasonOf(error) };
  if (error.error === 'invalid_client') {
    audit.clientAuthenticationFailed(facts);
  } else if (error.cause instanceof AlreadyConsumed || /already (consumed|used)/.test(error.error_detail ?? '')) {
    const replayed = grantTypeOf(ctx) === 'refresh_token' ? audit.refreshTokenReused : audit.codeReplayed;
    replayed(facts);
  } else {
    audit.tokenRefused({ ...facts, grantType: grantTypeOf(ctx) });
  }
}

function factsOf(ctx: KoaContextWithOIDC): EventFacts {
  const { oidc } = ctx;
  return {
    requestId: ctx.response.get('x-request-id'),
    clientId: oidc?.client?.clientId,
    accountId: oidc?.session?.accountId ?? oidc?.account?.accountId,
    ...addressesOf(ctx),
  };
}

/** What the token endpoint issued: a token for the client itself or for an end-user. */
function issuedBy({ oidc: { entities } }: KoaContextWithOIDC): EventFacts {
  const token = entities.ClientCredentials ?? entities.AccessToken;
  const audience = token?.resourceServer?.audience;
  return { tokenId: token?.jti, scope: token?.scope, audience, accountId: entities.AccessToken?.accountId };
}

/** The token that the revocation endpoint was asked to revoke, where it is the client's own (RFC 7009 §2.1). */
function presentedToken({ oidc }: KoaContextWithOIDC): EventFacts | undefined {
  const { RefreshToken, AccessToken, ClientCredentials } = oidc?.entities ?? {};
  const token = RefreshToken ?? AccessToken ?? ClientCredentials;
  return token?.clientId === oidc.client?.clientId ? token && { tokenId: token.jti, scope: token.scope } : undefined;
}

function grantTypeOf(ctx: KoaContextWithOIDC): string | undefined {
  const grantType = ctx.oidc.params?.['grant_type'];
  return typeof grantType === 'string' ? grantType : undefined;
}

function reasonOf(error: errors.OIDCProviderError): string | undefined {
  return error.error_detail ?? error.error_description;
}
