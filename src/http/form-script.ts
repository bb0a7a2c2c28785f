// The script of pages with forms: none is sent twice by accident. Without it, a page says how to go on.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeptFile, type KeptFile } from './kept-files.ts';

const SOURCE = join(import.meta.dirname, '../../views/forms.js');

/** Reads the script, once. */
export function createFormScript(issuer: string): KeptFile {
  const source = readFileSync(SOURCE, 'utf8');
  return createKeptFile(issuer, { source, type: 'text/javascript', pathOf: (hash) => `/scripts/forms-${hash}.js` });
}
