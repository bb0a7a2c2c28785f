// The browser's memory of the last authorization request that it brought an answer of: a signed cookie.
import type { Context } from 'koa';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { Clock } from '../store.ts';
import { homeOf } from './sealed-requests.ts';

/** Whoever comes back later than that has forgotten where they were. */
const MAX_AGE_MS = 14 * 24 * 60 * 60 * 1000;

/** An answer that was sent to a client. */
export interface Answer {
  /** what all interactions for the request had in common */
  readonly chain: string;
  /** where the client's end-users start; empty when the client has no such page */
  readonly home: string;
  /** epoch seconds; absent when the answer was the end-user's refusal */
  readonly signedInAt?: number;
}

export interface LastAnswer {
  /** Remembers every answer that an interaction led to, a refusal by the end-user included. */
  watch(provider: Provider): void;
  recall(ctx: Context): Answer | undefined;
}

export function createLastAnswer({ issuer, clock }: { issuer: string; clock: Clock }): LastAnswer {
  const { pathname: path, protocol } = new URL(issuer);
  const secure = protocol === 'https:';
  const cookie = `${secure ? '__Secure-' : ''}answered`;

  function note({ cookies, oidc }: KoaContextWithOIDC, signedInAt?: number): void {
    const chain = oidc.entities.Interaction?.cid;
    if (chain === undefined) return;
    const home = homeOf(oidc.client?.clientUri, oidc.params?.['redirect_uri']) ?? '';
    const value = [chain, Buffer.from(home).toString('base64url'), signedInAt].join('.');
    cookies.set(cookie, value, { path, httpOnly: true, sameSite: 'lax', secure, signed: true, maxAge: MAX_AGE_MS });
  }

  return {
    watch(provider) {
      provider.on('authorization.success', (ctx) => note(ctx, clock()));
      provider.on('authorization.error', (ctx, error) => {
        if (error instanceof errors.AccessDenied) note(ctx);
      });
    },
    recall(ctx) {
      const [chain, home, signedInAt] = ctx.cookies.get(cookie, { signed: true })?.split('.') ?? [];
      if (chain === undefined || home === undefined) return undefined;
      return {
        chain,
        home: Buffer.from(home, 'base64url').toString(),
        ...(signedInAt && { signedInAt: Number(signedInAt) }),
      };
    },
  };
}
