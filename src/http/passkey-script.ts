// The script that starts WebAuthn, on pages with a passkey form.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeptFile, type KeptFile } from './kept-files.ts';

const LIBRARY = '../dist/bundle/index.umd.min.js';
const OWN = join(import.meta.dirname, '../../views/passkeys.js');

/** Reads the library and our own part, once. */
export function createPasskeyScript(issuer: string): KeptFile {
  const library = new URL(LIBRARY, import.meta.resolve('@simplewebauthn/browser'));
  const source = [library, OWN].map((file) => readFileSync(file, 'utf8')).join('\n');
  return createKeptFile(issuer, { source, type: 'text/javascript', pathOf: (hash) => `/scripts/passkeys-${hash}.js` });
}
