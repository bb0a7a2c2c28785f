// Cookie names and attributes: as strict as the issuer's URL allows (RFC 6265bis §4.1.3).
import { createCookieKeys } from './cookie-keys.ts';

/**
 * The library's `cookies`. With an https issuer every cookie is `Secure` and carries the prefix that makes browsers
 * insist on it: `__Host-` for the session of an issuer without a path, `__Secure-` where a path is part of the cookie.
 * `SameSite=Lax` throughout: POST to the authorization and logout endpoints is answered by a redirect to the same
 * request as a GET, so that no cookie has to travel with another site's POST.
 */
export function cookieSettings(issuer: string, keys: readonly string[]) {
  const { protocol, pathname } = new URL(issuer);
  const secure = protocol === 'https:';
  const attributes = { httpOnly: true, sameSite: 'lax', secure, signed: true, overwrite: true } as const;
  const prefix = secure ? '__Secure-' : '';
  return {
    keys: createCookieKeys(keys),
    names: {
      session: `${secure && pathname === '/' ? '__Host-' : prefix}session`,
      interaction: `${prefix}interaction`,
      resume: `${prefix}resume`,
    },
    long: { ...attributes, path: pathname },
    short: attributes,
  };
}
