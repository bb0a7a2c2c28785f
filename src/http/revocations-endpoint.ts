// GET /revocations: the revocation feed, which anybody may read and cache for a few seconds.
import type { Context } from 'koa';
import { type RevocationFeed, revocationFeedType } from '../tokens/revocation-feed.ts';

/** In seconds: how much later than `/verify` a service that reads the feed may learn of a revocation. */
const MAX_AGE = 5;

export function createRevocationsEndpoint(readFeed: () => Promise<RevocationFeed>): (ctx: Context) => Promise<void> {
  return async function revocations(ctx) {
    const { jwt, etag } = await readFeed();
    ctx.set('cache-control', `public, max-age=${MAX_AGE}`);
    ctx.set('etag', etag);
    if (hasAlready(ctx, etag)) {
      ctx.status = 304;
      return;
    }
    ctx.type = `application/${revocationFeedType}`;
    ctx.body = jwt;
  };
}

/**
 * RFC 9110 §13.1.2. Koa's `fresh` heeds `Cache-Control: no-cache`, which is meant for caches on the way and which Node's
 * `fetch` adds to every request that has conditions: its callers would never get a 304.
 */
function hasAlready(ctx: Context, etag: string): boolean {
  const tags = ctx.get('if-none-match').split(',');
  return tags.some((tag) => tag.trim().replace(/^W\//, '') === etag.replace(/^W\//, ''));
}
