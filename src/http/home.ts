// The page at the issuer's root.
import type { Context } from 'koa';
import { textsFor } from './languages.ts';
import type { PageResponses } from './page-responses.ts';

/** `GET /`: says what this is and where its metadata are. */
export function createHome(options: { issuer: string; pages: PageResponses }): (ctx: Context) => Promise<void> {
  const { issuer, pages } = options;
  const base = issuer.replace(/\/$/, '');
  const discovery = `${base}/.well-known/openid-configuration`;
  return async (ctx) => {
    const { home } = textsFor(ctx);
    pages.show(ctx, 'home', {
      issuer,
      discovery,
      account: { href: `${base}/account`, label: home.account },
      links: [
        { href: `${base}/jwks`, label: home.keys },
        { href: `${base}/ping`, label: home.health },
      ],
    });
  };
}
