// Listens to the library's events and writes them to the audit log.
import type { errors, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Logger } from 'pino';
import type { AuditLog, EventFacts } from '../logging/events.ts';
import { AlreadyConsumed } from '../store.ts';

export function auditProvider(provider: Provider, { audit, logger }: { audit: AuditLog; logger: Logger }): void {
  provider.on('grant.success', (ctx) => {
    audit.tokenIssued({ ...factsOf(ctx), grantType: grantTypeOf(ctx), scope: ctx.oidc.accessToken?.scope });
  });
  provider.on('grant.error', (ctx, error) => refused(ctx, error, audit));
  provider.on('introspection.error', (ctx, error) => refused(ctx, error, audit));
  provider.on('revocation.error', (ctx, error) => refused(ctx, error, audit));
  provider.on('pushed_authorization_request.error', (ctx, error) => refused(ctx, error, audit));
  provider.on('authorization.error', (ctx, error) => {
    audit.tokenRefused({ ...factsOf(ctx), error: error.error, reason: reasonOf(error) });
  });
  provider.on('grant.revoked', (ctx) => audit.grantRevoked(factsOf(ctx)));
  provider.on('end_session.success', (ctx) => audit.logoutSucceeded(factsOf(ctx)));
  provider.on('backchannel.error', (ctx, error, client) => {
    logger.warn({ err: error, ...factsOf(ctx), clientId: client.clientId }, 'back-channel logout failed');
  });
  provider.on('server_error', (ctx, error) => {
    logger.error({ err: error, ...factsOf(ctx) }, 'request failed');
  });
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
    clientId: oidc.client?.clientId,
    accountId: oidc.session?.accountId ?? oidc.account?.accountId,
    ip: ctx.ip,
  };
}

function grantTypeOf(ctx: KoaContextWithOIDC): string | undefined {
  const grantType = ctx.oidc.params?.['grant_type'];
  return typeof grantType === 'string' ? grantType : undefined;
}

function reasonOf(error: errors.OIDCProviderError): string | undefined {
  return error.error_detail ?? error.error_description;
}
