// The provider in use: built anew beside the old one when keys change, then put in its place between two requests.
import type { Middleware } from 'koa';
import compose from 'koa-compose';
import type { JWKS, Provider } from 'oidc-provider';
import { createProvider, type ProviderOptions } from './provider.ts';

export interface LiveProvider {
  /** The one that new requests meet. Whoever works with several of its parts asks once. */
  current(): Provider;
  /** Hands a request to the current provider, which finishes it even if it is replaced meanwhile. */
  readonly dispatch: Middleware;
  /** Takes effect at the next request. When building fails, the old one stays. */
  replaceKeys(jwks: JWKS): void;
}

/** @param prepare is done to every provider that is built, before it meets a request */
export function createLiveProvider(options: ProviderOptions, prepare: (provider: Provider) => void): LiveProvider {
  let inUse = build(options.jwks);

  function build(jwks: JWKS): { provider: Provider; dispatch: Middleware } {
    const provider = createProvider({ ...options, jwks });
    prepare(provider);
    return { provider, dispatch: compose(provider.middleware) as Middleware };
  }

  return {
    current: () => inUse.provider,
    dispatch: (ctx, next) => inUse.dispatch(ctx, next),
    replaceKeys(jwks) {
      inUse = build(jwks);
    },
  };
}
