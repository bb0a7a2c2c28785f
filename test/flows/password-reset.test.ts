// A forgotten password: a letter to the verified address, a link that opens once, and a way back into the sign-in.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  askFor,
  buttonOf,
  type Correspondence,
  linkIn,
  NEW_PASSWORD,
  startCorrespondence,
} from '../support/letters.ts';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  logIn,
  redeem,
  signIn,
  silentError,
} from '../support/relying-party.ts';
import { createPublicUserAgent, startReverseProxy } from '../support/reverse-proxy.ts';
import { startService } from '../support/service.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';

const PATH = '/reset-password';
const GONE = 'This link does not work any more';

describe('a forgotten password', () => {
  let correspondence: Correspondence;
  before(async () => {
    correspondence = await startCorrespondence({ TRUSTED_PROXIES: '127.0.0.1' });
  });
  after(() => correspondence[Symbol.asyncDispose]());

  let address = 0;
  /** A browser somewhere else in the world each time: requests are counted by address. */
  function browser(language = 'en') {
    address += 1;
    const from = `198.51.${100 + Math.floor(address / 250)}.${address % 250}`;
    return createUserAgent(correspondence.service.origin, {
      fetch: (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set('x-forwarded-for', from);
        headers.set('accept-language', language);
        return fetch(input, { ...init, headers });
      },
    });
  }

  const urlOf = (path: string) => `${correspondence.service.origin}${path}`;

  /** The link of a letter that this account has asked for. */
  async function askedFor(account: { username: string }, agent = browser()): Promise<string> {
    await askFor(agent, urlOf(PATH), { login: account.username });
    return linkIn(await correspondence.mailbox.next(), correspondence.service, PATH);
  }

  async function choose(link: string, password = NEW_PASSWORD, agent = browser()): Promise<Page> {
    return agent.submit(await agent.open(link), { password });
  }

  const signsIn = async (login: string, password: string) =>
    (await correspondence.service.accounts.authenticate(login, password)) !== undefined;

  it('is replaced in the middle of a sign-in, which then goes on to the application', async () => {
    const { service, mailbox } = correspondence;
    const account = await correspondence.addAccount({ password: 'the-one-that-was-forgotten' });
    const party = await addRelyingParty(service);
    const elsewhere = createUserAgent(service.origin);
    const begun = await authorizationRequest(party);
    callbackOf(await signIn(elsewhere, begun.url, account.username, 'the-one-that-was-forgotten'));

    const agent = browser();
    const { url, checks } = await authorizationRequest(party);
    const login = await agent.open(url.href);
    const forgot = String(login.document.querySelector('#forgot')?.getAttribute('href'));
    const sent = await askFor(agent, urlOf(forgot), { login: account.email.toUpperCase() });
    assert.equal(sent.document.querySelector('h1')?.text, 'Look at your e-mail');
    assert.equal(sent.document.querySelector('#again')?.getAttribute('href'), forgot);
    assert.match(buttonOf(sent), /^\/login\/[\w-]+/);
    const letter = await mailbox.next();
    assert.deepEqual(letter.to, [account.email]);
    assert.equal(letter.subject, 'New password for Example Accounts');
    assert.match(letter.text, new RegExp(`for your account ${account.username}`));

    const done = await choose(linkIn(letter, service, PATH), NEW_PASSWORD, agent);
    assert.equal(done.document.querySelector('h1')?.text, 'Your password is changed');
    const notice = await mailbox.next();
    assert.deepEqual([notice.to, notice.subject], [[account.email], 'Your password for Example Accounts was changed']);
    assert.equal(await silentError(party, elsewhere), 'login_required');
    assert.equal(await signsIn(account.username, 'the-one-that-was-forgotten'), false);

    const back = await agent.open(urlOf(buttonOf(done)));
    const callback = callbackOf(await agent.submit(back, { login: account.username, password: NEW_PASSWORD }));
    const tokens = await redeem(party, callback, checks);
    assert.equal(tokens.claims()?.sub, account.id);
  });

  it('leaves who came without a sign-in a way on: to the account, the spam folder, or the form again', async () => {
    for (const [language, sentence] of [
      ['en', 'Nothing there? Look in the spam folder, or try again.'],
      ['de', 'Nichts angekommen? Sehen Sie im Spam-Ordner nach oder versuchen Sie es noch einmal.'],
    ] as const) {
      const sent = await askFor(browser(language), urlOf(PATH), { login: 'nobody-has-this-name' });
      const again = sent.document.querySelector('#again');
      assert.deepEqual([again?.parentNode?.text, again?.getAttribute('href')], [sentence, PATH]);
      assert.equal(buttonOf(sent), '/account');
    }
  });

  it('is replaced in another browser too, which is then led to the account page and not into that sign-in', async () => {
    const account = await correspondence.addAccount();
    const party = await addRelyingParty(correspondence.service);
    const agent = browser();
    const login = await agent.open((await authorizationRequest(party)).url.href);
    const forgot = String(login.document.querySelector('#forgot')?.getAttribute('href'));
    await askFor(agent, urlOf(forgot), { login: account.username });
    const done = await choose(linkIn(await correspondence.mailbox.next(), correspondence.service, PATH));
    assert.equal(buttonOf(done), '/account');
    await correspondence.mailbox.next();
  });

  it('can be a first password, and never skips a second factor: the browser is not signed in', async () => {
    const account = await correspondence.addAccount();
    const agent = browser();
    await choose(await askedFor(account, agent), NEW_PASSWORD, agent);
    await correspondence.mailbox.next();
    const names = (await agent.cookies.getCookies(correspondence.service.origin)).map(({ key }) => key);
    assert.ok(!names.some((name) => /session/.test(name)), names.join(' '));
    assert.equal(await signsIn(account.username, NEW_PASSWORD), true);
  });

  it('leaves the second factor where it is: it is asked for after the reset, and eight characters are enough beside it', async () => {
    const { service } = correspondence;
    const account = await correspondence.addAccount();
    const createdAt = Math.floor(Date.now() / 1000);
    const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
    await service.store.secondFactors.saveTotp({ accountId: account.id, secret, createdAt, lastStep: 0 });
    const link = await askedFor(account);
    assert.match((await browser().open(link)).text, /At least 8 characters/);
    assert.equal((await choose(link, 'qz7!mvKp')).response.status, 200);
    await correspondence.mailbox.next();
    const party = await addRelyingParty(service);
    const next = await signIn(browser(), (await authorizationRequest(party)).url, account.username, 'qz7!mvKp');
    assert.match(next.url, /\/login\/[^/]+\/second-factor/);
    assert.equal(next.response.status, 200);
  });

  it('ends a sign-in with the old one that was answered, and not resumed yet', async () => {
    const account = await correspondence.addAccount({ password: 'the-one-that-was-forgotten' });
    const party = await addRelyingParty(correspondence.service);
    const thief = browser();
    const form = await thief.open((await authorizationRequest(party)).url.href);
    const action = new URL(String(form.document.querySelector('form')?.getAttribute('action')), form.url).href;
    const values = { login: account.username, password: 'the-one-that-was-forgotten', csrf: csrfOf(form) };
    const answered = await thief.fetch(action, { method: 'POST', body: new URLSearchParams(values) });
    assert.equal(answered.status, 303);
    await choose(await askedFor(account));
    await correspondence.mailbox.next();
    const resumed = await thief.open(new URL(String(answered.headers.get('location')), action).href);
    assert.equal(resumed.response.status, 400);
    assert.equal(await silentError(party, thief), 'login_required');
  });

  it('is replaced by the link whoever has looked at it before: only the form uses it', async () => {
    const account = await correspondence.addAccount();
    const link = await askedFor(account);
    for (const method of ['GET', 'HEAD', 'GET']) {
      const answer = await fetch(link, { method, headers: { accept: 'text/html' } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      await answer.text();
    }
    assert.equal((await choose(link)).response.status, 200);
    await correspondence.mailbox.next();
    assert.equal(await signsIn(account.username, NEW_PASSWORD), true);
  });

  describe('asked for by', () => {
    const ARMS: [string, () => Promise<string>][] = [
      ['a name that is nobody’s', async () => 'nobody-of-that-name'],
      ['an address that is nobody’s', async () => 'nobody@example.net'],
      ['an account that has no address', async () => (await withClaims({ email: undefined })).username],
      ['an account whose address is not verified', async () => (await withClaims({ email_verified: false })).username],
      ['a disabled account', async () => disabled()],
      ['what no account can be called', async () => 'x'.repeat(5_000)],
    ];

    async function withClaims(claims: Record<string, unknown>) {
      const username = `claims-${Math.random().toString(36).slice(2)}`;
      const all = { email: `${username}@example.org`, email_verified: true, ...claims };
      const known = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      return correspondence.service.accounts.add({ username, claims: known });
    }

    async function disabled() {
      const { id, username } = await correspondence.addAccount();
      await correspondence.service.accounts.disable(id);
      return username;
    }

    it('anybody gets the same bytes, and only an account with a verified address a letter (security.md R48)', async () => {
      const { mailbox } = correspondence;
      const known = await correspondence.addAccount();
      const before = mailbox.letters.length;
      const seen = new Map<string, string>();
      // the letter to the last one proves that none to the others is still on its way
      for (const [what, loginOf] of [...ARMS, ['an account', async () => known.username] as const]) {
        const agent = browser();
        const form = await agent.open(urlOf(PATH));
        const body = new URLSearchParams({ login: await loginOf(), csrf: csrfOf(form) });
        const answer = await agent.fetch(urlOf(PATH), { method: 'POST', body });
        const page = await agent.open(urlOf(String(answer.headers.get('location'))));
        const said = [factsOf(answer), await answer.text(), factsOf(page.response), page.text];
        seen.set(JSON.stringify(said), what);
      }
      assert.deepEqual([...seen.values()], ['an account']);
      await mailbox.next();
      const recipients = mailbox.letters.slice(before).map(({ to }) => String(to));
      assert.deepEqual(recipients, [known.email]);
    });

    it('anybody gets the answer in the same time (security.md R48)', async function () {
      this.timeout(60_000);
      const known = (await correspondence.addAccount()).username;
      const samples = new Map<string, number[]>([
        [known, []],
        ['nobody-at-all', []],
      ]);
      const form = await browser().open(urlOf(PATH));
      const csrf = csrfOf(form);
      for (let round = 0; round < 160; round += 1) {
        const login = (round * 7) % 4 < 2 ? known : 'nobody-at-all';
        const agent = browser();
        const body = new URLSearchParams({ login, csrf });
        const before = performance.now();
        const answer = await agent.fetch(urlOf(PATH), { method: 'POST', body });
        const tookMs = performance.now() - before;
        assert.equal(answer.status, 303);
        samples.get(login)?.push(tookMs);
      }
      const [one = [], other = []] = samples.values();
      const auc = areaUnderCurve(one, other);
      assert.ok(auc > 0.3 && auc < 0.7, `AUC ${auc}`);
      // the letters that this account may have
      for (let letter = 0; letter < 3; letter += 1) await correspondence.mailbox.next();
    });
  });

  describe('by a link', () => {
    type Account = { id: string; username: string; email: string };
    const ENDINGS: [string, (account: Account, link: string) => Promise<string>][] = [
      [
        'that was used',
        async (_, link) => {
          await choose(link);
          await correspondence.mailbox.next();
          return link;
        },
      ],
      ['that is unknown', async () => urlOf(`${PATH}/${'A'.repeat(43)}`)],
      ['that is cut off', async (_, link) => link.slice(0, -1)],
      [
        'of another purpose',
        async ({ id, email }) => {
          const { createOneTimeLinks } = await import('../../src/accounts/one-time-links.ts');
          const { store, accounts } = correspondence.service;
          const links = createOneTimeLinks({ artifacts: store.artifacts, findAccount: accounts.find });
          return urlOf(`${PATH}/${await links.create('EmailVerification', { accountId: id, email })}`);
        },
      ],
      [
        'that a newer letter has replaced',
        async (account, link) => {
          await askedFor(account);
          return link;
        },
      ],
      [
        'after the password was set by another way',
        async ({ id }, link) => {
          await correspondence.service.accounts.setPassword(id, 'another-password-by-now');
          return link;
        },
      ],
      [
        'after the address was changed',
        async ({ id }, link) => {
          await correspondence.service.accounts.changeByLink(id, { email: 'new@example.net' }, async () => true);
          return link;
        },
      ],
      [
        'after the account was disabled',
        async ({ id }, link) => {
          await correspondence.service.accounts.disable(id);
          return link;
        },
      ],
      [
        'after the account was removed',
        async ({ id }, link) => {
          await correspondence.service.accounts.remove(id);
          return link;
        },
      ],
      [
        'that is older than 30 minutes',
        async (_, link) => {
          correspondence.pass(30 * 60 + 1);
          return link;
        },
      ],
    ];
    for (const [what, make] of ENDINGS) {
      it(`${what} is not replaced: the page says so, and where to ask for another`, async () => {
        const account = await correspondence.addAccount({ password: 'the-one-that-was-forgotten' });
        const asked = await askedFor(account);
        const form = await browser().open(asked);
        const link = await make(account, asked);
        const shown = await browser().open(link);
        assert.deepEqual([shown.response.status, shown.document.querySelector('h1')?.text], [400, GONE]);
        assert.equal(buttonOf(shown), PATH);
        const before = await correspondence.service.accounts.find(account.id);
        const body = new URLSearchParams({ password: 'a-thief-would-like-this-1', csrf: csrfOf(form) });
        const posted = await browser().fetch(asked, { method: 'POST', body });
        if (link === asked) assert.equal(posted.status, 400);
        if (link === asked) assert.deepEqual(await correspondence.service.accounts.find(account.id), before);
        else await correspondence.mailbox.next();
      });
    }

    it('used twice at once is replaced once', async () => {
      const account = await correspondence.addAccount();
      const link = await askedFor(account);
      const csrf = csrfOf(await browser().open(link));
      const passwords = ['pelican-tundra-quartz-1', 'pelican-tundra-quartz-2', 'pelican-tundra-quartz-3'];
      const answers = await Promise.all(
        passwords.map((password) =>
          browser().fetch(link, { method: 'POST', body: new URLSearchParams({ password, csrf }) }),
        ),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), [303, 400, 400]);
      const winner = answers.findIndex(({ status }) => status === 303);
      for (const [index, password] of passwords.entries()) {
        assert.equal(await signsIn(account.username, password), index === winner, password);
      }
      await correspondence.mailbox.next();
    });

    const FAULTS: [string, string, RegExp][] = [
      ['nothing', '', /at least 15 characters/],
      ['a short one', 'tiny-lantern', /at least 15 characters/],
      ['a common one', 'password1234567', /Choose/],
      ['the name of its owner', 'reader-reader-reader', /Choose/],
      ['more than 1,024 bytes', 'ü'.repeat(600), /too long/],
    ];
    it('is not used up by a password that is refused: the page says what is wrong', async () => {
      const account = await correspondence.addAccount();
      const link = await askedFor(account);
      for (const [what, password, words] of FAULTS) {
        const page = await choose(link, password);
        assert.equal(page.response.status, 400, what);
        assert.match(String(page.document.querySelector('#error')?.text), words, what);
      }
      const long = `${'k2v9x-'.repeat(42)}Q7m`;
      assert.equal((await choose(link, long)).response.status, 200);
      await correspondence.mailbox.next();
      assert.equal(await signsIn(account.username, long), true);
      assert.equal(await signsIn(account.username, long.slice(0, -1)), false);
    });

    it('forgives the guesses that kept its owner waiting', async () => {
      const account = await correspondence.addAccount({ password: 'the-one-that-was-forgotten' });
      const party = await addRelyingParty(correspondence.service);
      const guesser = browser();
      for (let guess = 0; guess < 7; guess += 1) {
        const page = await guesser.open((await authorizationRequest(party)).url.href);
        await guesser.submit(page, { login: account.username, password: `wrong horse battery ${guess}` });
      }
      await choose(await askedFor(account));
      await correspondence.mailbox.next();
      callbackOf(await signIn(browser(), (await authorizationRequest(party)).url, account.username, NEW_PASSWORD));
    });
  });

  it('is in nobody’s log and in no readable row: neither the link nor the password', async () => {
    const { service } = correspondence;
    const account = await correspondence.addAccount();
    const link = await askedFor(account);
    const token = String(link.split('/').at(-1));
    await browser().open(link);
    await choose(link, 'tiny');
    await choose(link);
    await correspondence.mailbox.next();
    await browser().open(link);
    assert.ok(service.log.some((line) => line.includes('/reset-password/[redacted]')));
    assert.equal(service.config.database.engine, 'sqlite');
    const path = 'path' in service.config.database ? service.config.database.path : '';
    const files = [path, `${path}-wal`].map((file) => readFileSync(file, 'latin1'));
    for (const text of [...service.log, ...files]) {
      for (const secret of [token, NEW_PASSWORD]) assert.ok(!text.includes(secret));
    }
    const events = service.log.map((line) => JSON.parse(line)).filter(({ accountId }) => accountId === account.id);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['passwordResetRequested', 'passwordReset'],
    );
  });

  it('is no way to flood a mailbox: an account gets three letters in an hour, and nobody sees that', async () => {
    const account = await correspondence.addAccount();
    const other = await correspondence.addAccount();
    const texts = new Set<string>();
    for (let letter = 0; letter < 5; letter += 1) {
      texts.add((await askFor(browser(), urlOf(PATH), { login: account.username })).text);
      if (letter < 3) assert.deepEqual((await correspondence.mailbox.next()).to, [account.email]);
    }
    assert.equal(texts.size, 1);
    await askFor(browser(), urlOf(PATH), { login: other.email });
    assert.deepEqual((await correspondence.mailbox.next()).to, [other.email]);
    correspondence.pass(60 * 60 + 1);
    await askFor(browser(), urlOf(PATH), { login: account.username });
    assert.deepEqual((await correspondence.mailbox.next()).to, [account.email]);
  });

  it('can be asked for so often from one address, and then not for anybody for a while', async () => {
    const agent = browser();
    const csrf = csrfOf(await agent.open(urlOf(PATH)));
    const statuses = new Set<number>();
    const ask = () =>
      agent.fetch(urlOf(PATH), { method: 'POST', body: new URLSearchParams({ login: 'nobody', csrf }) });
    for (let request = 0; request < 20; request += 1) statuses.add((await ask()).status);
    assert.deepEqual([...statuses], [303]);
    const refused = await ask();
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
  });

  it('is written about in the language of its owner, else in that of the browser', async () => {
    const german = await correspondence.addAccount({ claims: { locale: 'de-AT' } });
    const unknown = await correspondence.addAccount();
    await askFor(browser('en'), urlOf(PATH), { login: german.username });
    assert.equal((await correspondence.mailbox.next()).subject, 'Neues Passwort für Example Accounts');
    await askFor(browser('de'), urlOf(PATH), { login: unknown.username });
    assert.equal((await correspondence.mailbox.next()).subject, 'Neues Passwort für Example Accounts');
  });

  it('is asked for by our own form only (security.md R36)', async () => {
    const csrf = csrfOf(await browser().open(urlOf(PATH)));
    const FORMS: [string, Record<string, string>, Record<string, string>, number][] = [
      ['without a token', { login: 'alice' }, {}, 403],
      ['with the token of another page', { login: 'alice', csrf: `${csrf}x` }, {}, 403],
      ['from another site', { login: 'alice', csrf }, { origin: 'https://evil.example' }, 403],
      ['from another site, as the browser says', { login: 'alice', csrf }, { 'sec-fetch-site': 'cross-site' }, 403],
      ['as JSON', {}, { 'content-type': 'application/json' }, 400],
      ['with a name twice', { 'login=a&login': 'b', csrf }, {}, 400],
      ['without a name', { login: ' ', csrf }, {}, 400],
    ];
    for (const [what, values, headers, status] of FORMS) {
      const body = new URLSearchParams(values).toString().replace('login%3Da%26login', 'login=a&login');
      const answer = await browser().fetch(urlOf(PATH), {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body,
      });
      assert.equal(answer.status, status, what);
    }
  });

  it('leads nowhere but to a page of ours, whatever the query says (security.md R34)', async () => {
    for (const query of [
      'uid=//evil.example&r=x',
      'uid=..%2f..%2fevil&r=x',
      'uid=a&uid=b',
      'uid=https://evil.example',
      `uid=a&r=${encodeURIComponent('"><svg onload=alert(1)>')}`,
      `uid=${'a'.repeat(5_000)}`,
      'uid[]=a&r[]=b',
      'uid=%00',
      'ui_locales=__proto__',
    ]) {
      for (const path of [PATH, `${PATH}/sent`, `${PATH}/done`]) {
        const { response, document, text } = await browser().open(`${urlOf(path)}?${query}`);
        assert.ok([200, 400].includes(response.status), `${path}?${query}: ${response.status}`);
        assert.ok(!text.includes('<svg onload'));
        for (const link of document.querySelectorAll('a, form')) {
          const target = link.getAttribute('href') ?? link.getAttribute('action') ?? '';
          assert.equal(
            new URL(target, 'https://id.example.com/').origin,
            'https://id.example.com',
            `${query}: ${target}`,
          );
          assert.match(target, /^\/(?!\/)/);
        }
      }
    }
  });
});

