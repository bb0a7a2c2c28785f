// Stories of another e-mail address where there is mail: it is the account's once somebody there follows a letter.
import assert from 'node:assert/strict';
import { accountAgent, errorOf, outcomeOf } from '../support/account-page.ts';
import { type Correspondence, linkIn, NEW_PASSWORD, startCorrespondence } from '../support/letters.ts';
import { PASSWORD } from '../support/relying-party.ts';
import type { Page } from '../support/user-agent.ts';

const SENT = 'An e-mail is on its way to the new address. The address is yours once you follow the link in it.';

describe('Another e-mail address', () => {
  let correspondence: Correspondence;
  before(async () => {
    correspondence = await startCorrespondence();
  });
  after(() => correspondence[Symbol.asyncDispose]());

  async function ask(username: string, ...emails: string[]): Promise<Page> {
    const { service } = correspondence;
    const agent = await accountAgent(service, username);
    let page: Page | undefined;
    for (const email of emails)
      page = await agent.submit(await agent.open(`${service.origin}/account/email`), { email });
    assert.ok(page);
    return page;
  }

  it('takes effect by the letter, and the former address is told', async () => {
    const { service, mailbox, addAccount, browser } = correspondence;
    const { id, email } = await addAccount({ username: 'mover', password: PASSWORD });
    assert.equal(outcomeOf(await ask('mover', 'moved@example.org')), SENT);
    assert.equal((await service.accounts.find(id))?.claims.email, email);

    const letter = await mailbox.next();
    assert.deepEqual(letter.to, ['moved@example.org']);
    const reader = browser();
    const confirm = await reader.open(linkIn(letter, service, '/verify-email'));
    assert.equal((await service.accounts.find(id))?.claims.email, email);
    assert.equal((await reader.submit(confirm)).response.status, 200);
    const { email: now, email_verified: isVerified } = (await service.accounts.find(id))?.claims ?? {};
    assert.deepEqual([now, isVerified], ['moved@example.org', true]);
    assert.deepEqual((await mailbox.next()).to, [email]);
  });

  it('of another account is answered in the same words, and no letter is sent', async () => {
    const { mailbox, addAccount } = correspondence;
    const taken = await addAccount();
    await addAccount({ username: 'curious', password: PASSWORD });
    assert.equal(outcomeOf(await ask('curious', taken.email, 'free@example.org')), SENT);
    assert.deepEqual((await mailbox.next()).to, ['free@example.org']);
    assert.deepEqual(
      mailbox.letters.filter(({ to }) => to.includes(taken.email)),
      [],
    );
  });

  for (const button of ['.items form', 'form:has(#end-others)']) {
    it(`is not taken by a letter that a session asked for which has been ended since: ${button}`, async () => {
      const { service, mailbox, addAccount, browser } = correspondence;
      const { id, username, email } = await addAccount({ password: PASSWORD });
      const owner = await accountAgent(service, username);
      await ask(username, `thief-of-${username}@example.net`);
      const link = linkIn(await mailbox.next(), service, '/verify-email');
      const confirm = await browser().open(link);
      assert.equal(confirm.response.status, 200);

      const sessions = await owner.open(`${service.origin}/account/sessions`);
      const form = sessions.document.querySelector(button);
      const fields = form?.querySelectorAll('input').map((input): [string, string] => {
        return [String(input.getAttribute('name')), String(input.getAttribute('value'))];
      });
      const action = `${service.origin}${form?.getAttribute('action')}`;
      const ended = await owner.fetch(action, { method: 'POST', body: new URLSearchParams(fields) });
      assert.equal(ended.status, 303);

      assert.equal((await browser().open(link)).response.status, 400);
      assert.equal((await browser().submit(confirm)).response.status, 400);
      assert.equal((await service.accounts.find(id))?.claims.email, email);
    });
  }

  it('is asked for three times an hour, and not more', async () => {
    const { mailbox, addAccount } = correspondence;
    await addAccount({ username: 'sender', password: PASSWORD });
    const addresses = ['one', 'two', 'three', 'four'].map((name) => `${name}@example.org`);
    const refused = await ask('sender', ...addresses);
    assert.equal(refused.response.status, 400);
    assert.equal(errorOf(refused), 'Too many e-mails were asked for. Wait an hour, then try again.');
    const sent = [await mailbox.next(), await mailbox.next(), await mailbox.next()].flatMap(({ to }) => to);
    assert.deepEqual(sent.sort(), addresses.slice(0, 3).sort());
  });

  it('is told of a changed password', async () => {
    const { service, mailbox, addAccount } = correspondence;
    const { email } = await addAccount({ username: 'changer', password: PASSWORD });
    const agent = await accountAgent(service, 'changer');
    const form = await agent.open(`${service.origin}/account/password`);
    await agent.submit(form, { current: PASSWORD, password: NEW_PASSWORD });
    const letter = await mailbox.next();
    assert.deepEqual(letter.to, [email]);
    assert.match(letter.text, /changer/);
  });
});
