// Where a request came from, as security events tell it.
import type { Context } from 'koa';
import { canonicalAddress } from './arrivals.ts';

/** The address that the trusted proxies say, and that of the connection where it is another one (security.md R70). */
export function addressesOf({ ip, req }: Pick<Context, 'ip' | 'req'>): { ip: string; peer?: string } {
  const { remoteAddress } = req.socket;
  const peer = remoteAddress === undefined || remoteAddress === ip ? undefined : canonicalAddress(remoteAddress);
  return peer === undefined || peer === ip ? { ip } : { ip, peer };
}