describe('a forgotten password below a path', () => {
  for (const strip of ['', '/sso']) {
    it(`is replaced behind a proxy that ${strip ? 'strips' : 'keeps'} the path, in the language of the sign-in`, async () => {
      const issuer = 'https://id.example.com/sso';
      const redirect = { BROWSER_UI_REDIRECT_URIS: 'https://web.example/callback' };
      const env = { PUBLIC_URL: issuer, TRUSTED_PROXIES: '127.0.0.1', ...redirect };
      await using correspondence = await startCorrespondence(env);
      const { service, mailbox } = correspondence;
      await using proxy = await startReverseProxy({ target: service.origin, strip });
      const agent = createPublicUserAgent('https://id.example.com', proxy.origin);
      const account = await correspondence.addAccount();
      const login = await agent.open(
        `${issuer}/authorize?${new URLSearchParams({
          client_id: 'browser-ui',
          redirect_uri: redirect.BROWSER_UI_REDIRECT_URIS,
          response_type: 'code',
          scope: 'openid',
          ui_locales: 'de',
        })}`,
      );
      const hrefOf = (page: Page, id: string) => {
        const href = String(page.document.querySelector(id)?.getAttribute('href'));
        assert.ok(href.startsWith('/sso/'), href);
        return `https://id.example.com${href}`;
      };
      const sent = await askFor(agent, hrefOf(login, '#forgot'), { login: account.username });
      assert.equal(sent.document.querySelector('h1')?.text, 'Sehen Sie in Ihre E-Mails');
      hrefOf(sent, '#next');
      const letter = await mailbox.next();
      assert.equal(letter.subject, 'Neues Passwort für Example Accounts');
      const done = await agent.submit(await agent.open(linkIn(letter, service, PATH)), { password: NEW_PASSWORD });
      assert.equal(done.document.querySelector('h1')?.text, 'Ihr Passwort ist geändert');
      const back = await agent.open(hrefOf(done, '#next'));
      assert.equal(back.document.querySelector('#sign-in')?.text, 'Anmelden');
      const [cookie] = (await agent.cookies.getCookies(issuer)).filter(({ key }) => key === '__Secure-letter');
      const { path, secure, httpOnly, sameSite } = cookie ?? {};
      assert.deepEqual(
        { path, secure, httpOnly, sameSite },
        { path: '/sso', secure: true, httpOnly: true, sameSite: 'lax' },
      );
    });
  }
});

