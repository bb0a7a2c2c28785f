// Links in letters: the newest of its kind opens, once, until its time is over, and only while its account is as it was.
import assert from 'node:assert/strict';
import { createLetterLimits, TooManyLetters } from '../../src/accounts/letter-limits.ts';
import { createOneTimeLinks, linkLifetimes, type OneTimeLinks } from '../../src/accounts/one-time-links.ts';
import type { Account } from '../../src/store.ts';
import { openTemporaryStore, type TemporaryStore } from './temporary-store.ts';

const email = 'ada@example.org';

describe('one-time links', () => {
  let temporary: TemporaryStore;
  let links: OneTimeLinks;
  let account: Account;

  beforeEach(async () => {
    temporary = await openTemporaryStore();
    const { store } = temporary;
    links = createOneTimeLinks({ artifacts: store.artifacts, findAccount: store.accounts.find });
    account = { id: '5f1d8d3c-9a53-4a57-9f0b-3d8f3f1f6f10', username: 'ada', claims: { email }, createdAt: 1 };
    await store.accounts.insert(account, ['ada', email]);
  });
  afterEach(() => temporary[Symbol.asyncDispose]());

  it('carry 256 random bits, and open what they were made for', async () => {
    const token = await links.create('PasswordReset', { accountId: account.id, email, signIn: { uid: 'abc' } });
    assert.match(token, /^[\w-]{43}$/);
    assert.deepEqual(await links.find('PasswordReset', token), {
      accountId: account.id,
      email,
      signIn: { uid: 'abc' },
      account,
    });
    assert.equal(await links.find('Invitation', token), undefined);
  });

  it('are used by one of many who use them at once', async () => {
    const token = await links.create('SignUp', { email });
    const uses = await Promise.all(Array.from({ length: 20 }, () => links.use('SignUp', token)));
    assert.equal(uses.filter((used) => used).length, 1);
    assert.equal(await links.find('SignUp', token), undefined);
    assert.equal(await links.use('SignUp', 'A'.repeat(43)), false);
  });

  it('of one purpose and owner are one, also when many are made at once; those of others stay', async () => {
    const other = await links.create('EmailVerification', { accountId: account.id, email });
    const elsewhere = await links.create('SignUp', { email: 'bob@example.org' });
    const tokens = await Promise.all(
      Array.from({ length: 8 }, () => links.create('PasswordReset', { accountId: account.id, email })),
    );
    const found = await Promise.all(tokens.map((token) => links.find('PasswordReset', token)));
    assert.equal(found.filter((link) => link !== undefined).length, 1);
    assert.ok(await links.find('EmailVerification', other));
    assert.ok(await links.find('SignUp', elsewhere));
    await links.create('SignUp', { email: 'BOB@example.org' });
    assert.equal(await links.find('SignUp', elsewhere), undefined);
  });

  for (const [purpose, seconds] of Object.entries(linkLifetimes) as [keyof typeof linkLifetimes, number][]) {
    it(`for ${purpose} open for ${seconds} seconds`, async () => {
      const token = await links.create(purpose, { accountId: account.id, email });
      temporary.time.now += seconds - 1;
      assert.ok(await links.find(purpose, token));
      temporary.time.now += 1;
      assert.equal(await links.find(purpose, token), undefined);
      assert.equal(await links.use(purpose, token), false);
    });
  }

  const CHANGES: [string, (account: Account) => Account, boolean][] = [
    ['another password', (account) => ({ ...account, passwordHash: '$argon2id$other' }), false],
    ['another address', (account) => ({ ...account, claims: { email: 'eve@example.net' } }), false],
    ['no address', (account) => ({ ...account, claims: {} }), false],
    ['another name', (account) => ({ ...account, claims: { email, name: 'Ada' } }), true],
  ];
  for (const [what, edit, opens] of CHANGES) {
    it(`${opens ? 'open' : 'do not open'} when the account has ${what} meanwhile`, async () => {
      const token = await links.create('PasswordReset', { accountId: account.id, email });
      await temporary.store.accounts.update(edit(account), ['ada']);
      assert.equal((await links.find('PasswordReset', token)) !== undefined, opens);
      // whoever had found it before, and only then hashed the password, has to see it too
      assert.equal(await links.use('PasswordReset', token), opens);
    });
  }
});

describe('limits of letters', () => {
  let temporary: TemporaryStore;
  beforeEach(async () => {
    temporary = await openTemporaryStore();
  });
  afterEach(() => temporary[Symbol.asyncDispose]());

  const limits = () =>
    createLetterLimits({
      rateLimits: temporary.store.rateLimits,
      encryptionKey: 'k'.repeat(32),
      clock: temporary.clock,
    });

  it('let an owner have three letters of a kind in an hour, whichever process sends them', async () => {
    const [one, other] = [limits(), limits()];
    for (const sender of [one, other, one]) assert.equal(await sender.allows('PasswordReset', 'ada'), true);
    assert.equal(await other.allows('PasswordReset', 'ada'), false);
    assert.equal(await one.allows('SignUp', 'ada'), true);
    assert.equal(await one.allows('PasswordReset', 'bob'), true);
    temporary.time.now += 3_600;
    assert.equal(await one.allows('PasswordReset', 'ada'), true);
  });

  it('let an address ask twenty times in an hour, and an IPv6 network counts as one', async () => {
    const { admit } = limits();
    for (let host = 1; host <= 20; host += 1) await admit(`2001:db8:1:2::${host}`);
    await assert.rejects(admit('2001:db8:1:2:ffff::1'), (error) => {
      return error instanceof TooManyLetters && error.retryAfter > 3_500 && error.retryAfter <= 3_600;
    });
    await admit('2001:db8:1:3::1');
    temporary.time.now += 3_600;
    await admit('2001:db8:1:2::1');
  });
});
