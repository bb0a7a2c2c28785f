// The stylesheet in a real Chromium: the pages' own policy lets it in, behind every proxy and under every name.
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { openBrowser } from '../support/browser.ts';
import { startReverseProxy } from '../support/reverse-proxy.ts';
import { startService } from '../support/service.ts';

/** The home page, errors, a lost sign-in, a page of the library's. */
const PATHS = ['/', '/nothing', '/authorize', '/login/abc', '/logout/success'];
/** Those that are redirects, which Playwright lets nobody answer: a form that submits itself, a sign-in. */
const REDIRECTS = ['/logout', '/account'];

/** How many rules the page has, and whether they show. */
const LOOK = `({
  sheets: [...document.styleSheets].map((sheet) => sheet.href && sheet.cssRules.length > 50),
  display: getComputedStyle(document.querySelector('header.installation')).display,
})`;
const STYLED = { sheets: [true], display: 'flex' };

describe('the stylesheet in Chromium', () => {
  let browser: Browser;
  before(async () => {
    browser = await openBrowser();
  });
  after(() => browser?.close());

  /** What every page looks like, and what the browser says about it. */
  async function looksOf(base: string, { answeredBy = base, paths = PATHS } = {}) {
    const context = await browser.newContext();
    const complaints: string[] = [];
    try {
      const { origin } = new URL(base);
      if (answeredBy !== base) {
        await context.route(`${origin}/**`, async (route) => {
          const url = new URL(route.request().url());
          const response = await route.fetch({ url: `${answeredBy}${url.pathname}${url.search}`, maxRedirects: 0 });
          await route.fulfill({ response });
        });
      }
      const page = await context.newPage();
      page.on('console', (message) => {
        if (!/status of 40\d/.test(message.text())) complaints.push(message.text());
      });
      const looks: Record<string, unknown> = {};
      for (const path of paths) {
        await page.goto(`${base}${path}`);
        looks[path] = await page.evaluate(LOOK);
      }
      return { looks, complaints };
    } finally {
      await context.close();
    }
  }

  const styled = (paths: string[]) => Object.fromEntries(paths.map((path) => [path, STYLED]));

  for (const [what, issuer, strip] of [
    ['without a path', 'https://id.example.com', undefined],
    ['with a path, behind a proxy that keeps it', 'https://id.example.com/sso', undefined],
    ['with a path, behind a proxy that takes it away', 'https://id.example.com/sso', '/sso'],
  ] as const) {
    it(`is on every page of an issuer ${what}`, async () => {
      await using service = await startService({ PUBLIC_URL: issuer, TRUSTED_PROXIES: '127.0.0.1' });
      await using proxy = await startReverseProxy({ target: service.origin, ...(strip && { strip }) });
      assert.deepEqual(await looksOf(issuer, { answeredBy: proxy.origin }), { looks: styled(PATHS), complaints: [] });
    });
  }

  it('is on the page that says that a proxy is not trusted', async () => {
    await using service = await startService({ PUBLIC_URL: 'https://id.example.com' });
    await using proxy = await startReverseProxy({ target: service.origin });
    const { looks } = await looksOf('https://id.example.com', { answeredBy: proxy.origin });
    assert.deepEqual(looks, styled(PATHS));
  });

  it('is on every page in development, also by another name of this machine', async () => {
    await using service = await startService({}, { hostname: 'localhost' });
    for (const base of [service.issuer, service.origin]) {
      const paths = [...PATHS, ...REDIRECTS];
      assert.deepEqual(await looksOf(base, { paths }), { looks: styled(paths), complaints: [] }, base);
    }
  });
});
