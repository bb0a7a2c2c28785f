// The cookies of the account page: sent to it alone, and as strict as the issuer's URL allows (RFC 6265bis §4.1.3).
import { ACCOUNT_PAGE } from '../clients/account-page.ts';

/** Name and attributes; whoever sets one that ends before the browser does adds `maxAge`. */
export function accountCookie(issuer: string, name: string) {
  const { pathname, protocol } = new URL(issuer);
  const secure = protocol === 'https:';
  const path = `${pathname.replace(/\/$/, '')}${ACCOUNT_PAGE}`;
  return {
    name: `${secure ? '__Secure-' : ''}${name}`,
    attributes: { path, httpOnly: true, sameSite: 'lax', secure, signed: true, overwrite: true } as const,
  };
}
