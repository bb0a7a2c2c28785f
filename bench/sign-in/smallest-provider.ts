// The smallest process that signs people in by the library: what it costs is the library's, and its storage's.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import type { Middleware } from 'koa';
import { koaBody } from 'koa-body';
import { type Configuration, Provider } from 'oidc-provider';
import { CLIENT_ID, REDIRECT_URI } from './flow.ts';

export interface Storage {
  readonly adapter: NonNullable<Configuration['adapter']>;
  /** stands around every request */
  readonly middleware: Middleware;
}

/** Listens, and tells its port to the process that started this one; without `storage`, in memory. */
export async function startSmallestProvider(storage?: Storage): Promise<void> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: 'bench', alg: 'RS256', use: 'sig' };

  const provider = new Provider('http://127.0.0.1:3000', {
    ...(storage && { adapter: storage.adapter }),
    jwks: { keys: [jwk] },
    cookies: { keys: ['a cookie secret of the bare library'] },
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: String(process.env['BENCH_SECRET']),
        redirect_uris: [REDIRECT_URI],
      },
    ],
    routes: { authorization: '/authorize' },
    interactions: { url: (_ctx, { uid }) => `/login/${uid}` },
    features: { devInteractions: { enabled: false } },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    // for a client of the first party, as the library's documentation does it
    async loadExistingGrant({ oidc }) {
      const { client, session } = oidc;
      const grantId = client && session?.grantIdFor(client.clientId);
      if (grantId) return oidc.provider.Grant.find(grantId);
      const grant = new oidc.provider.Grant({
        ...(client && { clientId: client.clientId }),
        ...(session?.accountId && { accountId: session.accountId }),
      });
      grant.addOIDCScope('openid');
      await grant.save();
      return grant;
    },
  });

  if (storage) provider.use(storage.middleware);
  const parse = koaBody();
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/login/')) return next();
    const { uid } = await provider.interactionDetails(ctx.req, ctx.res);
    if (ctx.method === 'GET') {
      ctx.type = 'html';
      ctx.body = `<form method="post" action="/login/${uid}"><input name="login"><input name="password"><button></form>`;
      return;
    }
    await parse(ctx, async () => {});
    const { login } = ctx.request.body as { login: string };
    ctx.status = 303;
    ctx.set('location', await provider.interactionResult(ctx.req, ctx.res, { login: { accountId: login } }));
    ctx.body = '';
  });

  const server = createServer(provider.callback()).listen(0, '127.0.0.1', () => {
    process.send?.({ port: (server.address() as AddressInfo).port });
  });
}
