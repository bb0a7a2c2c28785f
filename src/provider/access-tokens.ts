// Adapts the library's JWT access tokens to what all our access tokens have in common.
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { backdatingSeconds, type Issuers, issuerFor } from '../tokens/access-token.ts';
import type { IssuedAccessToken } from '../tokens/revocation.ts';

type Customizer = NonNullable<NonNullable<NonNullable<Configuration['formats']>['customizers']>['jwt']>;

/**
 * Back-dates `iat` and `nbf`, names the issuer that belongs to the algorithm (RFC 9068 §2.2), says how an end-user
 * signed in, for resource servers that ask for more (§2.2.1, RFC 9470), and has the tokens of end-users remembered, so
 * that they can be revoked.
 */
export function createAccessTokenCustomizer(
  issuers: Issuers,
  remember: (token: IssuedAccessToken) => Promise<void>,
): Customizer {
  return async (ctx, token, { payload }) => {
    const sign = token.resourceServer?.jwt?.sign;
    const issuedAt = Number(payload['iat']) - backdatingSeconds;
    payload['iat'] = issuedAt;
    payload['nbf'] = issuedAt;
    payload['iss'] = sign && 'alg' in sign && sign.alg === 'HS256' ? issuerFor('HS256', issuers) : issuers.issuer;
    if (token.kind !== 'AccessToken') return;
    Object.assign(payload, signInOf(ctx));
    const { clientId, accountId, grantId } = token;
    await remember({ jti: String(payload['jti']), exp: Number(payload['exp']), clientId, accountId, grantId });
  };
}

/** Of the sign-in that the token comes from, however often it was refreshed since. */
function signInOf({ oidc: { entities } }: KoaContextWithOIDC): Record<string, unknown> {
  const { acr, amr, authTime } = entities.AuthorizationCode ?? entities.RefreshToken ?? {};
  return { ...(authTime !== undefined && { auth_time: authTime }), ...(acr && { acr }), ...(amr && { amr }) };
}
