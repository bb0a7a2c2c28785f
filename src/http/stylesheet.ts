// The one stylesheet of all pages, as a file of its own that browsers keep.
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Context } from 'koa';
import { accentStyle } from './accent-colors.ts';

const RULES = join(import.meta.dirname, '../../views/style.css');

/** The rules, in the colours of one installation. */
export interface Stylesheet {
  /** where `serve` answers, relative to the issuer; another one when the rules are others */
  path: string;
  /** The same as a page names it: a rooted path. */
  href: string;
  /** The same as an absolute URL, as a Content-Security-Policy allows it. */
  url: string;
  /** what `serve` answers, not compressed */
  source: string;
  /** Lets the answer be kept for good. */
  serve(ctx: Context): void;
}

/**
 * Reads the rules, once.
 * @param color that of the installation, `#rrggbb`
 */
export function createStylesheet(issuer: string, color?: string): Stylesheet {
  const rules = readFileSync(RULES, 'utf8')
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ');
  const source = color ? rules + accentStyle(color) : rules;
  const plain = Buffer.from(source);
  const gzipped = gzipSync(plain);
  const path = `/styles/${hash('sha256', source, 'base64url').slice(0, 16)}.css`;
  const url = `${issuer.replace(/\/$/, '')}${path}`;
  return {
    path,
    href: new URL(url).pathname,
    url,
    source,
    serve(ctx) {
      ctx.type = 'text/css';
      ctx.set('cache-control', 'public, max-age=31536000, immutable');
      ctx.vary('accept-encoding');
      const isGzipped = ctx.acceptsEncodings('gzip', 'identity') === 'gzip';
      if (isGzipped) ctx.set('content-encoding', 'gzip');
      ctx.body = isGzipped ? gzipped : plain;
    },
  };
}
