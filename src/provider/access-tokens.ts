// Adapts the library's JWT access tokens to what all our access tokens have in common.
import type { Configuration } from 'oidc-provider';
import { backdatingSeconds, type Issuers, issuerFor } from '../tokens/access-token.ts';
import type { IssuedAccessToken } from '../tokens/revocation.ts';

type Customizer = NonNullable<NonNullable<NonNullable<Configuration['formats']>['customizers']>['jwt']>;

/**
 * Back-dates `iat` and `nbf`, names the issuer that belongs to the algorithm (RFC 9068 §2.2), and has the tokens of
 * end-users remembered, so that they can be revoked.
 */
export function createAccessTokenCustomizer(
  issuers: Issuers,
  remember: (token: IssuedAccessToken) => Promise<void>,
): Customizer {
  return async (_ctx, token, { payload }) => {
    const sign = token.resourceServer?.jwt?.sign;
    const issuedAt = Number(payload['iat']) - backdatingSeconds;
    payload['iat'] = issuedAt;
    payload['nbf'] = issuedAt;
    payload['iss'] = sign && 'alg' in sign && sign.alg === 'HS256' ? issuerFor('HS256', issuers) : issuers.issuer;
    if (token.kind !== 'AccessToken') return;
    const { clientId, accountId, grantId } = token;
    await remember({ jti: String(payload['jti']), exp: Number(payload['exp']), clientId, accountId, grantId });
  };
}
