// The one script there is: it starts WebAuthn on pages with a passkey form, and does nothing anywhere else.
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from 'koa';

const LIBRARY = '../dist/bundle/index.umd.min.js';
const OWN = join(import.meta.dirname, '../../views/passkeys.js');

export interface PasskeyScript {
  /** where `serve` answers, relative to the issuer; another one when the script is another */
  path: string;
  /** The same as an absolute URL, as a page names it and a Content-Security-Policy allows it. */
  url: string;
  source: string;
  /** Lets the answer be kept for good. */
  serve(ctx: Context): void;
}

/** Reads the library and our own part, once. */
export function createPasskeyScript(issuer: string): PasskeyScript {
  const library = new URL(LIBRARY, import.meta.resolve('@simplewebauthn/browser'));
  const source = [library, OWN].map((file) => readFileSync(file, 'utf8')).join('\n');
  const path = `/scripts/passkeys-${hash('sha256', source, 'base64url').slice(0, 16)}.js`;
  return {
    path,
    url: `${issuer.replace(/\/$/, '')}${path}`,
    source,
    serve(ctx) {
      ctx.type = 'text/javascript';
      ctx.set('cache-control', 'public, max-age=31536000, immutable');
      ctx.body = source;
    },
  };
}
