// A link proves an address, and by it an account gets that address: the pages of it, for whoever sends such a letter.
import assert from 'node:assert/strict';
import { createOneTimeLinks, type OneTimeLinks } from '../../src/accounts/one-time-links.ts';
import { buttonOf, type Correspondence, startCorrespondence } from '../support/letters.ts';
import type { Page } from '../support/user-agent.ts';

const PATH = '/verify-email';

describe('a link that proves an address', () => {
  let correspondence: Correspondence;
  let links: OneTimeLinks;
  before(async () => {
    correspondence = await startCorrespondence();
    const { store, accounts } = correspondence.service;
    links = createOneTimeLinks({ artifacts: store.artifacts, findAccount: accounts.find });
  });
  after(() => correspondence[Symbol.asyncDispose]());

  const urlOf = (token: string) => `${correspondence.service.origin}${PATH}/${token}`;
  const claimsOf = async (id: string) => {
    const { email, email_verified } = (await correspondence.service.accounts.find(id))?.claims ?? {};
    return { email, email_verified };
  };

  it('does so by the button, and not by being followed', async () => {
    const { id, email, username } = await correspondence.addAccount({ claims: { email_verified: false } });
    const url = urlOf(await links.create('EmailVerification', { accountId: id, email }));
    const agent = correspondence.browser();
    const page = await agent.open(url);
    assert.match(page.text, new RegExp(`<strong>${email}</strong>`));
    // an honest answer must not give the address to whoever has asked for the letter
    assert.match(page.text, new RegExp(`account <strong>${username}</strong>`));
    await fetch(url, { method: 'HEAD' });
    assert.deepEqual(await claimsOf(id), { email, email_verified: false });
    const done = await agent.submit(page);
    assert.equal(done.document.querySelector('h1')?.text, 'Your e-mail address is confirmed');
    assert.equal(buttonOf(done), '/account');
    assert.deepEqual(await claimsOf(id), { email, email_verified: true });
    assert.equal((await agent.submit(page)).response.status, 400);
    assert.ok(correspondence.service.log.some((line) => JSON.parse(line).event === 'emailVerified'));
  });

  it('changes the address of an account, with its name where that was the address, and tells the former one', async () => {
    const { service, mailbox } = correspondence;
    const account = await service.accounts.add({
      username: 'old@example.org',
      claims: { email: 'old@example.org', email_verified: true },
    });
    const token = await links.create('EmailVerification', { accountId: account.id, email: 'fresh@example.org' });
    const agent = correspondence.browser();
    await agent.submit(await agent.open(urlOf(token)));
    assert.deepEqual(await claimsOf(account.id), { email: 'fresh@example.org', email_verified: true });
    assert.equal((await service.accounts.findByUsername('fresh@example.org'))?.id, account.id);
    assert.equal(await service.accounts.findByUsername('old@example.org'), undefined);
    const letter = await mailbox.next();
    assert.deepEqual(letter.to, ['old@example.org']);
    assert.match(letter.subject, /e-mail address of your account .* was changed/);
  });

  it('cannot take the address of another account: the page says so, and nothing changes', async () => {
    const { id, email } = await correspondence.addAccount();
    const other = await correspondence.addAccount();
    const token = await links.create('EmailVerification', { accountId: id, email: other.email.toUpperCase() });
    const agent = correspondence.browser();
    const page = await agent.submit(await agent.open(urlOf(token)));
    assert.equal(page.response.status, 400);
    assert.equal(page.document.querySelector('h1')?.text, 'This address belongs to another account');
    assert.deepEqual(await claimsOf(id), { email, email_verified: true });
    assert.deepEqual(await claimsOf(other.id), { email: other.email, email_verified: true });
  });

  const ENDINGS: [string, (account: { id: string; email: string }) => Promise<unknown>][] = [
    ['after a day', async () => correspondence.pass(86_400 + 1)],
    [
      'once a newer link was made',
      async ({ id }) => links.create('EmailVerification', { accountId: id, email: 'n@example.net' }),
    ],
    [
      'once the password was changed',
      async ({ id }) => correspondence.service.accounts.setPassword(id, 'another-password-by-now'),
    ],
    [
      'once the address was changed',
      async ({ id }) =>
        correspondence.service.accounts.changeByLink(id, { email: `x${id}@example.net` }, async () => true),
    ],
    ['once the account was disabled', async ({ id }) => correspondence.service.accounts.disable(id)],
    ['once the account was removed', async ({ id }) => correspondence.service.accounts.remove(id)],
  ];
  for (const [when, end] of ENDINGS) {
    it(`proves nothing any more ${when}`, async () => {
      const account = await correspondence.addAccount();
      const token = await links.create('EmailVerification', { accountId: account.id, email: 'wished@example.net' });
      const agent = correspondence.browser();
      const form = await agent.open(urlOf(token));
      await end(account);
      for (const page of [await agent.open(urlOf(token)), await agent.submit(form)]) {
        assert.equal(page.response.status, 400);
        assert.equal(page.document.querySelector('h1')?.text, 'This link does not work any more');
      }
      assert.notEqual((await claimsOf(account.id)).email, 'wished@example.net');
    });
  }

  it('used twice at once is used once', async () => {
    const { id, email } = await correspondence.addAccount({ claims: { email_verified: false } });
    const url = urlOf(await links.create('EmailVerification', { accountId: id, email }));
    const csrf = csrfOf(await correspondence.browser().open(url));
    const post = () => correspondence.browser().fetch(url, { method: 'POST', body: new URLSearchParams({ csrf }) });
    const answers = await Promise.all([post(), post(), post()]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [303, 400, 400]);
  });

  it('wants our own form (security.md R36), and fails on no path, query or body', async () => {
    const { id, email } = await correspondence.addAccount({ claims: { email_verified: false } });
    const url = urlOf(await links.create('EmailVerification', { accountId: id, email }));
    const csrf = csrfOf(await correspondence.browser().open(url));
    const REQUESTS: [string, RequestInit, number][] = [
      [url, { method: 'POST', body: new URLSearchParams({}) }, 403],
      [url, { method: 'POST', body: new URLSearchParams({ csrf }), headers: { origin: 'https://evil.example' } }, 403],
      [
        url,
        { method: 'POST', body: 'csrf=%ZZ', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
        400,
      ],
      [`${url}?csrf=a`, { method: 'POST', body: new URLSearchParams({ csrf }) }, 400],
      [urlOf('%00'), {}, 400],
      [urlOf('__proto__'), {}, 400],
      [urlOf('%E2%80%8B'), {}, 400],
      [urlOf('a'.repeat(4_000)), {}, 400],
      [`${url}/`, {}, 404],
      [`${correspondence.service.origin}${PATH}`, {}, 404],
      [`${correspondence.service.origin}${PATH}/DONE`, {}, 400],
    ];
    for (const [target, init, status] of REQUESTS) {
      const answer = await fetch(target, init);
      assert.equal(answer.status, status, target);
    }
    assert.deepEqual(await claimsOf(id), { email, email_verified: false });
  });
});

const csrfOf = ({ document }: Page) => String(document.querySelector('input[name=csrf]')?.getAttribute('value'));
