// GET /revocations: the revocation feed, which anybody may read and cache for a few seconds.
import type { Context } from 'koa';
import { type RevocationFeed, revocationFeedType } from '../tokens/revocation-feed.ts';

/** In seconds: how much later than `/verify` a service that reads the feed may learn of a revocation. */
const MAX_AGE = 5;

export function createRevocationsEndpoint(readFeed: () => Promise<RevocationFeed>): (ctx: Context) => Promise<void> {
  return async function revocations(ctx) {
    const { jwt, etag } = await readFeed();
    ctx.status = 200;
    ctx.set('cache-control', `public, max-age=${MAX_AGE}`);
    ctx.set('etag', etag);
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    ctx.type = `application/${revocationFeedType}`;
    ctx.body = jwt;
  };
}
