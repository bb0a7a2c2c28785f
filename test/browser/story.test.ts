// The whole story in a real Chromium: sign in, see the claims, write a log line, read it back, sign out, be signed out.
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openBrowserBeside } from '../support/browser.ts';
import { type Platform, startPlatform } from '../support/platform.ts';
import { type SampleClient, startSampleClient } from '../support/sample-client.ts';

const phone: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

describe('the story in Chromium', () => {
  let browser: Browser;
  let sample: SampleClient<Platform>;

  before(async () => {
    [browser, sample] = await openBrowserBeside(
      startSampleClient(startPlatform, ({ identity, logging }) => ({ issuer: identity, logging })),
    );
  });
  after(async () => {
    await browser?.close();
    await sample?.[Symbol.asyncDispose]();
  });

  for (const [situation, options] of [
    ['on a desk', {}],
    ['without JavaScript', { javaScriptEnabled: false }],
    ['on a phone', phone],
    ['in the dark', { colorScheme: 'dark' }],
    ['on a phone in the dark without JavaScript', { ...phone, colorScheme: 'dark', javaScriptEnabled: false }],
  ] as [string, BrowserContextOptions][]) {
    it(`${situation}: signs in after a slip, shows claims, writes and reads a line, signs out`, async () => {
      await withPage(options, async (page) => {
        await openLogin(page);
        await tellsPlainlyThatThePasswordIsWrong(page);
        await signIn(page);
        await showsTheClaims(page);
        await writesALineAndReadsItBack(page, `written ${situation}`);
        await signsOut(page);
        await asksForThePasswordAgain(page);
      });
    });
  }

  it('without a screen: the keyboard alone signs in', async () => {
    await withPage({}, async (page) => {
      await openLogin(page);
      await page.locator('#login:focus').waitFor();
      await page.keyboard.type('alice');
      await page.keyboard.press('Tab');
      await page.keyboard.type('correct horse battery');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${sample.url}/`);
      assert.equal(await page.textContent('h1'), 'Hello, Demo User');
    });
  });

  it('keeps the sign-in of one window for the next, and asks a stranger', async () => {
    await withPage({}, async (page) => {
      await openLogin(page);
      await signIn(page);
      await page.context().clearCookies({ name: 'browser-client' });
      await page.goto(`${sample.url}/login`);
      assert.equal(page.url(), `${sample.url}/`, 'the provider knew who it is');
    });
    await withPage({}, openLogin);
  });

  it('gives a claim the whole width on the smallest phone', async () => {
    await withPage({ ...phone, viewport: { width: 360, height: 740 } }, async (page) => {
      await openLogin(page);
      await signIn(page);
      const elements = await page.locator('#claims, #claims tbody tr > *').all();
      const boxes = await Promise.all(elements.map((element) => element.boundingBox()));
      const widths = [...new Set(boxes.map((box) => box?.width))];
      assert.equal(widths.length, 1, `name, value and source are as wide as the table, not ${widths.join(', ')}`);
    });
  });

  for (const [situation, options] of [
    ['with JavaScript', {}],
    ['without JavaScript', { javaScriptEnabled: false }],
  ] as [string, BrowserContextOptions][]) {
    it(`${situation}: comes back kindly from a sign-in that was cancelled`, async () => {
      await withPage(options, async (page) => {
        await openLogin(page);
        await page.click('#cancel');
        assert.equal(await page.textContent('h1'), 'You cancelled the sign-in');
        await page.click('#continue');
        assert.ok(page.url().startsWith(`${sample.provider.identity}/login/`));
      });
    });
  }

  it('shows a page of our own for an unknown client, and never a redirect (RFC 6749 §4.1.2.1)', async () => {
    await withPage({}, async (page) => {
      const query = new URLSearchParams({
        client_id: 'nobody',
        redirect_uri: sample.url,
        response_type: 'code',
        scope: 'openid',
      });
      const response = await page.goto(`${sample.provider.identity}/authorize?${query}`);
      assert.equal(response?.status(), 400);
      assert.match((await page.textContent('.facts')) ?? '', /invalid_client/);
    });
  });

  /** Every page must be ours, load nothing from elsewhere, and log nothing to the console but refused requests. */
  async function withPage(options: BrowserContextOptions, story: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const own = [sample.url, sample.provider.identity];
    const complaints: string[] = [];
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol !== 'data:' && !own.includes(origin)) complaints.push(`asked for ${request.url()}`);
    });
    page.on('console', (message) => {
      // Chromium reports each answer of 400 and above, which a refused password is
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        complaints.push(message.text());
      }
    });
    try {
      await story(page);
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  }

  async function openLogin(page: Page): Promise<void> {
    await page.goto(sample.url);
    assert.equal(await page.textContent('h1'), 'Sample client');
    await page.click('#sign-in');
    assert.ok(page.url().startsWith(`${sample.provider.identity}/login/`), page.url());
    assert.match((await page.textContent('main')) ?? '', /to continue to Browser UI/);
  }

  async function tellsPlainlyThatThePasswordIsWrong(page: Page): Promise<void> {
    await page.fill('#login', 'alice');
    await page.fill('#password', 'wrong');
    await page.click('#sign-in');
    assert.equal(
      await page.textContent('[role=alert]'),
      'That name and password do not match. Check both and try again. After many attempts, wait a few minutes first.',
    );
    assert.equal(await page.inputValue('#login'), 'alice', 'the name need not be typed again');
    assert.equal(await page.inputValue('#password'), '');
  }

  async function signIn(page: Page): Promise<void> {
    await page.fill('#login', 'alice');
    await page.fill('#password', 'correct horse battery');
    await page.click('#sign-in');
    await page.waitForURL(`${sample.url}/`);
  }

  async function showsTheClaims(page: Page): Promise<void> {
    assert.equal(await page.textContent('h1'), 'Hello, Demo User');
    assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing scrolls sideways');
    const claims = await page.locator('#claims tbody tr').allTextContents();
    for (const claim of [
      `iss${sample.provider.identity}ID token`,
      'audbrowser-uiID token',
      'emaildemo@example.comuserinfo',
    ]) {
      assert.ok(claims.includes(claim), `${claim} among ${claims.join('\n')}`);
    }
  }

  async function writesALineAndReadsItBack(page: Page, line: string): Promise<void> {
    await page.fill('#message', line);
    await page.click('#write-line');
    assert.equal(await page.textContent('[role=status]'), 'Your line was written.');
    const [latest] = await page.locator('#lines tbody tr').allTextContents();
    assert.ok(latest?.endsWith(`INFObrowser-client${line}`), latest);
  }

  async function signsOut(page: Page): Promise<void> {
    await page.click('#sign-out');
    assert.equal(await page.textContent('h1'), 'Sign out?');
    await page.click('#sign-out');
    await page.waitForURL(`${sample.url}/`);
    assert.equal(await page.textContent('[role=status]'), 'You are signed out of this application.');
    assert.equal(await page.locator('#claims').count(), 0);
  }

  async function asksForThePasswordAgain(page: Page): Promise<void> {
    await page.click('#sign-in');
    await page.waitForSelector('#password');
    assert.ok(page.url().startsWith(`${sample.provider.identity}/login/`));
  }
});
