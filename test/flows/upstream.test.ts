// Signing in at another provider, which here is a second instance of this service, or something that answers like GitHub.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'mocha';
import type { StandardClaims } from '../../src/store.ts';
import {
  addRelyingParty,
  authorizationRequest,
  type Checks,
  callbackOf,
  PASSWORD,
  type RelyingParty,
  redeem,
} from '../support/relying-party.ts';
import { codeOf, giveApp, typeCode } from '../support/second-factors.ts';
import { startUpstreamSetting, type UpstreamSetting } from '../support/upstream-setting.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

describe('Sign-in at another OpenID Provider', () => {
  let setting: UpstreamSetting;
  // one for each: cookies do not tell ports apart
  let browser: UserAgent;
  let browserThere: UserAgent;
  let party: RelyingParty;
  let request: { url: URL; checks: Checks };
  let form: Page;

  async function begin(inSetting: UpstreamSetting): Promise<void> {
    setting = inSetting;
    [browser, browserThere] = [createUserAgent(setting.here.issuer), createUserAgent(setting.there.origin)];
    party = await addRelyingParty(setting.here);
    request = await authorizationRequest(party);
    form = await browser.open(request.url.href);
  }

  let usual: UpstreamSetting;
  before(async () => {
    usual = await startUpstreamSetting();
  });
  beforeEach(() => begin(usual));
  after(() => usual[Symbol.asyncDispose]());

  let people = 0;
  /** Somebody with an account there, and what we know it by. */
  async function addThere(claims: StandardClaims = {}): Promise<{ username: string; subject: string }> {
    people += 1;
    const username = `person-${people}`;
    const { id } = await setting.there.accounts.add({ username, password: PASSWORD, claims });
    return { username, subject: `${setting.there.issuer} ${id}` };
  }

  /** Presses the button here, with these values in the form, signs in there; the URL with which the browser comes back. */
  async function signInThere(username: string, values: Record<string, string> = {}): Promise<string> {
    const sent = await browser.submit(form, values, 'upstream-oidc');
    assert.equal(sent.response.status, 303);
    const signIn = await browserThere.open(String(sent.response.headers.get('location')));
    const back = await browserThere.submit(signIn, { login: username, password: PASSWORD });
    return String(back.response.headers.get('location'));
  }

  function assertSays(page: Page, status: number, sentence: RegExp): void {
    assert.equal(page.response.status, status, page.text);
    assert.match(page.document.querySelector('main')?.textContent ?? '', sentence);
    assert.ok(page.document.querySelector('#password'), 'the sign-in page goes on');
  }

  /** Somebody with an account on both sides, linked. */
  async function addLinked(): Promise<{ username: string; subject: string; accountId: string }> {
    const { username, subject } = await addThere();
    const { id: accountId } = await setting.here.accounts.add({ username: `${username}-here` });
    const identity = { upstream: 'oidc', subject, accountId, label: username, createdAt: 1 };
    await setting.here.store.linkedIdentities.insert(identity);
    return { username, subject, accountId };
  }

  it('ends in the application, signed in to the account that is linked', async () => {
    const { username, accountId } = await addLinked();
    const returned = await browser.open(await signInThere(username));
    const tokens = await redeem(party, callbackOf(returned), request.checks);
    const claims = tokens.claims();
    assert.equal(claims?.sub, accountId);
    assert.deepEqual(claims?.['amr'], ['fed']);
    assert.equal(claims?.['acr'], 'aal1');
  });

  for (const remember of ['yes', undefined]) {
    it(`leaves a session that ${remember ? 'outlives' : 'ends with'} the browser, as the box was, after a second factor too`, async () => {
      const { username } = await addLinked();
      const values = { login: 'x', password: 'y', ...(remember && { remember }) };
      const isKept = async () => {
        const cookie = await browser.cookie('session');
        assert.ok(cookie);
        return cookie.expires !== 'Infinity';
      };
      callbackOf(await browser.open(await signInThere(username, values)));
      assert.equal(await isKept(), remember !== undefined);

      const { secret } = await giveApp(setting.here, `${username}-here`);
      browser = createUserAgent(setting.here.issuer);
      browserThere = createUserAgent(setting.there.origin);
      form = await browser.open((await authorizationRequest(party)).url.href);
      const second = await browser.open(await signInThere(username, values));
      callbackOf(await typeCode(browser, second, codeOf(secret)));
      assert.equal(await isKept(), remember !== undefined);
    });
  }

  it('keeps the box ticked when there is no account for the identity', async () => {
    const { username } = await addThere();
    const returned = await browser.open(await signInThere(username, { remember: 'yes' }));
    assertSays(returned, 400, /account page/);
    assert.equal(returned.document.querySelector('[name=remember]')?.hasAttribute('checked'), true);
  });

  it('is asked anew there when the application asks for it (OpenID Connect Core §3.1.2.1)', async () => {
    const promptThere = async () => {
      const sent = await browser.submit(form, {}, 'upstream-oidc');
      return new URL(String(sent.response.headers.get('location'))).searchParams.get('prompt');
    };
    assert.equal(await promptThere(), null);
    form = await browser.open((await authorizationRequest(party, { prompt: 'login' })).url.href);
    assert.equal(await promptThere(), 'login');
  });

  it('says what to do when nobody has linked the identity, and goes on with the password', async () => {
    const { username } = await addThere({ email: 'a.smith@example.org' });
    const returned = await browser.open(await signInThere(username));
    assertSays(returned, 400, /a\.smith@example\.org.*account page/);
    const done = await browser.submit(returned, { login: 'alice', password: PASSWORD });
    await redeem(party, callbackOf(done), request.checks);
  });

  it('goes on after the end-user has cancelled there', async () => {
    const sent = await browser.submit(form, {}, 'upstream-oidc');
    const signIn = await browserThere.open(String(sent.response.headers.get('location')));
    const back = await browserThere.submit(signIn, {}, 'cancel');
    assertSays(await browser.open(String(back.response.headers.get('location'))), 400, /Elsewhere did not sign/);
  });

  it('goes on when the provider cannot be reached any more', async () => {
    await using own = await startUpstreamSetting();
    await begin(own);
    const back = await signInThere('alice');
    await setting.there[Symbol.asyncDispose]();
    assertSays(await browser.open(back), 400, /Elsewhere does not work just now/);
    assert.ok(setting.here.log.some((line) => /"loginFailed".*signing in at Elsewhere failed/.test(line)));
  });

  it('goes on when the provider cannot be reached at all', async () => {
    await using own = await startUpstreamSetting({ UPSTREAM_OIDC_ISSUER: 'http://127.0.0.1:1' });
    await begin(own);
    const page = await browser.submit(form, {}, 'upstream-oidc');
    assertSays(page, 400, /Elsewhere does not work just now/);
  });

  it('takes what comes back once', async () => {
    const back = await signInThere((await addLinked()).username);
    const second = await browser.open(request.url.href);
    callbackOf(await browser.open(back));
    const again = await browser.open(back);
    assert.equal(again.response.status, 400);
    assert.ok(second.document.querySelector('#password'));
  });

  it('does nothing in a browser that did not begin it (login CSRF, security requirement R37)', async () => {
    const back = await signInThere((await addLinked()).username);
    const other = createUserAgent(setting.here.issuer);
    const page = await other.open(back);
    assert.equal(page.response.status, 400);
    assert.equal(await other.cookie('session'), undefined);
    callbackOf(await browser.open(back));
  });

  it('does not mix up two interactions of one browser', async () => {
    const back = new URL(await signInThere((await addLinked()).username));
    const other = await browser.open((await authorizationRequest(party)).url.href);
    const action = new URL(String(other.document.querySelector('form')?.getAttribute('action')), setting.here.issuer);
    const elsewhere = `${setting.here.issuer}${action.pathname}/upstream/oidc${back.search}`;
    assertSays(await browser.open(elsewhere), 400, /took too long, or was used/);
  });

  const forged: [string, (back: URL) => void][] = [
    ['a state that nobody gave out', (back) => back.searchParams.set('state', 'x'.repeat(43))],
    ['no state', (back) => back.searchParams.delete('state')],
    ['two states', (back) => back.searchParams.append('state', 'x')],
    ['a state of 10 KB', (back) => back.searchParams.set('state', 'x'.repeat(10_000))],
    ['the path of another upstream', (back) => (back.pathname = '/upstream/google/callback')],
  ];
  for (const [what, change] of forged) {
    it(`ends on the page that leads on with ${what}`, async () => {
      const back = new URL(await signInThere('alice'));
      change(back);
      const page = await browser.open(back.href);
      assert.equal(page.response.status, 400);
      assert.match(page.text, /Start from your application/);
    });
  }

  const altered: [string, (back: URL) => void][] = [
    ['another code', (back) => back.searchParams.set('code', 'x'.repeat(43))],
    ['another issuer (mix-up, RFC 9207 §2.4)', (back) => back.searchParams.set('iss', 'https://evil.example')],
    ['no issuer although it announces one (RFC 9207 §2.4)', (back) => back.searchParams.delete('iss')],
    ['two codes', (back) => back.searchParams.append('code', 'x')],
    ['an error that is none', (back) => back.searchParams.set('error', '"><svg onload=alert(1)>')],
  ];
  for (const [what, change] of altered) {
    it(`refuses ${what}`, async () => {
      const back = new URL(await signInThere((await addLinked()).username));
      change(back);
      const page = await browser.open(back.href);
      assert.equal(page.response.status, 400, page.text);
      assert.ok(!page.text.includes('<svg onload'));
      assert.equal(await browser.cookie('session'), undefined);
    });
  }

  it('opens no account that is disabled', async () => {
    const { username, accountId } = await addLinked();
    await setting.here.accounts.disable(accountId);
    assertSays(await browser.open(await signInThere(username)), 400, /Sign in with your password/);
  });

  it('leaves a sign-in alone that is at its consent', async () => {
    const { username } = await addLinked();
    const asking = await addRelyingParty(setting.here, { first_party: false });
    const { url } = await authorizationRequest(asking);
    const signIn = await browser.open(url.href);
    const consent = await browser.submit(signIn, { login: 'alice', password: PASSWORD });
    const { pathname, search } = new URL(consent.url);
    const elsewhere = `${setting.here.issuer}${pathname}/upstream/oidc${search}`;
    const csrf = consent.document.querySelector('[name=csrf]')?.getAttribute('value') ?? '';
    const body = new URLSearchParams({ csrf });
    for (const page of [
      await browser.open(elsewhere, { method: 'POST', body }),
      await browser.open(elsewhere.replace('?', `?${new URL(await signInThere(username)).searchParams}&`)),
    ]) {
      assert.equal(page.response.status, 200, page.text);
      assert.ok(page.document.querySelector('#allow'), page.url);
    }
  });

  it('begins from our own form only (security requirement R36)', async () => {
    const action = String(form.document.querySelector('#upstream-oidc')?.getAttribute('formaction'));
    const body = new URLSearchParams({ csrf: 'x' });
    const response = await browser.fetch(new URL(action, setting.here.issuer).href, { method: 'POST', body });
    assert.equal(response.status, 403);
    const sent = await browser.submit(form, {}, 'upstream-oidc');
    assert.equal(sent.response.status, 303);
  });

  describe('on the account page', () => {
    const identities = () => `${setting.here.issuer}/account/identities`;

    /** Signed in here with the password, on the page of accounts elsewhere. */
    async function openPage(): Promise<Page> {
      const { id, username } = await setting.here.accounts.add({ username: `own-${people}`, password: PASSWORD });
      accountId = id;
      const signIn = await browser.open(identities());
      return browser.submit(signIn, { login: username, password: PASSWORD });
    }
    let accountId: string;

    /** Presses the button that connects, signs in there, comes back. */
    async function connect(page: Page, username: string): Promise<Page> {
      const sent = await browser.submit(page, {}, 'connect-oidc');
      const signIn = await browserThere.open(String(sent.response.headers.get('location')));
      const back = await browserThere.submit(signIn, { login: username, password: PASSWORD });
      return browser.open(String(back.response.headers.get('location')));
    }

    it('an identity is connected, signs in, and is disconnected', async () => {
      const { username, subject } = await addThere();
      const connected = await connect(await openPage(), username);
      assert.equal(connected.response.status, 200, connected.text);
      assert.match(connected.text, /You can sign in with that account now/);
      assert.equal((await setting.here.store.linkedIdentities.find('oidc', subject))?.accountId, accountId);

      const disconnected = await browser.submit(connected, {}, 'disconnect-1');
      assert.match(disconnected.text, /does not sign you in any more/);
      assert.equal(await setting.here.store.linkedIdentities.find('oidc', subject), undefined);
    });

    it('an identity that signs in to another account stays with it', async () => {
      const { username } = await addLinked();
      const page = await connect(await openPage(), username);
      assert.equal(page.response.status, 400);
      assert.match(page.text, /is connected to another account here/);
    });

    it('what comes back to another account, or twice, links nothing', async () => {
      const { username, subject } = await addThere();
      const sent = await browser.submit(await openPage(), {}, 'connect-oidc');
      const signIn = await browserThere.open(String(sent.response.headers.get('location')));
      const back = await browserThere.submit(signIn, { login: username, password: PASSWORD });
      const callback = String(back.response.headers.get('location'));
      const victim = browser;
      browser = createUserAgent(setting.here.issuer);
      people += 1;
      await openPage();
      for (let times = 0; times < 2; times += 1) {
        const page = await browser.open(callback);
        assert.equal(page.response.status, 400);
        assert.match(page.text, /took too long, or was used|Start from your application/);
      }
      assert.equal((await victim.open(callback)).response.status, 400);
      assert.equal(await setting.here.store.linkedIdentities.find('oidc', subject), undefined);
    });

    it('the only way into an account stays open', async () => {
      const { username, accountId: owner, subject } = await addLinked();
      const form = await browser.open(identities());
      const sent = await browser.submit(form, {}, 'upstream-oidc');
      const signIn = await browserThere.open(String(sent.response.headers.get('location')));
      const back = await browserThere.submit(signIn, { login: username, password: PASSWORD });
      const page = await browser.open(String(back.response.headers.get('location')));
      const refused = await browser.submit(page, {}, 'disconnect-1');
      assert.equal(refused.response.status, 400);
      assert.match(refused.text, /the only way into your account/);
      assert.equal((await setting.here.store.linkedIdentities.find('oidc', subject))?.accountId, owner);
    });

    it('the last two ways into an account are not closed at once', async () => {
      const { username, accountId: owner } = await addLinked();
      const { linkedIdentities } = setting.here.store;
      await linkedIdentities.insert({ upstream: 'oidc', subject: 'x', accountId: owner, label: 'x', createdAt: 2 });
      const form = await browser.open(identities());
      const sent = await browser.submit(form, {}, 'upstream-oidc');
      const signIn = await browserThere.open(String(sent.response.headers.get('location')));
      const back = await browserThere.submit(signIn, { login: username, password: PASSWORD });
      const page = await browser.open(String(back.response.headers.get('location')));
      const both = await linkedIdentities.listOf(owner);
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(both.map((_, index) => browser.submit(page, {}, `disconnect-${index + 1}`)));
        const left = await linkedIdentities.listOf(owner);
        assert.notEqual(left.length, 0);
        const gone = both.filter(({ subject }) => left.every((one) => one.subject !== subject));
        for (const identity of gone) await linkedIdentities.insert(identity);
      }
    });
  });

  describe('with UPSTREAM_LINK_BY_EMAIL', () => {
    const cases: [string, { here: boolean; there: boolean }, boolean][] = [
      ['finds the account whose verified address is verified there too', { here: true, there: true }, true],
      ['does not believe an address that is not verified there', { here: true, there: false }, false],
      ['does not hand over an account whose own address is not verified', { here: false, there: true }, false],
    ];
    let linking: UpstreamSetting;
    before(async () => {
      linking = await startUpstreamSetting({ UPSTREAM_LINK_BY_EMAIL: 'oidc' });
    });
    beforeEach(() => begin(linking));
    after(() => linking[Symbol.asyncDispose]());

    for (const [index, [what, verified, links]] of cases.entries()) {
      it(what, async () => {
        const account = await setting.here.accounts.add({
          username: `same-${index}`,
          claims: { email: `Same-${index}@example.org`, email_verified: verified.here },
        });
        const { username, subject } = await addThere({
          email: `same-${index}@example.org`,
          email_verified: verified.there,
        });
        const returned = await browser.open(await signInThere(username));
        const linked = await setting.here.store.linkedIdentities.find('oidc', subject);
        if (links) {
          const claims = (await redeem(party, callbackOf(returned), request.checks)).claims();
          assert.equal(claims?.sub, account.id);
          assert.equal(linked?.accountId, account.id);
        } else {
          assertSays(returned, 400, /account page/);
          assert.equal(linked, undefined);
        }
      });
    }
  });
});
