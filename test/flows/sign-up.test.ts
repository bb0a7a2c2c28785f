// Sign-up: off by default; where it is on, a letter proves the address, and nobody learns who has an account.
import assert from 'node:assert/strict';
import {
  askFor,
  buttonOf,
  type Correspondence,
  linkIn,
  NEW_PASSWORD,
  startCorrespondence,
} from '../support/letters.ts';
import { addRelyingParty, authorizationRequest, callbackOf, redeem } from '../support/relying-party.ts';
import { startService } from '../support/service.ts';
import type { Page } from '../support/user-agent.ts';

const PATH = '/sign-up';

describe('sign-up', () => {
  let correspondence: Correspondence;
  beforeEach(async () => {
    correspondence = await startCorrespondence({ ALLOW_SIGN_UP: 'true' });
  });
  afterEach(() => correspondence[Symbol.asyncDispose]());

  const urlOf = (path: string) => `${correspondence.service.origin}${path}`;

  /** The link of the letter to somebody who signs up. */
  async function linkFor(email: string, name = '', agent = correspondence.browser()): Promise<string> {
    await askFor(agent, urlOf(PATH), { email, name });
    return linkIn(await correspondence.mailbox.next(), correspondence.service, PATH);
  }

  it('is offered in the middle of a sign-in, which then goes on to the application with a new account', async () => {
    const { service, mailbox } = correspondence;
    const party = await addRelyingParty(service);
    const agent = correspondence.browser();
    const { url, checks } = await authorizationRequest(party);
    const login = await agent.open(url.href);
    const href = String(login.document.querySelector('#sign-up')?.getAttribute('href'));
    const sent = await askFor(agent, urlOf(href), { email: 'new@example.org', name: 'Nora' });
    assert.equal(sent.document.querySelector('h1')?.text, 'Look at your e-mail');
    const letter = await mailbox.next();
    assert.deepEqual([letter.to, letter.subject], [['new@example.org'], 'Create your account for Example Accounts']);
    // nobody has us send their words to strangers
    assert.doesNotMatch(letter.source, /Nora/);
    assert.equal(await service.accounts.findByUsername('new@example.org'), undefined);

    const link = linkIn(letter, service, PATH);
    assert.equal((await fetch(link)).status, 200);
    const done = await agent.submit(await agent.open(link), { password: NEW_PASSWORD });
    assert.equal(done.document.querySelector('h1')?.text, 'Your account is ready');
    const account = await service.accounts.findByUsername('NEW@example.org');
    const { email, email_verified, name, locale } = account?.claims ?? {};
    assert.deepEqual([email, email_verified, name, locale], ['new@example.org', true, 'Nora', 'en']);

    const back = await agent.open(urlOf(buttonOf(done)));
    const callback = callbackOf(await agent.submit(back, { login: 'new@example.org', password: NEW_PASSWORD }));
    assert.equal((await redeem(party, callback, checks)).claims()?.sub, account?.id);
    assert.equal((await agent.open(link)).response.status, 400);
  });

  it('says the same for an address that has an account, whose owner is told by a letter (security.md R48)', async () => {
    const { mailbox } = correspondence;
    await correspondence.addAccount({ username: 'known' });
    const answers: unknown[] = [];
    for (const email of ['unknown@example.org', 'known@example.org', 'ｋnown@example.org']) {
      const agent = correspondence.browser();
      const form = await agent.open(urlOf(PATH));
      const body = new URLSearchParams({ email, name: '', csrf: csrfOf(form) });
      const answer = await agent.fetch(urlOf(PATH), { method: 'POST', body });
      const page = await agent.open(urlOf(String(answer.headers.get('location'))));
      assert.equal(page.document.querySelector('#again')?.getAttribute('href'), PATH);
      assert.equal(buttonOf(page), '/account');
      answers.push([answer.status, answer.headers.get('location'), page.response.status, page.text]);
    }
    assert.deepEqual(answers[1], answers[0]);
    assert.deepEqual(answers[2], answers[0]);
    const letters = [await mailbox.next(), await mailbox.next(), await mailbox.next()];
    const subjects = letters.map(({ to, subject }) => `${to}: ${subject}`).sort();
    assert.deepEqual(subjects, [
      'known@example.org: You have an account for Example Accounts',
      'known@example.org: You have an account for Example Accounts',
      'unknown@example.org: Create your account for Example Accounts',
    ]);
    for (const { links } of letters.filter(({ subject }) => /have an account/.test(subject))) {
      assert.equal(links[0], `${correspondence.service.issuer}/reset-password`);
    }
  });

  it('makes one account when the link is used twice at once', async () => {
    const link = await linkFor('twice@example.org');
    const csrf = csrfOf(await correspondence.browser().open(link));
    const passwords = ['pelican-tundra-quartz-1', 'pelican-tundra-quartz-2'];
    const answers = await Promise.all(
      passwords.map((password) =>
        correspondence.browser().fetch(link, { method: 'POST', body: new URLSearchParams({ password, csrf }) }),
      ),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [303, 400]);
    const winner = passwords[answers.findIndex(({ status }) => status === 303)];
    const { accounts } = correspondence.service;
    for (const password of passwords) {
      const account = await accounts.authenticate('twice@example.org', password);
      assert.equal(account !== undefined, password === winner);
    }
  });

  it('says so when the address has got an account in the meantime, and leads to the sign-in', async () => {
    const link = await linkFor('meanwhile@example.org');
    await correspondence.addAccount({ username: 'meanwhile' });
    const agent = correspondence.browser();
    const page = await agent.submit(await agent.open(link), { password: NEW_PASSWORD });
    assert.equal(page.response.status, 400);
    assert.equal(page.document.querySelector('h1')?.text, 'This address belongs to another account');
    assert.equal(buttonOf(page), '/account');
    assert.equal((await correspondence.service.accounts.findByUsername('meanwhile'))?.passwordHash, undefined);
  });

  it('ends after a day, and with a newer letter', async () => {
    const older = await linkFor('late@example.org');
    const newer = await linkFor('Late@example.org');
    const agent = correspondence.browser();
    assert.equal((await agent.open(older)).response.status, 400);
    assert.equal((await agent.open(newer)).response.status, 200);
    correspondence.pass(24 * 60 * 60 + 1);
    const { response, document } = await agent.open(newer);
    assert.deepEqual([response.status, document.querySelector('h1')?.text], [400, 'This link does not work any more']);
    assert.equal(document.querySelector('#next')?.getAttribute('href'), PATH);
  });

  it('sends an address three letters in an hour', async () => {
    const { mailbox } = correspondence;
    for (let letter = 0; letter < 5; letter += 1) {
      await askFor(correspondence.browser(), urlOf(PATH), { email: 'flood@example.org', name: '' });
      if (letter < 3) assert.deepEqual((await mailbox.next()).to, ['flood@example.org']);
    }
    await askFor(correspondence.browser(), urlOf(PATH), { email: 'other@example.org', name: '' });
    assert.deepEqual((await mailbox.next()).to, ['other@example.org']);
  });

  it('refuses what is no address or name, and asks for a password that is hard to guess', async () => {
    const { mailbox } = correspondence;
    const REFUSED: [string, string, RegExp][] = [
      ['nobody', '', /not an e-mail address/],
      ['', '', /not an e-mail address/],
      ['a@example.org, b@example.org', '', /not an e-mail address/],
      ['a@example.org\r\nBcc: b@example.org', '', /not an e-mail address/],
      ['in\u200bvisible@example.org', '', /not an e-mail address/],
      [`${'x'.repeat(250)}@example.org`, '', /not an e-mail address/],
      ['a@example.org', 'x'.repeat(101), /name is too long/],
      ['a@example.org', 'bell\u0007', /name is too long/],
    ];
    for (const [email, name, words] of REFUSED) {
      const agent = correspondence.browser();
      const page = await agent.submit(await agent.open(urlOf(PATH)), { email, name });
      assert.equal(page.response.status, 400, email);
      assert.match(String(page.document.querySelector('#error')?.text), words);
    }
    const long = `${'x'.repeat(64)}@${'long-label.'.repeat(5)}example.org`;
    const link = await linkFor(long, 'Ωμέγα');
    const agent = correspondence.browser();
    for (const password of ['short', `${'x'.repeat(64)}`, 'password1234567']) {
      assert.equal((await agent.submit(await agent.open(link), { password })).response.status, 400, password);
    }
    await agent.submit(await agent.open(link), { password: NEW_PASSWORD });
    assert.equal((await correspondence.service.accounts.findByUsername(long))?.claims.name, 'Ωμέγα');
    assert.equal(mailbox.letters.length, 1);
  });

  it('is taken from our own form only (security.md R36)', async () => {
    const csrf = csrfOf(await correspondence.browser().open(urlOf(PATH)));
    const link = await linkFor('form@example.org');
    const FORMS: [string, Record<string, string>, Record<string, string>][] = [
      [urlOf(PATH), { email: 'a@example.org' }, {}],
      [urlOf(PATH), { email: 'a@example.org', csrf }, { origin: 'https://evil.example' }],
      [link, { password: NEW_PASSWORD, csrf }, {}],
      [link, { password: NEW_PASSWORD }, { 'sec-fetch-site': 'cross-site' }],
    ];
    for (const [url, values, headers] of FORMS) {
      const answer = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(values) });
      assert.equal(answer.status, 403, JSON.stringify(values));
    }
    assert.equal(await correspondence.service.accounts.findByUsername('form@example.org'), undefined);
  });
});

describe('sign-up that is off', () => {
  it('has the same 404 as any unknown path, whatever the method, with mail and without (security.md R30)', async () => {
    await using correspondence = await startCorrespondence();
    await using service = await startService({ ALLOW_SIGN_UP: 'true' });
    for (const { origin } of [correspondence.service, service]) {
      const ask = async (path: string, method: string) => {
        const answer = await fetch(`${origin}${path}`, { method, headers: { accept: 'text/html' } });
        const text = await answer.text();
        return { status: answer.status, text: text.replaceAll(String(answer.headers.get('x-request-id')), '') };
      };
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT']) {
        const unknown = await ask('/nothing-here', method);
        assert.equal(unknown.status, 404);
        for (const path of [PATH, `${PATH}/sent`, `${PATH}/done`, `${PATH}/${'A'.repeat(43)}`]) {
          assert.deepEqual(await ask(path, method), unknown, `${method} ${path}`);
        }
      }
    }
  });
});

const csrfOf = ({ document }: Page) => String(document.querySelector('input[name=csrf]')?.getAttribute('value'));
