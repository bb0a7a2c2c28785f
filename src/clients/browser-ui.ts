// The built-in client `browser-ui`: the platform's own browser application, registered by environment variables.
import type { ClientRecord } from '../store.ts';
import { secretDigest } from './secrets.ts';

/** The pages to return to after logout: the root of each redirect URI's site, and the folder that it lies in. */
function postLogoutRedirectUris(redirectUris: readonly string[]): string[] {
  const pages = redirectUris
    .filter((uri) => /^https?:/i.test(uri))
    .flatMap((uri) => [new URL('/', uri).href, new URL('.', uri).href]);
  return [...new Set(pages)];
}

/**
 * The client `browser-ui`. It is ours, so nobody is asked for consent, and it may do without PKCE, as the older clients
 * of the platform do (security.md part 1); it may ask for every scope of `loggingAudience` on behalf of the end-user.
 */
export function browserUiClient(
  browserUi: { readonly clientSecret: string; readonly redirectUris: readonly string[] },
  loggingAudience: string,
): ClientRecord {
  return {
    clientId: 'browser-ui',
    metadata: {
      client_name: 'Browser UI',
      redirect_uris: [...browserUi.redirectUris],
      post_logout_redirect_uris: postLogoutRedirectUris(browserUi.redirectUris),
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      scope: 'openid profile email address phone offline_access',
      first_party: true,
      require_pkce: false,
    },
    audiences: { [loggingAudience]: null },
    secrets: [{ name: 'environment', digest: secretDigest(browserUi.clientSecret), createdAt: 0 }],
    createdAt: 0,
  };
}
