// Every page in every shape and language, checked by axe-core in a real Chromium: on phone and desktop, in light and dark.
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { languages } from '../../src/http/languages.ts';
import { assertAccessible, openCheckedPage } from '../support/accessibility.ts';
import { openBrowserBeside } from '../support/browser.ts';
import { type PageServer, startPageServer } from '../support/page-server.ts';
import { pageVariant, pageVariants } from '../support/page-variants.ts';
import { PASSWORD } from '../support/relying-party.ts';
import { startService } from '../support/service.ts';

const installations = {
  example: { name: 'Example Accounts' },
  light: { name: 'Example Accounts', color: '#ffeb3b', logoUrl: '/installation.svg' },
  dark: { name: 'Example Accounts', color: '#1a237e' },
};

describe('accessibility (WCAG 2.2 AA)', () => {
  let browser: Browser;
  let server: PageServer;
  let page: Page;

  before(async () => {
    [browser, server] = await openBrowserBeside(startPageServer(installations));
    page = await openCheckedPage(browser);
  });
  after(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
  });

  for (const { language } of languages) {
    for (const variant of pageVariants) {
      it(`of the page ${variant.what} in "${language}"`, async () => {
        await page.goto(server.urlOf(variant, language));
        await assertAccessible(page, variant.what);
      });
    }
  }

  for (const installation of ['light', 'dark']) {
    for (const what of ['login-error', 'consent', 'home']) {
      it(`of the page ${what} with a ${installation} colour of the installation`, async () => {
        await page.goto(server.urlOf(pageVariant(what), 'en', installation));
        await assertAccessible(page, what);
      });
    }
  }

  for (const { language } of languages) {
    it(`of the account page and every page that it leads to in "${language}"`, async () => {
      await using service = await startService();
      const tab = await openCheckedPage(browser, { locale: language });
      await tab.goto(`${service.origin}/account`);
      await tab.fill('#login', 'alice');
      await tab.fill('#password', PASSWORD);
      await tab.click('#sign-in');
      await tab.locator('nav.pages').waitFor();
      const seen = new Set<string>();
      for (let queue = [tab.url()]; queue.length > 0; ) {
        const address = queue.shift() as string;
        if (seen.has(address)) continue;
        seen.add(address);
        await tab.goto(address);
        assert.equal(await tab.locator('html').getAttribute('lang'), language, address);
        await assertAccessible(tab, address);
        queue = [...queue, ...(await linksOf(tab, `${service.origin}/account`))];
      }
      assert.ok(seen.size > 5, [...seen].join());
      await tab.close();
    }).timeout(120_000);
  }

  it('is noticed when it is missing', async () => {
    await page.goto(server.urlOf(pageVariant('login'), 'en'));
    await page.evaluate("document.querySelector('label').remove()");
    await assert.rejects(assertAccessible(page, 'a field without a label'), /label: <input/);
  });
});

/** Where the links of the page lead, as far as that begins with `base`. */
async function linksOf(page: Page, base: string): Promise<string[]> {
  const addresses = await page.evaluate<string[]>('[...document.links].map((link) => link.href.split("#")[0])');
  return addresses.filter((address) => address.startsWith(base) && !address.includes('?'));
}
