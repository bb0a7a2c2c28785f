// Keeps the JWT that the log service takes, so that not every line costs a signature.
import { decodeJwt } from 'jose';
import type { Clock } from '../store.ts';

const marginSeconds = 30;

/** Hands out one token as long as it lasts. */
export interface TokenCache {
  /** The current token, or a new one from 30 s before its `exp` on. Rejects as the issuing function does. */
  get(): Promise<string>;
  /** Makes the next `get` issue a new token if this one is still the current one. */
  forget(token: string): void;
}

/** Creates the cache over a function that issues a JWT; a token without `exp` lasts until it is forgotten. */
export function createTokenCache(issue: () => Promise<string>, clock: Clock): TokenCache {
  let current: { token: string; renewAt: number } | undefined;
  return {
    async get() {
      if (current && clock() < current.renewAt) return current.token;
      const token = await issue();
      const { exp = Number.POSITIVE_INFINITY } = decodeJwt(token);
      current = { token, renewAt: exp - marginSeconds };
      return token;
    },
    forget(token) {
      if (current?.token === token) current = undefined;
    },
  };
}
