// Tells a client that it asks for a grant which it is not registered for.
import { errors, Provider } from 'oidc-provider';

/**
 * RFC 6749 §5.2 has `unauthorized_client` for this; the library says `invalid_request`. Elsewhere it only asks in order to
 * know.
 * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/actions/token.js
 */
export function refuseUnregisteredGrants({ Client: { prototype } }: Provider): void {
  const { grantTypeAllowed } = prototype;
  prototype.grantTypeAllowed = function isRegisteredFor(type) {
    const { ctx } = Provider;
    const allowed = grantTypeAllowed.call(this, type);
    if (!allowed && ctx?.path === '/token' && ctx.oidc.params?.['grant_type'] === type) {
      throw new errors.UnauthorizedClient('requested grant type is not allowed for this client');
    }
    return allowed;
  };
}
