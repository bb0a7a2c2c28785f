// The built-in client `account`: the account page, which signs people in like every other application does.
import type { ClientRecord } from '../store.ts';

/** Reserved: no other client can have it. */
export const ACCOUNT_PAGE_CLIENT = 'account';

/** Where the account page is, below the issuer. */
export const ACCOUNT_PAGE = '/account';

/**
 * The client `account`: public, with PKCE, and ours, so that nobody is asked for consent.
 * @param issuer without a trailing slash
 * @param name what the sign-in page says that one is going to
 */
export function accountPageClient(issuer: string, name: string): ClientRecord {
  return {
    clientId: ACCOUNT_PAGE_CLIENT,
    metadata: {
      client_name: name,
      client_uri: `${issuer}${ACCOUNT_PAGE}`,
      redirect_uris: [`${issuer}${ACCOUNT_PAGE}/callback`],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      scope: 'openid',
      require_auth_time: true,
      first_party: true,
    },
    audiences: {},
    secrets: [],
    createdAt: 0,
  };
}
