// A password that is forgotten in the middle of a sign-in, in a real Chromium: letter, new password, and the application.
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { openBrowserBeside } from '../support/browser.ts';
import { type Correspondence, linkIn, NEW_PASSWORD, startCorrespondence } from '../support/letters.ts';
import { type SampleClient, startSampleClient } from '../support/sample-client.ts';
import { withMovingTime } from '../support/time.ts';

describe('a forgotten password in Chromium', () => {
  let browser: Browser;
  let application: SampleClient<Correspondence>;

  before(async () => {
    [browser, application] = await openBrowserBeside(startSampleClient(startCorrespondence, ({ service }) => service));
  });
  after(async () => {
    await browser?.close();
    await application?.[Symbol.asyncDispose]();
  });

  it('is replaced by the link of a letter, opened in another tab after the sign-in expired, and the application is reached', () =>
    withMovingTime(async (pass) => {
      const { service, mailbox, addAccount } = application.provider;
      const account = await addAccount({ username: 'forgetful', claims: { name: 'Frances' } });
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        await page.goto(`${application.url}/login`);
        await page.click('#forgot');
        await page.fill('#login', account.email);
        await page.click('#send');
        assert.equal(await page.textContent('h1'), 'Look at your e-mail');
        const link = linkIn(await mailbox.next(), service, '/reset-password');

        const tab = await context.newPage();
        await tab.goto(link);
        await tab.fill('#password', 'tiny');
        await tab.click('#save');
        assert.match(String(await tab.textContent('#error')), /at least 15 characters/);
        await tab.fill('#password', NEW_PASSWORD);
        await tab.click('#save');
        assert.equal(await tab.textContent('h1'), 'Your password is changed');

        pass(3601);
        await tab.click('#next');
        assert.equal(await tab.textContent('h1'), 'This sign-in is no longer open here');
        await tab.click('#next');
        await tab.fill('#login', 'forgetful');
        await tab.fill('#password', NEW_PASSWORD);
        await tab.click('#sign-in');
        await tab.waitForURL(`${application.url}/`);
        assert.equal(await tab.textContent('h1'), 'Hello, Frances');
      } finally {
        await context.close();
      }
    }));
});
