// A story in Chromium: somebody looks after their account, and signs a forgotten browser out.
import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { openBrowserBeside } from '../support/browser.ts';
import { PASSWORD } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

const NEW_PASSWORD = 'seven marmots under glass';

describe('the account page in Chromium', () => {
  let browser: Browser;
  let service: Service;

  before(async () => {
    [browser, service] = await openBrowserBeside(startService());
    await service.accounts.add({ username: 'bob', password: PASSWORD });
  });
  after(async () => {
    await browser?.close();
    await service?.[Symbol.asyncDispose]();
  });

  async function openAccount(page: Page, password = PASSWORD, login = 'alice'): Promise<void> {
    await page.goto(`${service.origin}/`);
    await page.getByRole('link', { name: 'Your account' }).click();
    await page.getByLabel('Username or email').fill(login);
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('Keep me signed in on this device').check();
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(`${service.origin}/account`);
  }

  it('can be left and come back to where a form was refused, and sends nothing again', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await openAccount(page, PASSWORD, 'bob');
    await page.goto(`${service.origin}/account/password`);
    await page.getByLabel('Current password').fill('not this one');
    await page.getByLabel('New password').fill(NEW_PASSWORD);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.waitForURL(`${service.origin}/account`);
    await page.goBack();
    assert.equal(page.url(), `${service.origin}/account/password`);
    assert.ok(await page.getByLabel('Current password').isVisible());
    assert.equal(await page.getByRole('alert').count(), 0);
    await context.close();
  });

  it('changes the name, signs another browser out, changes the password, and signs out', async () => {
    const [here, there] = await Promise.all([
      browser.newContext({ javaScriptEnabled: false }),
      browser.newContext({ viewport: { width: 390, height: 844 } }),
    ]);
    const [page, forgotten] = await Promise.all([here.newPage(), there.newPage()]);
    await openAccount(page);
    await openAccount(forgotten);

    await page.getByRole('link', { name: 'Profile' }).click();
    await page.getByLabel('Name').fill('Alice Example');
    await page.getByRole('button', { name: 'Save' }).click();
    assert.equal(await page.getByRole('status').textContent(), 'Your profile is saved.');

    await page.getByRole('link', { name: 'Where you are signed in' }).click();
    await page.getByRole('button', { name: /^Sign out: .* on Linux$/ }).click();
    assert.equal(await page.getByRole('status').textContent(), 'You are signed out there.');
    await forgotten.reload();
    assert.ok(await forgotten.getByLabel('Password').isVisible());

    await page.getByRole('link', { name: 'Password' }).click();
    await page.getByLabel('Current password').fill(PASSWORD);
    await page.getByLabel('New password').fill(NEW_PASSWORD);
    await page.getByRole('button', { name: 'Change password' }).click();
    assert.match(String(await page.getByRole('status').textContent()), /^Your password is changed/);

    await page.getByRole('link', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await openAccount(page, NEW_PASSWORD);
    await Promise.all([here.close(), there.close()]);
  });
});