describe('where there is no mail', () => {
  it('a forgotten password has no page: the same 404 as anywhere, and no link to it', async () => {
    await using service = await startService();
    const ask = async (path: string, method = 'GET') => {
      const answer = await fetch(`${service.origin}${path}`, { method, headers: { accept: 'text/html' } });
      const { status } = answer;
      return { status, text: (await answer.text()).replaceAll(answer.headers.get('x-request-id') ?? '', '') };
    };
    const unknown = await ask('/nothing-here');
    assert.equal(unknown.status, 404);
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      assert.deepEqual(await ask(PATH, method), unknown);
      assert.deepEqual(await ask('/sign-up', method), unknown);
    }
    const party = await addRelyingParty(service);
    const agent = createUserAgent(service.origin);
    const { document } = await agent.open((await authorizationRequest(party)).url.href);
    assert.equal(document.querySelector('#forgot'), null);
    assert.equal(document.querySelector('#sign-up'), null);
    await logIn(party);
  });
});

const csrfOf = ({ document }: Page) => String(document.querySelector('input[name=csrf]')?.getAttribute('value'));

function factsOf({ status, headers }: Response) {
  const told = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
  return { status, told };
}

/** How well one arm is told from the other by a threshold: 0.5 is not at all. */
function areaUnderCurve(one: readonly number[], other: readonly number[]): number {
  let wins = 0;
  for (const a of one) for (const b of other) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (one.length * other.length);
}
