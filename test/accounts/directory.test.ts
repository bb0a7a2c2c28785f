// Accounts: adding them, signing in to them, and what an operator changes, on a real store.
import assert from 'node:assert/strict';
import { hash as argon2 } from '@node-rs/argon2';
import { type AccountDirectory, createAccountDirectory, InvalidAccount } from '../../src/accounts/directory.ts';
import { createPasswordHasher } from '../../src/accounts/passwords.ts';
import { Conflict } from '../../src/store.ts';
import { openTemporaryStore, type TemporaryStore } from './temporary-store.ts';

const password = 'a long enough password';

describe('accounts', () => {
  let temporary: TemporaryStore;
  let directory: AccountDirectory;

  beforeEach(async () => {
    temporary = await openTemporaryStore();
    const { store, clock } = temporary;
    directory = createAccountDirectory({ accounts: store.accounts, passwords: createPasswordHasher(), clock });
  });

  afterEach(async () => {
    await temporary[Symbol.asyncDispose]();
  });

  it('have a random UUID as their id and remember when they were made', async () => {
    const alice = await directory.add({ username: 'alice' });
    const bob = await directory.add({ username: 'bob' });
    assert.match(alice.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.notEqual(alice.id, bob.id);
    assert.equal(alice.createdAt, temporary.time.now);
    assert.equal(alice.claims.updated_at, temporary.time.now);
    assert.deepEqual(await directory.find(alice.id), alice);
    assert.deepEqual(await directory.list(), [alice, bob]);
  });

  it('are opened by username or e-mail address in any spelling, with the right password', async () => {
    const alice = await directory.add({ username: 'Alice', password, claims: { email: 'alice@example.org' } });
    for (const login of ['Alice', ' ALICE ', 'ａlice', 'alice@example.org', 'Alice@EXAMPLE.org']) {
      assert.deepEqual(await directory.authenticate(login, password), alice, login);
      assert.deepEqual(await directory.findByUsername(login), alice, login);
    }
  });

  it('stay closed to everything else, with the same answer', async () => {
    await directory.add({ username: 'alice', password });
    await directory.add({ username: 'nobody' });
    const { id } = await directory.add({ username: 'eve', password });
    await directory.disable(id);
    for (const [login, tried] of [
      ['alice', 'another long password'],
      ['alice', ''],
      ['alice', `${password}\0`],
      ['mallory', password],
      ['', password],
      ['alice\0', password],
      ['%', password],
      ['a'.repeat(10_000), password],
      ['nobody', password],
      ['nobody', ''],
      ['eve', password],
    ] as const) {
      assert.equal(await directory.authenticate(login, tried), undefined, `${login.slice(0, 20)}: ${tried}`);
    }
  });

  it('open again once enabled', async () => {
    const { id } = await directory.add({ username: 'alice', password });
    assert.equal(await directory.disable(id), true);
    assert.equal((await directory.find(id))?.disabledAt, temporary.time.now);
    assert.equal(await directory.enable(id), true);
    assert.equal((await directory.authenticate('alice', password))?.id, id);
  });

  it('keep the moment at which they were first disabled', async () => {
    const { id } = await directory.add({ username: 'alice' });
    await directory.disable(id);
    const first = temporary.time.now;
    temporary.time.now += 60;
    await directory.disable(id);
    assert.equal((await directory.find(id))?.disabledAt, first);
  });

  it('change their password', async () => {
    const { id } = await directory.add({ username: 'alice', password });
    assert.equal(await directory.setPassword(id, 'another long password'), true);
    assert.equal(await directory.authenticate('alice', password), undefined);
    assert.equal((await directory.authenticate('alice', 'another long password'))?.id, id);
  });

  it('keep the password that they were given since somebody showed the one before', async () => {
    const account = await directory.add({ username: 'alice', password });
    assert.equal(await directory.setPassword(account.id, 'another long password', account), true);
    assert.equal(await directory.setPassword(account.id, 'a third long password', account), false);
    assert.equal((await directory.authenticate('alice', 'another long password'))?.id, account.id);
  });

  const MEANWHILE: [string, (id: string) => Promise<unknown>, boolean][] = [
    ['gets another password', (id) => directory.setPassword(id, 'a password that is new'), false],
    ['gets the same password, hashed anew', (id) => directory.setPassword(id, password), true],
    ['is disabled', (id) => directory.disable(id), false],
    ['is removed', (id) => directory.remove(id), false],
    ['is renamed', (id) => directory.changeProfile(id, { name: 'Alice' }), true],
  ];
  for (const [what, act, opens] of MEANWHILE) {
    it(`${opens ? 'open' : 'stay closed'} to a password that is being checked while the account ${what}`, async () => {
      const { store, clock } = temporary;
      const hasher = createPasswordHasher();
      let id = '';
      let done = false;
      const passwords: typeof hasher = {
        ...hasher,
        async verify(...checked) {
          const matches = await hasher.verify(...checked);
          if (!done) await act(id);
          done = true;
          return matches;
        },
      };
      const slow = createAccountDirectory({ accounts: store.accounts, passwords, clock });
      ({ id } = await directory.add({ username: 'alice', password }));
      assert.equal((await slow.authenticate('alice', password)) !== undefined, opens);
    });

    it(`${opens ? 'open' : 'stay closed'} to a password whose weak hash is being replaced while the account ${what}`, async () => {
      const { store, clock } = temporary;
      const hasher = createPasswordHasher();
      const { id } = await directory.add({ username: 'alice' });
      const account = await directory.find(id);
      assert.ok(account);
      const passwordHash = await argon2(password, { memoryCost: 8_192, timeCost: 1 });
      await store.accounts.update({ ...account, passwordHash }, ['alice']);
      const passwords: typeof hasher = {
        ...hasher,
        async hash(hashed) {
          await act(id);
          return hasher.hash(hashed);
        },
      };
      const slow = createAccountDirectory({ accounts: store.accounts, passwords, clock });
      assert.equal((await slow.authenticate('alice', password)) !== undefined, opens);
    });
  }

  it('are gone once removed, and their username is free', async () => {
    const { id } = await directory.add({ username: 'alice', password });
    assert.equal(await directory.remove(id), true);
    assert.equal(await directory.find(id), undefined);
    assert.equal(await directory.authenticate('alice', password), undefined);
    assert.notEqual((await directory.add({ username: 'alice' })).id, id);
  });

  it('that do not exist cannot be changed', async () => {
    const id = '00000000-0000-4000-8000-000000000000';
    assert.equal(await directory.setPassword(id, password), false);
    assert.equal(await directory.disable(id), false);
    assert.equal(await directory.enable(id), false);
    assert.equal(await directory.remove(id), false);
  });

  it('keep what others change at the same time: nothing undoes that an account is disabled, or its new password', async () => {
    const { id } = await directory.add({ username: 'alice', password, claims: { email: 'alice@example.org' } });
    await Promise.all([
      directory.changeProfile(id, { name: 'Alice' }),
      directory.disable(id),
      directory.requireMfa(id, true),
      directory.changeProfile(id, { name: 'Alice A.' }),
    ]);
    const { disabledAt, requiresMfa, claims } = (await directory.find(id)) ?? {};
    assert.deepEqual([disabledAt, requiresMfa, claims?.name], [temporary.time.now, true, 'Alice A.']);

    await directory.enable(id);
    let isSet = false;
    const renaming = (async () => {
      while (!isSet) await Promise.all(['A', 'B', 'C'].map((name) => directory.changeProfile(id, { name })));
    })();
    await directory.setPassword(id, 'a password that is new');
    isSet = true;
    await renaming;
    assert.equal(await directory.authenticate('alice', password), undefined);
    assert.equal((await directory.authenticate('alice', 'a password that is new'))?.id, id);
  });

  it('replace a weaker hash at the next good sign-in, and only then (security.md R47)', async () => {
    const { id } = await directory.add({ username: 'alice' });
    const account = await directory.find(id);
    assert.ok(account);
    const passwordHash = await argon2(password, { memoryCost: 8_192, timeCost: 1 });
    await temporary.store.accounts.update({ ...account, passwordHash }, ['alice']);
    await directory.authenticate('alice', 'another long password');
    assert.equal((await directory.find(id))?.passwordHash, passwordHash);
    const signedIn = await directory.authenticate('alice', password);
    assert.match(String(signedIn?.passwordHash), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.deepEqual(signedIn, await directory.find(id));
    assert.deepEqual(await directory.authenticate('alice', password), signedIn);
  });

  for (const [name, username, email] of [
    ['the same username', 'alice', undefined],
    ['the same username in another spelling', 'ＡLICE', undefined],
    ['the same e-mail address', 'bob', 'Alice@example.org'],
  ] as const) {
    it(`refuse ${name} twice`, async () => {
      await directory.add({ username: 'alice', claims: { email: 'alice@example.org' } });
      await assert.rejects(directory.add({ username, claims: email ? { email } : {} }), Conflict);
      assert.equal((await directory.list()).length, 1);
    });
  }

  for (const [name, username] of [
    ['nothing', ''],
    ['65 characters', 'x'.repeat(65)],
    ['a control character', 'al\u0007ice'],
    ['a line break', 'al\nice'],
    ['a NUL', 'al\0ice'],
    ['an invisible character', 'al\u200bice'],
    ['a change of direction', 'al\u202eice'],
    ['half a surrogate pair', 'al\ud83dice'],
    ['space at its end', 'alice '],
    ["somebody else's e-mail address", 'bob@example.org'],
    ['an @ in full width', 'bob＠example.org'],
  ] as const) {
    it(`refuse a username of ${name}`, async () => {
      const claims = { email: 'alice@example.org' };
      await assert.rejects(directory.add({ username, claims }), InvalidAccount);
    });
  }

  it('may have their own e-mail address as username', async () => {
    const alice = await directory.add({ username: 'alice@example.org', claims: { email: 'Alice@example.org' } });
    assert.deepEqual(await directory.findByUsername('ALICE@example.org'), alice);
  });

  describe('changed by a link', () => {
    const yes = async () => true;

    it('have the address, verified, and the password; a name that was the address goes with it', async () => {
      const ada = await directory.add({ username: 'old@example.org', claims: { email: 'old@example.org' } });
      temporary.time.now += 60;
      assert.equal(await directory.changeByLink(ada.id, { email: 'new@example.org', password }, yes), true);
      const { username, claims } = (await directory.authenticate('NEW@example.org', password)) ?? {};
      assert.equal(username, 'new@example.org');
      assert.deepEqual(claims, { email: 'new@example.org', email_verified: true, updated_at: temporary.time.now });
      assert.equal(await directory.findByUsername('old@example.org'), undefined);
    });

    it('keep a name that is none of their addresses', async () => {
      const { id } = await directory.add({ username: 'ada', claims: { email: 'old@example.org' } });
      await directory.changeByLink(id, { email: 'new@example.org' }, yes);
      assert.equal((await directory.find(id))?.username, 'ada');
    });

    it('stay as they are when somebody else has used it, and are not there to be changed when they are gone', async () => {
      const ada = await directory.add({ username: 'ada' });
      assert.equal(
        await directory.changeByLink(ada.id, { email: 'a@example.org', password }, async () => false),
        false,
      );
      assert.deepEqual(await directory.find(ada.id), ada);
      await directory.remove(ada.id);
      assert.equal(await directory.changeByLink(ada.id, { email: 'a@example.org' }, yes), false);
    });

    it('cannot have the address of another; and what can never be done does not use the link', async () => {
      const ada = await directory.add({ username: 'ada' });
      await directory.add({ username: 'bob', claims: { email: 'bob@example.org' } });
      await assert.rejects(directory.changeByLink(ada.id, { email: 'BOB@example.org' }, yes), Conflict);
      let used = 0;
      const redeem = async () => {
        used += 1;
        return true;
      };
      await assert.rejects(directory.changeByLink(ada.id, { email: 'no address' }, redeem));
      await assert.rejects(directory.changeByLink(ada.id, { email: 'a@example.org', password: 'x\0' }, redeem));
      assert.equal(used, 0);
    });
  });

  it('may have an address as their name that is longer than any other name, if it is theirs', async () => {
    const email = `${'x'.repeat(64)}@example.org`;
    assert.equal((await directory.add({ username: email, claims: { email } })).username, email);
    await assert.rejects(directory.add({ username: 'y'.repeat(65) }), InvalidAccount);
  });
});
