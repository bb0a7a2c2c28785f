// Asks axe-core whether a page that is open in Chromium breaks a rule of WCAG 2.2, A and AA.
import assert from 'node:assert/strict';
import type { AxeResults } from 'axe-core';
import axe from 'axe-core';
import type { Page } from 'playwright-core';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** Ways in which every page is looked at. */
const LOOKS = [
  { name: 'phone, light', size: { width: 360, height: 740 }, colorScheme: 'light' },
  { name: 'phone, dark', size: { width: 360, height: 740 }, colorScheme: 'dark' },
  { name: 'desktop, dark', size: { width: 1280, height: 800 }, colorScheme: 'dark' },
  { name: 'desktop, light', size: { width: 1280, height: 800 }, colorScheme: 'light' },
] as const;

/**
 * Fails with every violation on the page that is open, on a phone and a desktop, in light and dark; also when the page
 * scrolls sideways on the phone (WCAG 2.2 §1.4.10). Colours must not fade: open the page with `reducedMotion: 'reduce'`.
 */
export async function assertAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source);
  const found: string[] = [];
  for (const { name, size, colorScheme } of LOOKS) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme });
    const { violations, passes } = await page.evaluate<AxeResults>(
      `axe.run(document, { runOnly: ${JSON.stringify(TAGS)}, resultTypes: ['violations'] })`,
    );
    assert.ok(passes.length > 5, `${what}: axe-core has hardly looked`);
    for (const { id, nodes } of violations) {
      for (const { html, failureSummary } of nodes) found.push(`${name}: ${id}: ${html}\n${failureSummary}`);
    }
    const width = Number(await page.evaluate('document.documentElement.scrollWidth'));
    if (width > size.width) found.push(`${name}: scrolls sideways, ${width} pixels wide`);
  }
  assert.deepEqual(found, [], what);
}
