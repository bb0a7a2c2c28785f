// The one stylesheet of all pages.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accentStyle } from './accent-colors.ts';
import { createKeptFile, type KeptFile } from './kept-files.ts';

const RULES = join(import.meta.dirname, '../../views/style.css');

/**
 * Reads the rules, once.
 * @param color that of the installation, `#rrggbb`
 */
export function createStylesheet(issuer: string, color?: string): KeptFile {
  const rules = readFileSync(RULES, 'utf8')
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ');
  const source = color ? rules + accentStyle(color) : rules;
  return createKeptFile(issuer, { source, type: 'text/css', pathOf: (hash) => `/styles/${hash}.css` });
}
