// Passkeys in a real Chromium with its virtual authenticator: added on the account page, and signed in with.
import assert from 'node:assert/strict';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import type { Account } from '../../src/store.ts';
import { openBrowserBeside } from '../support/browser.ts';
import { type RedirectTarget, startRedirectTarget } from '../support/redirect-target.ts';
import { addRelyingParty, authorizationRequest, type RelyingParty, redeem } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

const PASSWORD = 'seven quiet lanterns drift';

/** A browser that has WebAuthn, but does not fill passkeys in. */
const NO_AUTOFILL = 'PublicKeyCredential.isConditionalMediationAvailable = async () => false';
const NO_WEBAUTHN = 'delete globalThis.PublicKeyCredential';

describe('passkeys in Chromium', () => {
  let service: Service;
  let party: RelyingParty;
  let browser: Browser;
  /** where the application is that somebody signs in to */
  let application: RedirectTarget;
  let redirectUri: string;
  let account: Account;
  let added = 0;

  before(async () => {
    [browser, service] = await openBrowserBeside(startService({}, { hostname: 'localhost' }));
    application = await startRedirectTarget();
    redirectUri = application.redirectUri;
    party = await addRelyingParty(service, { redirect_uris: [redirectUri] });
  });
  after(async () => {
    await browser?.close();
    await application?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
  });

  interface Device {
    context: BrowserContext;
    page: Page;
    /** what its authenticator does */
    set(how: { userVerified?: boolean; present?: boolean }): Promise<void>;
  }

  /**
   * A new account on a device with an authenticator. The browser may say nothing of its own accord but that an answer was
   * refused, and asks nobody but us.
   * @param script runs before those of each page
   */
  async function onDevice(story: (device: Device) => Promise<void>, script = NO_AUTOFILL): Promise<void> {
    added += 1;
    account = await service.accounts.add({ username: `person-${added}`, password: PASSWORD });
    const context = await browser.newContext();
    const complaints: string[] = [];
    try {
      await context.addInitScript(script);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (!message.text().startsWith('Failed to load resource')) complaints.push(message.text());
      });
      await story({ context, page, set: await addAuthenticator(await context.newCDPSession(page)) });
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  }

  async function addAuthenticator(cdp: CDPSession): Promise<Device['set']> {
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return async ({ userVerified, present }) => {
      if (userVerified !== undefined) {
        await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: userVerified });
      }
      if (present !== undefined) {
        await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: present });
      }
    };
  }

  async function typePassword(page: Page): Promise<void> {
    await page.fill('#login', account.username);
    await page.fill('#password', PASSWORD);
    await page.click('#sign-in');
  }

  /** On the account page, whose session then ends. */
  async function addPasskey({ context, page }: Device): Promise<void> {
    await page.goto(`${service.issuer}/account/passkeys/add`);
    await typePassword(page);
    await page.click('#use-passkey');
    await page.waitForURL('**/account/recovery-codes');
    await context.clearCookies();
  }

  /** What the ID token says, once `act` has led back to the application. */
  async function signedIn(page: Page, act: () => Promise<void>) {
    const { url, checks } = await authorizationRequest(party, { redirect_uri: redirectUri });
    await page.goto(url.href);
    await act();
    await page.waitForURL(`${redirectUri}*`);
    const claims = (await redeem(party, new URL(page.url()), checks)).claims();
    return { sub: claims?.sub, acr: claims?.['acr'], amr: claims?.['amr'] };
  }

  it('are added on the account page, and sign in by the button alone', () =>
    onDevice(async (device) => {
      const { page } = device;
      await addPasskey(device);
      const [kept] = await service.store.passkeys.listOf(account.id);
      assert.deepEqual([kept?.name, kept?.transports], ['Chrome on Linux', ['internal']]);
      const claims = await signedIn(page, () => page.click('#use-passkey'));
      assert.deepEqual(claims, { sub: account.id, acr: 'phr', amr: ['hwk', 'user', 'mfa'] });
    }));

  it('leave it to the person whether the session outlives the browser', () =>
    onDevice(async (device) => {
      const { context, page } = device;
      await addPasskey(device);
      for (const remember of [false, true]) {
        await signedIn(page, async () => {
          await page.setChecked('[name=remember]', remember);
          await page.click('#use-passkey');
        });
        const session = (await context.cookies(service.issuer)).find(({ name }) => name === 'session');
        assert.equal(session?.expires !== -1, remember);
        await context.clearCookies();
      }
    }));

  it('sign in by what the browser fills in (conditional mediation)', () =>
    onDevice(async (device) => {
      const { page } = device;
      await addPasskey(device);
      // the virtual authenticator answers for the person as soon as the page offers to fill in
      const claims = await signedIn(page, async () => {});
      assert.deepEqual(claims, { sub: account.id, acr: 'phr', amr: ['hwk', 'user', 'mfa'] });
    }, ''));

  it('sign in by the button while the browser waits to fill in', () =>
    onDevice(async (device) => {
      const { page, set } = device;
      await addPasskey(device);
      await set({ present: false });
      const claims = await signedIn(page, async () => {
        assert.equal(await page.getAttribute('#login', 'autocomplete'), 'username webauthn');
        // for what is asked from now on: the browser goes on waiting
        await set({ present: true });
        await page.click('#use-passkey');
      });
      assert.equal(claims.sub, account.id);
    }, ''));

  it('are the second factor after the password', () =>
    onDevice(async (device) => {
      const { page } = device;
      await addPasskey(device);
      const claims = await signedIn(page, async () => {
        await typePassword(page);
        await page.click('#use-passkey');
      });
      assert.deepEqual(claims, { sub: account.id, acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] });
    }));

  it('are one factor where nobody is asked for PIN or fingerprint: not enough alone, but after the password', () =>
    onDevice(async (device) => {
      const { page, set } = device;
      await addPasskey(device);
      await set({ userVerified: false });
      const claims = await signedIn(page, async () => {
        await page.click('#use-passkey');
        await page.getByRole('alert').waitFor();
        await typePassword(page);
        await page.click('#use-passkey');
      });
      assert.deepEqual(claims, { sub: account.id, acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] });
    }));

  it('say so when there is none on the device, and the password goes on from there', () =>
    onDevice(async ({ page }) => {
      const claims = await signedIn(page, async () => {
        await page.click('#use-passkey');
        const said = page.getByRole('alert');
        await said.waitFor();
        assert.equal(
          await said.textContent(),
          'That was cancelled, or did not work. Try again, or go on without a passkey.',
        );
        await typePassword(page);
      });
      assert.deepEqual(claims, { sub: account.id, acr: 'aal1', amr: ['pwd'] });
    }));

  it('are added within a sign-in that needs a second factor, and end it with the recovery codes', () =>
    onDevice(async ({ page }) => {
      await service.accounts.requireMfa(account.id, true);
      const claims = await signedIn(page, async () => {
        await typePassword(page);
        await page.click('#use-passkey');
        await page.waitForURL('**/recovery-codes*');
        assert.equal(await page.locator('#recovery-codes li').count(), 10);
        await page.check('[name=kept]');
        await page.click('#go-on');
      });
      assert.deepEqual(claims, { sub: account.id, acr: 'phr', amr: ['pwd', 'hwk', 'user', 'mfa'] });
      assert.equal((await service.store.passkeys.listOf(account.id)).length, 1);
    }));

  it('are not asked for without a word in a browser that has none, where nothing else would do', () =>
    onDevice(async ({ page }) => {
      const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'phr' } } });
      const { url } = await authorizationRequest(party, { redirect_uri: redirectUri, claims });
      await page.goto(url.href);
      await typePassword(page);
      await page.getByText('This browser cannot use passkeys. Try another one.').waitFor();
      assert.equal(await page.locator('#use-passkey').isVisible(), false);
      await page.click('#cancel');
      await page.waitForURL(`${redirectUri}*error=access_denied*`);
    }, NO_WEBAUTHN));

  it('are not added twice on one device', () =>
    onDevice(async (device) => {
      const { page } = device;
      await addPasskey(device);
      await page.goto(`${service.issuer}/account/passkeys/add`);
      await page.click('#use-passkey');
      await page.waitForURL('**/account/passkeys/add');
      await page.click('#use-passkey');
      assert.equal(
        await page.getByRole('alert').textContent(),
        'There is a passkey for your account on this device already.',
      );
      assert.equal((await service.store.passkeys.listOf(account.id)).length, 1);
    }));

  it('are not there in a browser without them, where the password signs in', () =>
    onDevice(async ({ page }) => {
      const claims = await signedIn(page, async () => {
        assert.equal(await page.locator('#use-passkey').isVisible(), false);
        await typePassword(page);
      });
      assert.deepEqual(claims.amr, ['pwd']);
    }, NO_WEBAUTHN));
});
