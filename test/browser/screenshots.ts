// Makes the pictures in docs/screens anew: node test/browser/screenshots.ts [FOLDER [WHAT …]]. Not a test.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { startPageServer } from '../support/page-server.ts';
import { pageVariant, pageVariants } from '../support/page-variants.ts';

const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 1 };
const narrow = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 1 };
const desk = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 };

interface Picture extends BrowserContextOptions {
  file: string;
  what: string;
  language?: string;
  installation?: string;
}

/** Those in docs/screens. */
const PICTURES: readonly Picture[] = [
  { file: 'login-phone-light', what: 'login', ...phone },
  { file: 'login-phone-dark', what: 'login', ...phone, colorScheme: 'dark' },
  { file: 'login-phone-german', what: 'login-error', language: 'de', ...phone },
  { file: 'login-error', what: 'login-error', ...desk },
  { file: 'login-branded', what: 'login', installation: 'branded', ...desk },
  { file: 'consent', what: 'consent', ...desk },
  { file: 'consent-phone-german-dark', what: 'consent', language: 'de', ...phone, colorScheme: 'dark' },
  { file: 'login-ways', what: 'login-ways', ...desk },
  { file: 'second-factor-phone', what: 'second-factor', ...phone },
  { file: 'authenticator-phone', what: 'authenticator', ...phone },
  { file: 'recovery-codes-phone-dark', what: 'recovery-codes', ...phone, colorScheme: 'dark' },
  { file: 'choose-password-phone', what: 'choose-password', ...phone },
  { file: 'account', what: 'account-overview', ...desk },
  { file: 'account-sessions-phone-german', what: 'account-sessions-elsewhere', language: 'de', ...phone },
  { file: 'error', what: 'error', ...desk },
  { file: 'lost-sign-in', what: 'lost-sign-in', ...desk },
  { file: 'logout', what: 'logout', ...desk },
];

/** Those that are worth a look: every shape of a page as it is hardest to fit. */
function reviewPictures(shapes: readonly string[]): Picture[] {
  return pageVariants
    .filter(({ what, name }) => shapes.length === 0 || shapes.includes(what) || shapes.includes(name))
    .flatMap(({ what }): Picture[] => [
      { file: `${what}-narrow`, what, ...narrow },
      { file: `${what}-narrow-german-dark`, what, language: 'de', ...narrow, colorScheme: 'dark' },
      { file: `${what}-desk`, what, ...desk },
      { file: `${what}-zoomed`, what, viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
      { file: `${what}-forced-colors`, what, ...narrow, forcedColors: 'active' },
      { file: `${what}-branded`, what, installation: 'branded', language: 'de', ...desk, colorScheme: 'dark' },
    ]);
}

const [folder, ...shapes] = process.argv.slice(2);
const target = folder ?? join(import.meta.dirname, '../../docs/screens');
await mkdir(target, { recursive: true });
await using server = await startPageServer({
  example: { name: 'Example Accounts' },
  branded: { name: 'Example University', color: '#5b2a86', logoUrl: '/installation.svg' },
});
const browser = await openBrowser();
for (const { file, what, language = 'en', installation, ...options } of folder ? reviewPictures(shapes) : PICTURES) {
  const page = await browser.newPage({ reducedMotion: 'reduce', ...options });
  await page.goto(server.urlOf(pageVariant(what), language, installation));
  await page.screenshot({ path: join(target, `${file}.png`), fullPage: true });
  await page.close();
}
await browser.close();
