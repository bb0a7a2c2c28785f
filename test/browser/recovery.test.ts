// Sign-ins that go wrong in a real Chromium: each ends in the application, or on pages with one sentence and one button that lead there.
import assert from 'node:assert/strict';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { openBrowserBeside } from '../support/browser.ts';
import { type RestartingService, startRestartingService } from '../support/restarting-service.ts';
import { type SampleClient, startSampleClient } from '../support/sample-client.ts';
import { newSecret } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';

const PASSWORD = 'correct horse battery';

describe('a sign-in that goes wrong in Chromium', () => {
  let browser: Browser;
  let provider: RestartingService;
  let client: SampleClient<RestartingService>;
  let application: string;

  before(async () => {
    [browser, client] = await openBrowserBeside(startSampleClient(startRestartingService, (service) => service));
    provider = client.provider;
    application = client.url;
    await provider.current().accounts.add({ username: 'bob', password: PASSWORD, claims: { name: 'Bob' } });
  });
  after(async () => {
    await browser?.close();
    await client?.[Symbol.asyncDispose]();
  });

  it('expired: goes on by one button', () =>
    withMovingTime((pass) =>
      withPage(async (page) => {
        await openLogin(page);
        pass(3601);
        await signIn(page);
        await goOn(page, 'This sign-in is no longer open here');
        await signIn(page);
        await isSignedIn(page);
      }),
    ));

  it('left with the Back button when it was done: leads back to the application', () =>
    withPage(async (page) => {
      await openLogin(page);
      await signIn(page);
      await isSignedIn(page);
      await page.goBack();
      await goOn(page, 'This sign-in is done');
      await isSignedIn(page);
    }));

  it('in three tabs: each of them signs in', () =>
    withPage(async (page, context) => {
      const tabs = [page, await context.newPage(), await context.newPage()];
      for (const tab of tabs) await openLogin(tab);
      for (const tab of tabs.reverse()) {
        await signIn(tab);
        await arrives(tab);
      }
    }));

  it('submitted twice: signs in', () =>
    withPage(async (page) => {
      await openLogin(page);
      await page.fill('#login', 'alice');
      await page.fill('#password', PASSWORD);
      await page.dblclick('#sign-in', { noWaitAfter: true });
      await arrives(page);
    }));

  for (const gap of [45, 100]) {
    it(`submitted by two clicks, ${gap} ms apart: signs in at once`, () =>
      withPage(async (page) => {
        await openLogin(page);
        await page.fill('#login', 'alice');
        await page.fill('#password', PASSWORD);
        await clickTwice(page, gap);
        await isSignedIn(page);
      }));
  }

  it('submitted by two clicks without JavaScript: signs in, if need be with the form once more', () =>
    withPage(
      async (page) => {
        await openLogin(page);
        await page.fill('#login', 'alice');
        await page.fill('#password', PASSWORD);
        await clickTwice(page, 60);
        await page.waitForLoadState('networkidle');
        // the cookies of an answer that the browser did not wait for are lost
        if ((await page.textContent('h1')) === 'This sign-in is no longer open here') await page.click('#next');
        if ((await page.locator('#password').count()) > 0) await signIn(page);
        await arrives(page);
      },
      { javaScriptEnabled: false },
    ));

  it('done after a wrong password, and left with the Back button: leads back to the application', () =>
    withPage(async (page) => {
      await openLogin(page);
      await page.fill('#login', 'alice');
      await page.fill('#password', 'not this one');
      await page.click('#sign-in');
      await page.waitForSelector('#error');
      await page.reload();
      assert.equal(await page.locator('#error').count(), 0, 'reloading the page sends nothing again');
      await signIn(page);
      await isSignedIn(page);
      await page.goBack();
      await goOn(page, 'This sign-in is done');
      await isSignedIn(page);
    }));

  it('whose cookies were lost: goes on by one button', () =>
    withPage(async (page, context) => {
      await openLogin(page);
      await context.clearCookies({ domain: '127.0.0.1' });
      await signIn(page);
      await goOn(page, 'This sign-in is no longer open here');
      await signIn(page);
      await isSignedIn(page);
    }));

  it('in a browser that blocks cookies: says so, never goes round by itself, and goes on once they are allowed', () =>
    withPage(async (page) => {
      provider.losesCookies = true;
      try {
        await page.goto(application);
        await page.click('#sign-in');
        await goOn(page, 'This sign-in is no longer open here');
        await goOn(page, 'Your browser keeps no cookies');
        assert.equal(await page.textContent('h1'), 'Your browser keeps no cookies');
      } finally {
        provider.losesCookies = false;
      }
      await goOn(page, 'Your browser keeps no cookies');
      await signIn(page);
      await isSignedIn(page);
    }));

  it('while the server restarts: notices nothing', () =>
    withPage(async (page) => {
      await openLogin(page);
      await provider.restart();
      await signIn(page);
      await isSignedIn(page);
    }));

  it('while every secret is replaced with overlap: notices nothing', () =>
    withPage(async (page) => {
      await openLogin(page);
      const { cookieSecrets, encryptionKeys } = provider.current().config;
      await provider.restart({
        COOKIE_SECRET: [newSecret(), ...cookieSecrets].join(),
        ENCRYPTION_KEY: [newSecret(), ...encryptionKeys].join(),
      });
      await signIn(page);
      await isSignedIn(page);
    }));

  it('while the cookie secret is replaced at once: goes on by one button', () =>
    withPage(async (page) => {
      await openLogin(page);
      await provider.restart({ COOKIE_SECRET: newSecret() });
      await signIn(page);
      await goOn(page, 'This sign-in is no longer open here');
      await signIn(page);
      await isSignedIn(page);
    }));

  for (const [situation, options] of [
    ['with JavaScript', {}],
    ['without JavaScript', { javaScriptEnabled: false }],
  ] as [string, BrowserContextOptions][]) {
    it(`when another account signed in from another tab, ${situation}: signs in with its own`, () =>
      withPage(async (page, context) => {
        await openLogin(page);
        const other = await context.newPage();
        await openLogin(other);
        await signIn(other, 'bob');
        await isSignedIn(other, 'Bob');
        await signIn(page);
        await arrives(page);
      }, options));
  }

  it('begun at a bookmark of the sign-in page, in another browser: leads to the application', async () => {
    let bookmark = '';
    await withPage(async (page) => {
      await openLogin(page);
      bookmark = page.url();
    });
    await withPage(async (page) => {
      await page.goto(bookmark);
      await goOn(page, 'This sign-in is no longer open here');
      await signIn(page);
      await arrives(page);
    });
  });

  it('begun at /login alone: leads to the account page', () =>
    withPage(async (page) => {
      await openLogin(page);
      await signIn(page);
      await isSignedIn(page);
      await page.goto(`${provider.issuer}/login`);
      await page.waitForURL(`${provider.issuer}/account`);
      assert.equal(await page.textContent('h1'), 'Your account');
    }));

  it('whose resume URL is opened again: leads to the application', () =>
    withPage(async (page) => {
      const resumed: string[] = [];
      page.on('request', (request) => {
        if (request.url().startsWith(`${provider.issuer}/authorize/`)) resumed.push(request.url());
      });
      await openLogin(page);
      await signIn(page);
      await isSignedIn(page);
      assert.equal(resumed.length, 1);
      await page.goto(String(resumed[0]));
      await goOn(page, 'This sign-in is done');
      await isSignedIn(page);
    }));

  /** Nothing that the browser is shown may be an error of ours. */
  async function withPage(
    story: (page: Page, context: BrowserContext) => Promise<void>,
    options: BrowserContextOptions = {},
  ): Promise<void> {
    const context = await browser.newContext(options);
    const failures: string[] = [];
    context.on('response', (response) => {
      if (response.status() >= 500) failures.push(`${response.status()} ${response.url()}`);
    });
    try {
      await story(await context.newPage(), context);
      assert.deepEqual(failures, []);
    } finally {
      await context.close();
    }
  }

  async function openLogin(page: Page): Promise<void> {
    await page.goto(`${application}/login`);
    await page.waitForSelector('#password');
  }

  async function signIn(page: Page, login = 'alice'): Promise<void> {
    await page.fill('#login', login);
    await page.fill('#password', PASSWORD);
    await page.click('#sign-in');
  }

  /** As a hand does it: the second click may come while the first one's answer is under way. */
  async function clickTwice(page: Page, gapMs: number): Promise<void> {
    const box = await page.locator('#sign-in').boundingBox();
    assert.ok(box);
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    await page.mouse.click(x, y);
    await page.waitForTimeout(gapMs);
    await page.mouse.click(x, y);
  }

  async function isSignedIn(page: Page, name = 'Demo User'): Promise<void> {
    await page.waitForURL(`${application}/`);
    assert.equal(await page.textContent('h1'), `Hello, ${name}`);
  }

  /** The page that says `title` has one sentence and one button: presses it. */
  async function goOn(page: Page, title: string): Promise<void> {
    assert.equal(await page.textContent('h1'), title);
    assert.equal(await page.locator('main > p').count(), 1);
    assert.equal(await page.locator('main a, main button').count(), 1);
    await page.click('#next');
  }

  /** By itself, or by at most two pages that have one button, which may be the application's. */
  async function arrives(page: Page): Promise<void> {
    const button = page.locator('#next, #continue, #go-on');
    for (let pages = 0; pages < 3; pages += 1) {
      await page.locator('h1:text("Hello, "), #next, #continue, #go-on').first().waitFor();
      if ((await page.locator('h1:text("Hello, ")').count()) > 0) break;
      assert.equal(await button.count(), 1);
      await button.click();
    }
    await isSignedIn(page);
  }
});
