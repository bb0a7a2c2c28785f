// The browser's memory of the accounts that signed in from it: a signed cookie that names them as nobody can read.
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { isSameText } from '../constant-time.ts';
import type { Account } from '../store.ts';

const MAX_AGE_MS = 365 * 24 * 60 * 60 * 1000;
/** Whoever shares a browser with more people is known as one of the last to have signed in. */
const MAX_ACCOUNTS = 8;
const DEVICE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Which browsers an account has signed in from: guesses from elsewhere do not keep its owner waiting there. Ends with
 * the password that the account had.
 */
export interface KnownDevices {
  /** Names this browser, when the account is one of those that signed in from it. */
  recall(ctx: Context, account: Account): string | undefined;
  /** Whether anybody signed in from it. */
  hasAny(ctx: Context): boolean;
  /** Whether the request has such a cookie at all, whoever signed it. */
  mayBeNamed(request: IncomingMessage): boolean;
  /** To be called when the account has signed in; sets a cookie. */
  remember(ctx: Context, account: Account): void;
}

interface DeviceCookie {
  device: string;
  /** one for each account */
  tags: string[];
}

/** @param options.secrets the first one signs, all verify */
export function createKnownDevices(options: { issuer: string; secrets: readonly string[] }): KnownDevices {
  const { pathname: path, protocol } = new URL(options.issuer);
  const secure = protocol === 'https:';
  const prefix = path === '/' ? '__Host-' : '__Secure-';
  const keys = options.secrets.map((secret) => createSecretKey(secret, 'utf8')) as [KeyObject, ...KeyObject[]];
  const cookie = `${secure ? prefix : ''}device`;
  /** what requests that are being answered brought: checking the signature has its price */
  const seen = new WeakMap<Context, DeviceCookie | undefined>();

  function read(ctx: Context): DeviceCookie | undefined {
    if (!seen.has(ctx)) {
      const [device, ...tags] = ctx.cookies.get(cookie, { signed: true })?.split('.') ?? [];
      seen.set(ctx, device ? { device, tags } : undefined);
    }
    return seen.get(ctx);
  }

  function isOf(tag: string, device: string, account: Account): boolean {
    return keys.some((key) => isSameText(tag, tagOf(key, device, account)));
  }

  return {
    recall(ctx, account) {
      const known = read(ctx);
      return known?.tags.some((tag) => isOf(tag, known.device, account)) ? known.device : undefined;
    },
    hasAny: (ctx) => read(ctx) !== undefined,
    mayBeNamed: ({ headers }) => headers.cookie?.includes(`${cookie}=`) ?? false,
    remember(ctx, account) {
      const { device, tags } = read(ctx) ?? { device: randomBytes(DEVICE_BYTES).toString('base64url'), tags: [] };
      const others = tags.filter((tag) => !isOf(tag, device, account)).slice(0, MAX_ACCOUNTS - 1);
      const value = [device, tagOf(keys[0], device, account), ...others].join('.');
      ctx.cookies.set(cookie, value, {
        path,
        httpOnly: true,
        sameSite: 'lax',
        secure,
        signed: true,
        overwrite: true,
        maxAge: MAX_AGE_MS,
      });
    },
  };
}

function tagOf(key: KeyObject, device: string, { id, passwordHash = '' }: Account): string {
  const mac = createHmac('sha256', key)
    .update(JSON.stringify(['known device', device, id, passwordHash]))
    .digest();
  return mac.subarray(0, TAG_BYTES).toString('base64url');
}
