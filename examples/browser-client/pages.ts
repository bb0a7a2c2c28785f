// Renders the client's three pages and the headers that protect them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pug from 'pug';
import type { LogLine } from './log-lines.ts';
import type { Session } from './sessions.ts';

/** The pages and what each of them shows. */
export interface Pages {
  welcome: { notice: Session['notice'] };
  home: {
    notice: Session['notice'];
    csrf: string;
    name: string;
    claims: readonly { name: string; value: string; source: string }[];
    /** absent when the logging service could not be read; `linesProblem` says why */
    lines: readonly LogLine[] | undefined;
    linesProblem: string | undefined;
  };
  problem: { title: string; message: string; action: { href: string; label: string } };
}

export type RenderPage = <Name extends keyof Pages>(name: Name, locals: Pages[Name]) => string;

const folder = join(import.meta.dirname, 'views');

/** Compiles the templates once. Pug escapes every value that the templates print. */
export function createPages(): RenderPage {
  const templates = {
    welcome: pug.compileFile(join(folder, 'welcome.pug')),
    home: pug.compileFile(join(folder, 'home.pug')),
    problem: pug.compileFile(join(folder, 'problem.pug')),
  };
  return (name, locals) => templates[name](locals);
}

export function loadStylesheet(): string {
  return readFileSync(join(folder, 'style.css'), 'utf8');
}

/**
 * Nothing but our stylesheet is loaded and nobody may frame us. `form-action` also governs where a posted form may
 * redirect to, and signing out redirects to the identity service, hence its origin.
 */
export function pageHeaders(issuer: string): Record<string, string> {
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "style-src 'self'",
      `form-action 'self' ${new URL(issuer).origin}`,
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  };
}
