// Signing in with an account elsewhere in a real Chromium: what our pages forbid must not stand in the way.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { Browser, Page } from 'playwright-core';
import { openBrowserBeside } from '../support/browser.ts';
import { PASSWORD } from '../support/relying-party.ts';
import { startUpstreamSetting, type UpstreamSetting } from '../support/upstream-setting.ts';

describe('an account elsewhere in Chromium', () => {
  let browser: Browser;
  let setting: UpstreamSetting;
  before(async () => {
    [browser, setting] = await openBrowserBeside(startUpstreamSetting());
  });
  after(async () => {
    await browser?.close();
    await setting?.[Symbol.asyncDispose]();
  });

  async function signIn(page: Page, username: string): Promise<void> {
    await page.fill('#login', username);
    await page.fill('#password', PASSWORD);
    await page.click('#sign-in');
  }

  it('is connected on the account page, and signs in from then on', async () => {
    const { here, there } = setting;
    await there.accounts.add({ username: 'alice.elsewhere', password: PASSWORD });

    const first = await browser.newContext();
    const page = await first.newPage();
    await page.goto(`${here.issuer}/account/identities`);
    await signIn(page, 'alice');
    await page.click('#connect-oidc');
    await page.waitForURL(`${there.issuer}/login/**`);
    await signIn(page, 'alice.elsewhere');
    await page.waitForURL(`${here.issuer}/account/identities`);
    assert.match((await page.textContent('#notice')) ?? '', /You can sign in with that account now/);
    await first.close();

    // nothing is typed here; the box counts for the button all the same, and without a script
    for (const remember of [false, true]) {
      const second = await browser.newContext({ javaScriptEnabled: false });
      const other = await second.newPage();
      await other.goto(`${here.issuer}/account`);
      await other.setChecked('[name=remember]', remember);
      await other.click('#upstream-oidc');
      await other.waitForURL(`${there.issuer}/login/**`);
      await signIn(other, 'alice.elsewhere');
      await other.waitForURL(`${here.issuer}/account`);
      assert.match((await other.textContent('footer')) ?? '', /alice/);
      const session = (await second.cookies(here.issuer)).find(({ name }) => name === 'session');
      assert.ok(session);
      assert.equal(session.expires !== -1, remember);
      await second.close();
    }
  });

  it('is not where Enter in the password leads', async () => {
    const { here } = setting;
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${here.issuer}/account`);
    await page.fill('#login', 'alice');
    await page.fill('#password', PASSWORD);
    await page.press('#password', 'Enter');
    await page.waitForURL(`${here.issuer}/account`);
    await context.close();
  });
});
