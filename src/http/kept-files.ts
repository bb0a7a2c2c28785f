// Files that browsers keep for good: a hash of what they hold stands in their names, so that nothing in them ever changes.
import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Context } from 'koa';

export interface KeptFile {
  /** where `serve` answers, relative to the issuer */
  path: string;
  /** the same as a rooted path */
  href: string;
  /** the same as an absolute URL, as a Content-Security-Policy allows it */
  url: string;
  /** what `serve` answers, not compressed */
  source: string;
  serve(ctx: Context): void;
}

/**
 * @param file.type media type, without parameters
 * @param file.pathOf takes the hash
 */
export function createKeptFile(
  issuer: string,
  { source, type, pathOf }: { source: string; type: string; pathOf: (hash: string) => string },
): KeptFile {
  const plain = Buffer.from(source);
  const gzipped = gzipSync(plain);
  const path = pathOf(hash('sha256', source, 'base64url').slice(0, 16));
  const url = `${issuer.replace(/\/$/, '')}${path}`;
  return {
    path,
    href: new URL(url).pathname,
    url,
    source,
    serve(ctx) {
      ctx.type = type;
      ctx.set('cache-control', 'public, max-age=31536000, immutable');
      ctx.vary('accept-encoding');
      const isGzipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
      if (isGzipped) ctx.set('content-encoding', 'gzip');
      ctx.body = isGzipped ? gzipped : plain;
    },
  };
}
