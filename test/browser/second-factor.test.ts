// A second factor in a real Chromium, without JavaScript: enrolled within a sign-in, and asked for at the next one.
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openBrowserBeside } from '../support/browser.ts';
import { type RedirectTarget, startRedirectTarget } from '../support/redirect-target.ts';
import { addRelyingParty, authorizationRequest, PASSWORD, type RelyingParty } from '../support/relying-party.ts';
import { codeOf } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';

const phone: BrowserContextOptions = { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true };

describe('the second factor in Chromium', () => {
  let browser: Browser;
  let service: Service;
  let party: RelyingParty;
  let application: RedirectTarget;
  let redirectUri: string;

  before(async () => {
    [browser, service] = await openBrowserBeside(startService());
    application = await startRedirectTarget();
    redirectUri = application.redirectUri;
    party = await addRelyingParty(service, { require_mfa: true, redirect_uris: [redirectUri] });
  });
  after(async () => {
    await browser?.close();
    await service?.[Symbol.asyncDispose]();
    await application?.[Symbol.asyncDispose]();
  });

  for (const [index, [situation, options]] of (
    [
      ['on a desk in the dark', { colorScheme: 'dark' }],
      ['on a small phone', phone],
    ] as [string, BrowserContextOptions][]
  ).entries()) {
    it(`${situation}: is enrolled, and then asked for`, async () => {
      const username = `chromium-${index}`;
      await service.accounts.add({ username, password: PASSWORD });
      let secret = '';
      await withPage(options, async (page) => {
        await showPassword(page, username);
        await showsAQrCode(page);
        await page.click('summary');
        secret = ((await page.textContent('.secret')) ?? '').replaceAll(/\s/g, '');
        assert.match((await page.getAttribute('#open-app', 'href')) ?? '', new RegExp(`^otpauth://totp/.*${secret}`));
        await page.fill('#code', codeOf(secret));
        await page.click('#enrol');
        assert.equal(await page.locator('#recovery-codes code').count(), 10);
        assert.ok(
          await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
          'nothing scrolls sideways',
        );
        await page.click('#go-on');
        assert.ok(page.url().includes('/recovery-codes'), 'the box has to be ticked');
        await page.check('[name=kept]');
        await page.click('#go-on');
        await arrives(page);
      });
      await withPage(options, async (page) => {
        await showPassword(page, username);
        await page.locator('#code:focus').waitFor();
        await page.fill('#code', '000000');
        await page.keyboard.press('Enter');
        assert.match((await page.textContent('[role=alert]')) ?? '', /does not work/);
        await page.click('#other');
        assert.equal(await page.textContent('h1'), 'Use a recovery code');
        await page.click('#other');
        await page.fill('#code', codeOf(secret, 1));
        await page.click('#verify');
        await arrives(page);
      });
    });
  }

  /** Every page loads nothing from elsewhere and breaks no policy. */
  async function withPage(options: BrowserContextOptions, story: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext({ ...options, javaScriptEnabled: false });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load')) complaints.push(message.text());
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol !== 'data:' && ![service.origin, new URL(redirectUri).origin].includes(origin)) {
        complaints.push(`asked for ${request.url()}`);
      }
    });
    try {
      await story(page);
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  }

  async function showPassword(page: Page, username: string): Promise<void> {
    await page.goto((await authorizationRequest(party, { redirect_uri: redirectUri })).url.href);
    await page.fill('#login', username);
    await page.fill('#password', PASSWORD);
    await page.click('#sign-in');
  }

  /** Dark on white, whatever the colour scheme, and large enough for a camera. */
  async function showsAQrCode(page: Page): Promise<void> {
    const box = await page.locator('svg.qr').boundingBox();
    assert.ok(box && box.width >= 150 && Math.abs(box.width - box.height) < 1, JSON.stringify(box));
    const style = 'getComputedStyle(document.querySelector("svg.qr"))';
    assert.equal(await page.evaluate(`${style}.backgroundColor`), 'rgb(255, 255, 255)');
    assert.equal(await page.evaluate('getComputedStyle(document.querySelector("svg.qr path")).fill'), 'rgb(0, 0, 0)');
  }

  async function arrives(page: Page): Promise<void> {
    await page.waitForURL(`${redirectUri}**`);
    assert.ok(new URL(page.url()).searchParams.get('code'), page.url());
  }
});
