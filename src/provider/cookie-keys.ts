// Signs and checks cookies like keygrip, the library's and Koa's way, at a third of the price.
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { isSameText } from '../constant-time.ts';

/** What keygrip's instances do. */
export interface CookieKeys {
  sign(data: string): string;
  /** The place of the key in the list that made this signature; -1 when none did. */
  index(data: string, signature: string): number;
  verify(data: string, signature: string): boolean;
}

/**
 * The same signatures as `new Keygrip(secrets)`: HMAC-SHA1, base64url. Every request checks several, and keygrip reads
 * the secret anew and makes two more MACs with a random key for each comparison.
 * @param secrets the first one signs, all verify
 */
export function createCookieKeys(secrets: readonly string[]): CookieKeys {
  const keys = secrets.map((secret) => createSecretKey(secret, 'utf8'));
  const [first] = keys;
  if (first === undefined) throw new Error('cookies need at least one secret');
  const index = (data: string, signature: string) => keys.findIndex((key) => isSameText(signature, macOf(key, data)));
  return {
    sign: (data) => macOf(first, data),
    index,
    verify: (data, signature) => index(data, signature) !== -1,
  };
}

function macOf(key: KeyObject, data: string): string {
  return createHmac('sha1', key).update(data).digest('base64url');
}
