// A password that is forgotten in the middle of a sign-in, in a real Chromium: letter, new password, and the application.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { createBrowserClient } from '../../examples/browser-client/server.ts';
import { openBrowser } from '../support/browser.ts';
import { type Correspondence, linkIn, NEW_PASSWORD, startCorrespondence } from '../support/letters.ts';
import { newSecret } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';

describe('a forgotten password in Chromium', () => {
  let browser: Browser;
  let correspondence: Correspondence;
  let server: Server;
  let application: string;

  before(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    // another host than the provider's, so that neither sees the cookies of the other
    application = `http://localhost:${port}`;
    const clientSecret = newSecret();
    [browser, correspondence] = await Promise.all([
      openBrowser(),
      startCorrespondence({
        BROWSER_UI_CLIENT_SECRET: clientSecret,
        BROWSER_UI_REDIRECT_URIS: `${application}/callback`,
      }),
    ]);
    const client = createBrowserClient({
      issuer: correspondence.service.issuer,
      clientId: 'browser-ui',
      clientSecret,
      baseUrl: application,
      loggingUrl: application,
      audience: 'logging-service',
      host: '127.0.0.1',
      port,
    });
    server.on('request', client.callback());
  });
  after(async () => {
    await browser?.close();
    server?.close();
    server?.closeAllConnections();
    await correspondence?.[Symbol.asyncDispose]();
  });

  it('is replaced by the link of a letter, opened in another tab after the sign-in expired, and the application is reached', () =>
    withMovingTime(async (pass) => {
      const { service, mailbox } = correspondence;
      const account = await correspondence.addAccount({ username: 'forgetful', claims: { name: 'Frances' } });
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        await page.goto(`${application}/login`);
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
        await tab.waitForURL(`${application}/`);
        assert.equal(await tab.textContent('h1'), 'Hello, Frances');
      } finally {
        await context.close();
      }
    }));
});
