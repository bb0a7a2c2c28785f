// When an authorization request has to ask the end-user for something.
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { consentRequest } from './grants.ts';

/** The level of our sign-in with a password alone (NIST SP 800-63B). */
export const PASSWORD_ACR = 'aal1';

/**
 * The library's prompts, but a session whose account is gone or disabled is no session (security requirement R11), and
 * the consent page is told everything that is asked for, not only what is new.
 */
export function createInteractionPolicy() {
  const { Check, base } = interactionPolicy;
  const policy = base();
  const [login, consent] = [policy.get('login'), policy.get('consent')];
  login?.checks.add(new Check('unreachable_acr', 'the requested acr is unavailable', refuseUnreachableAcr), 0);
  login?.checks.add(
    new Check('account_unavailable', 'End-User authentication is required', 'login_required', hasLostAccount),
  );
  if (consent) consent.details = async (ctx) => ({ request: consentRequest(ctx) });
  return policy;
}

function hasLostAccount({ oidc }: KoaContextWithOIDC): boolean {
  return oidc.session?.accountId !== undefined && oidc.entities.Account === undefined;
}

/**
 * An essential `acr` that no sign-in of ours reaches is an error at once (OpenID Connect Core §5.5.1.1); the library
 * would ask for the password again and again.
 */
function refuseUnreachableAcr({ oidc }: KoaContextWithOIDC): boolean {
  const { essential, value, values = [value] } = oidc.claims.id_token?.['acr'] ?? {};
  const wanted = [values].flat().filter((acr) => acr !== undefined);
  if (essential && wanted.length > 0 && !wanted.includes(PASSWORD_ACR)) {
    throw new errors.UnmetAuthenticationRequirements('none of the requested levels of authentication is available');
  }
  return false;
}
