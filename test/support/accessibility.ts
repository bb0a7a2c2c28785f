// Asks axe-core whether a page that is open in Chromium breaks a rule of WCAG 2.2, A and AA.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

const AXE = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'));

/** Every rule of WCAG 2.2, A and AA. */
const ALL = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] };
/** Those that look at colours and sizes: of the same document, the others say the same in every look. */
const VISUAL = {
  type: 'rule',
  values: ['color-contrast', 'link-in-text-block', 'target-size', 'scrollable-region-focusable'],
};

/** Ways in which every page is looked at. */
const LOOKS = [
  { name: 'phone, light', size: { width: 360, height: 740 }, colorScheme: 'light' },
  { name: 'phone, dark', size: { width: 360, height: 740 }, colorScheme: 'dark' },
  { name: 'desktop, dark', size: { width: 1280, height: 800 }, colorScheme: 'dark' },
  { name: 'desktop, light', size: { width: 1280, height: 800 }, colorScheme: 'light' },
] as const;

/** A page of its own context, for `assertAccessible`: axe-core is there wherever it goes, and no colour fades. */
export async function openCheckedPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage({ reducedMotion: 'reduce', ...options });
  await page.addInitScript({ path: AXE });
  return page;
}

/**
 * Fails with every violation on the page that is open, on a phone and a desktop, in light and dark; also when the page
 * scrolls sideways (WCAG 2.2 §1.4.10).
 */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
  const found: string[] = [];
  for (const [index, { name, size, colorScheme }] of LOOKS.entries()) {
    const runOnly = index === 0 ? ALL : VISUAL;
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    const { violations, passes } = await page.evaluate<AxeResults>(
      `axe.run(document, { runOnly: ${JSON.stringify(runOnly)}, resultTypes: ['violations'] })`,
    );
    assert.ok(passes.length > (index === 0 ? 5 : 0), `${what}: axe-core has hardly looked`);
    for (const { id, nodes } of violations) {
      for (const { html, failureSummary } of nodes) found.push(`${name}: ${id}: ${html}\n${failureSummary}`);
    }
    const width = Number(await page.evaluate('document.documentElement.scrollWidth'));
    if (width > size.width) found.push(`${name}: scrolls sideways, ${width} pixels wide`);
  }
  assert.deepEqual(found, [], what);
}
