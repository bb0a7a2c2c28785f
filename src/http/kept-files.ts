// Files that browsers keep for good: a hash of what they hold stands in their names, so that nothing in them ever changes.
import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Context, Next } from 'koa';

export interface KeptFile {
  /** relative to the issuer */
  path: string;
  /** where `serve` answers: there, and where other versions of this file are */
  route: string;
  /** `path` as a rooted path */
  href: string;
  /** the same as an absolute URL, as a Content-Security-Policy allows it */
  url: string;
  /** what `serve` answers, not compressed */
  source: string;
  serve(ctx: Context, next: Next): unknown;
}

/** Characters of a hash that are in a path. */
const VERSION_LENGTH = 16;
const VERSION = new RegExp(`^[\\w-]{${VERSION_LENGTH}}$`);

/**
 * @param file.type media type, without parameters
 * @param file.pathOf takes the hash, or the name of the parameter of a route
 */
export function createKeptFile(
  issuer: string,
  { source, type, pathOf }: { source: string; type: string; pathOf: (hash: string) => string },
): KeptFile {
  const plain = Buffer.from(source);
  const gzipped = gzipSync(plain);
  const path = pathOf(hash('sha256', source, 'base64url').slice(0, VERSION_LENGTH));
  const url = `${issuer.replace(/\/$/, '')}${path}`;
  return {
    path,
    route: pathOf(':version'),
    href: new URL(url).pathname,
    url,
    source,
    serve(ctx, next) {
      if (!VERSION.test(ctx['params'].version)) return next();
      // while an installation is updated, pages come from a process of another version than this one
      const isThisOne = ctx.path === path;
      ctx.type = type;
      ctx.set('cache-control', isThisOne ? 'public, max-age=31536000, immutable' : 'no-store');
      ctx.vary('accept-encoding');
      const isGzipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
      if (isGzipped) ctx.set('content-encoding', 'gzip');
      ctx.body = isGzipped ? gzipped : plain;
    },
  };
}
