// Which account an identity elsewhere leads to.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { createAccountDirectory } from '../../src/accounts/directory.ts';
import { createPasswordHasher } from '../../src/accounts/passwords.ts';
import { createUpstreamAccounts } from '../../src/upstream/accounts.ts';
import { openTemporaryStore, type TemporaryStore } from '../accounts/temporary-store.ts';

describe('Accounts of people who sign in elsewhere', () => {
  let temporary: TemporaryStore;
  before(async () => {
    temporary = await openTemporaryStore();
  });
  after(() => temporary[Symbol.asyncDispose]());

  function create(options: { allowSignUp?: boolean; linkByEmail?: string[] } = {}) {
    const { store, clock } = temporary;
    const accounts = createAccountDirectory({ accounts: store.accounts, passwords: createPasswordHasher(), clock });
    const { linkedIdentities } = store;
    const { allowSignUp = false, linkByEmail = [] } = options;
    return {
      accounts,
      upstream: createUpstreamAccounts({ linkedIdentities, accounts, linkByEmail, allowSignUp, clock }),
    };
  }

  it('are made where people may sign up, once', async () => {
    const { upstream } = create({ allowSignUp: true });
    const identity = {
      subject: '1',
      label: 'new@example.org',
      email: 'new@example.org',
      emailVerified: true,
      name: 'New',
    };
    const first = await upstream.findOrCreate('google', identity);
    assert.equal(first?.how, 'created');
    assert.equal(first?.account.username, 'new@example.org');
    assert.equal(first?.account.passwordHash, undefined);
    assert.equal(first?.account.claims.email_verified, true);
    const second = await upstream.findOrCreate('google', identity);
    assert.deepEqual([second?.how, second?.account.id], ['known', first?.account.id]);
  });

  it('are made once by two sign-ins at once, and both lead there', async () => {
    const { upstream } = create({ allowSignUp: true });
    const identity = { subject: 'twice', label: 'x', email: 'twice@example.org', emailVerified: true };
    const found = await Promise.all([1, 2, 3].map(() => upstream.findOrCreate('google', identity)));
    assert.deepEqual(found.map((one) => one?.how).sort(), ['created', 'known', 'known']);
    assert.equal(new Set(found.map((one) => one?.account.id)).size, 1);
  });

  it('are not made where they may not', async () => {
    const { upstream } = create();
    const identity = { subject: '2', label: 'x', emailVerified: false };
    assert.equal(await upstream.findOrCreate('google', identity), undefined);
  });

  it('do not take an address that nobody has verified, as a name or otherwise', async () => {
    const { upstream, accounts } = create({ allowSignUp: true });
    const identity = { subject: '3', label: 'boss@example.org', email: 'boss@example.org', emailVerified: false };
    const made = await upstream.findOrCreate('oidc', identity);
    assert.equal(made?.account.username, 'oidc-3');
    assert.equal(made?.account.claims.email, undefined);
    assert.equal(await accounts.findByUsername('boss@example.org'), undefined);
  });

  const odd: [string, { subject?: string; email?: string; name?: string }][] = [
    ['a subject that is an e-mail address', { subject: 'worker@example.org' }],
    ['a subject that differs from another one in capitals', { subject: 'Ab3' }],
    ['that other one', { subject: 'aB3' }],
    ['a subject that is long', { subject: 'x'.repeat(255) }],
    ['another one that begins alike', { subject: `${'x'.repeat(254)}y` }],
    ['a subject that nobody can see', { subject: '\u200b' }],
    ['an address that is none', { subject: 'odd-1', email: 'nobody' }],
    ['an address with letters that nobody can see', { subject: 'odd-2', email: 'no\u200bbody@example.org' }],
    ['a name with a line break', { subject: 'odd-3', name: 'Mallory\nMallory' }],
    ['a name of white space', { subject: 'odd-4', name: ' ' }],
  ];
  for (const [what, identity] of odd) {
    it(`are made for ${what}`, async () => {
      const { upstream } = create({ allowSignUp: true });
      const made = await upstream.findOrCreate('oidc', {
        subject: 'none',
        label: 'odd',
        emailVerified: true,
        ...identity,
      });
      assert.equal(made?.how, 'created');
    });
  }

  it('leave the account alone that has the same address, unless the upstream may vouch for it', async () => {
    const { upstream, accounts } = create({ allowSignUp: true });
    const claims = { email: 'carol@example.org', email_verified: true };
    const carol = await accounts.add({ username: 'carol', claims });
    const identity = { subject: '4', label: 'carol@example.org', email: 'Carol@Example.org', emailVerified: true };
    assert.equal(await upstream.findOrCreate('google', identity), undefined);
    const vouching = create({ linkByEmail: ['google'] }).upstream;
    const found = await vouching.findOrCreate('google', identity);
    assert.deepEqual([found?.how, found?.account.id], ['linked', carol.id]);
    assert.equal(await vouching.findOrCreate('github', { ...identity, subject: '5' }), undefined);
  });

  it('are not found by a username that looks like the address', async () => {
    const { upstream, accounts } = create({ linkByEmail: ['google'] });
    await accounts.add({ username: 'dave@example.org', claims: { email: 'dave@example.org', email_verified: false } });
    const identity = { subject: '6', label: 'dave', email: 'dave@example.org', emailVerified: true };
    assert.equal(await upstream.findOrCreate('google', identity), undefined);
  });

  for (const [here, there] of [
    ['heidi@fass.example', 'heidi@faß.example'],
    ['heidi@git.example', 'heidi@gıt.example'],
    ['heidi@faß.example', 'heidi@fass.example'],
    ['mike@kilo.example', 'mi\u212ae@kilo.example'],
    ['ivan@full.example', '\uff49van@full.example'],
  ] as const) {
    it(`are not handed to somebody whose address only looks the same: ${there} for ${here}`, async () => {
      const { upstream, accounts } = create({ linkByEmail: ['google'], allowSignUp: true });
      const owner = await accounts.add({ username: here, claims: { email: here, email_verified: true } });
      const identity = { subject: there, label: there, email: there, emailVerified: true };
      assert.equal(await upstream.findOrCreate('google', identity), undefined);
      assert.equal((await upstream.findOrCreate('google', { ...identity, email: here }))?.account.id, owner.id);
      await accounts.remove(owner.id);
    });
  }

  it('stay closed when they are disabled', async () => {
    const { upstream, accounts } = create({ linkByEmail: ['google'] });
    const claims = { email: 'erin@example.org', email_verified: true };
    const erin = await accounts.add({ username: 'erin', claims });
    const identity = { subject: '7', label: 'erin', email: 'erin@example.org', emailVerified: true };
    await accounts.disable(erin.id);
    assert.equal(await upstream.findOrCreate('google', identity), undefined);
    await accounts.enable(erin.id);
    assert.equal((await upstream.findOrCreate('google', identity))?.how, 'linked');
    await accounts.disable(erin.id);
    assert.equal(await upstream.findOrCreate('google', identity), undefined);
  });

  it('keep an identity that is linked to another one', async () => {
    const { upstream, accounts } = create();
    const [frank, grace] = [await accounts.add({ username: 'frank' }), await accounts.add({ username: 'grace' })];
    const identity = { subject: '8', label: 'f', emailVerified: false };
    assert.equal(await upstream.link(frank.id, 'google', identity), true);
    assert.equal(await upstream.link(frank.id, 'google', identity), true);
    assert.equal(await upstream.link(grace.id, 'google', identity), false);
  });
});
