// What every engine promises about second factors, passkeys, identities elsewhere and counted attempts.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { type Account, Conflict, type LinkedIdentity, type Passkey, type Store } from '../../src/store.ts';
import { box, createManualClock, type TestDatabase, type TestEngine } from './fixtures/temporary-database.ts';

const alice: Account = { id: 'a11ce000-0000-4000-8000-000000000001', username: 'alice', claims: {}, createdAt: 1 };
const bob: Account = { id: 'b0b00000-0000-4000-8000-000000000002', username: 'bob', claims: {}, createdAt: 1 };

const phone: Passkey = {
  id: 'cGhvbmU',
  accountId: alice.id,
  publicKey: 'cHVibGlj',
  counter: 0,
  transports: ['internal', 'hybrid'],
  backedUp: true,
  name: 'Phone',
  createdAt: 10,
};
const key: Passkey = { ...phone, id: 'a2V5', counter: 7, backedUp: false, name: 'Key', createdAt: 5 };

const elsewhere: LinkedIdentity = {
  upstream: 'google',
  subject: '42',
  accountId: alice.id,
  label: 'alice@example.org',
  createdAt: 3,
};

export function describeSignInContract(engine: TestEngine): void {
  describe(`what people sign in with in ${engine.name}`, () => {
    const clock = createManualClock();
    let database: TestDatabase;
    let store: Store;

    beforeEach(async () => {
      database = await engine.createDatabase();
      store = await database.open({ clock: clock.read, box });
      await store.migrate();
      await store.accounts.insert(alice, ['alice']);
      await store.accounts.insert(bob, ['bob']);
    });

    afterEach(async () => {
      await store[Symbol.asyncDispose]();
      await database.drop();
    });

    it('keeps that an account needs a second factor', async () => {
      await store.accounts.update({ ...alice, requiresMfa: true }, ['alice']);
      assert.equal((await store.accounts.find(alice.id))?.requiresMfa, true);
      assert.deepEqual(await store.accounts.find(bob.id), bob);
    });

    it('accepts each time step of an authenticator app once, and none before it (RFC 6238 §5.2)', async () => {
      const totp = { accountId: alice.id, secret: 'JBSWY3DPEHPK3PXP', createdAt: 5, lastStep: 100 };
      assert.equal(await store.secondFactors.useTotpStep(alice.id, 101), false, 'there is no secret yet');
      await store.secondFactors.saveTotp(totp);
      assert.deepEqual(await store.secondFactors.findTotp(alice.id), totp);
      const uses = await Promise.all([101, 101, 101].map((step) => store.secondFactors.useTotpStep(alice.id, step)));
      assert.deepEqual(uses.sort(), [false, false, true]);
      assert.equal(await store.secondFactors.useTotpStep(alice.id, 100), false);
      assert.equal((await store.secondFactors.findTotp(alice.id))?.lastStep, 101);
      assert.equal(await store.secondFactors.insertTotp({ ...totp, secret: 'AAAA' }), false);
      assert.equal((await store.secondFactors.findTotp(alice.id))?.secret, totp.secret);
      assert.equal(await store.secondFactors.removeTotp(alice.id), true);
      const firsts = ['AAAA', 'BBBB'].map((secret) => store.secondFactors.insertTotp({ ...totp, secret }));
      assert.deepEqual((await Promise.all(firsts)).sort(), [false, true]);
      assert.equal(await store.secondFactors.removeTotp(alice.id), true);
      assert.equal(await store.secondFactors.removeTotp(alice.id), false);
      assert.equal(await store.secondFactors.findTotp(alice.id), undefined);
    });

    it('accepts each recovery code once, of its own account, and none of the set before', async () => {
      const { secondFactors } = store;
      await secondFactors.replaceRecoveryCodes(alice.id, ['one', 'two']);
      await secondFactors.replaceRecoveryCodes(bob.id, ['one']);
      const uses = await Promise.all([1, 2, 3].map(() => secondFactors.useRecoveryCode(alice.id, 'one')));
      assert.deepEqual(uses.sort(), [false, false, true]);
      assert.equal(await secondFactors.useRecoveryCode(bob.id, 'two'), false);
      assert.equal(await secondFactors.countRecoveryCodes(alice.id), 1);
      await secondFactors.replaceRecoveryCodes(alice.id, ['three']);
      assert.equal(await secondFactors.useRecoveryCode(alice.id, 'two'), false);
      assert.equal(await secondFactors.countRecoveryCodes(bob.id), 1);
      await secondFactors.replaceRecoveryCodes(alice.id, []);
      assert.equal(await secondFactors.countRecoveryCodes(alice.id), 0);
    });

    it('keeps passkeys with their owner', async () => {
      await store.passkeys.insert(phone);
      await store.passkeys.insert(key);
      await assert.rejects(store.passkeys.insert({ ...phone, accountId: bob.id }), Conflict);
      assert.deepEqual(await store.passkeys.listOf(alice.id), [key, phone]);
      assert.deepEqual(await store.passkeys.find(phone.id), phone);
      assert.equal(await store.passkeys.rename(bob.id, phone.id, 'Mine'), false);
      assert.equal(await store.passkeys.rename(alice.id, phone.id, 'Old phone'), true);
      assert.equal(await store.passkeys.remove(bob.id, phone.id), false);
      assert.equal(await store.passkeys.remove(alice.id, key.id), true);
      assert.deepEqual(await store.passkeys.listOf(alice.id), [{ ...phone, name: 'Old phone' }]);
    });

    it('takes a signature counter only when it has grown, or when there is none (Web Authentication §6.1.1)', async () => {
      await store.passkeys.insert(phone);
      await store.passkeys.insert(key);
      const use = (id: string, counter: number) => store.passkeys.recordUse(id, { counter, backedUp: false, at: 20 });
      assert.equal(await use(phone.id, 0), true);
      assert.equal(await use(phone.id, 0), true);
      assert.equal(await use(key.id, 7), false);
      assert.equal(await use(key.id, 8), true);
      assert.equal(await use(key.id, 0), false);
      assert.equal(await use('dW5rbm93bg', 1), false);
      assert.deepEqual(await store.passkeys.find(key.id), { ...key, counter: 8, lastUsedAt: 20 });
    });

    it('links an identity elsewhere to one account', async () => {
      await store.linkedIdentities.insert(elsewhere);
      await assert.rejects(store.linkedIdentities.insert({ ...elsewhere, accountId: bob.id }), Conflict);
      await store.linkedIdentities.insert({ ...elsewhere, upstream: 'github', accountId: bob.id });
      assert.deepEqual(await store.linkedIdentities.find('google', '42'), elsewhere);
      assert.equal(await store.linkedIdentities.find('google', '4'), undefined);
      assert.deepEqual(await store.linkedIdentities.listOf(alice.id), [elsewhere]);
      assert.equal(await store.linkedIdentities.remove(bob.id, 'google', '42'), false);
      assert.equal(await store.linkedIdentities.remove(alice.id, 'google', '42'), true);
      assert.equal(await store.linkedIdentities.find('google', '42'), undefined);
    });

    it('forgets with an account what it signed in with', async () => {
      await store.secondFactors.saveTotp({ accountId: alice.id, secret: 'AAAA', createdAt: 1, lastStep: 0 });
      await store.secondFactors.replaceRecoveryCodes(alice.id, ['one']);
      await store.passkeys.insert(phone);
      await store.linkedIdentities.insert(elsewhere);
      await store.accounts.remove(alice.id);
      assert.equal(await store.secondFactors.findTotp(alice.id), undefined);
      assert.equal(await store.secondFactors.countRecoveryCodes(alice.id), 0);
      assert.equal(await store.passkeys.find(phone.id), undefined);
      assert.equal(await store.linkedIdentities.find('google', '42'), undefined);
    });

    it('counts simultaneous attempts without losing one, until the count expires', async () => {
      const { rateLimits } = store;
      const times = { nowMs: 1_000, expiresAtMs: 5_000 };
      await Promise.all(Array.from({ length: 20 }, () => rateLimits.add('k', 1, times)));
      assert.deepEqual(await rateLimits.find('k', 4_999), { points: 20, expiresAtMs: 5_000 });
      assert.equal(await rateLimits.find('k', 5_000), undefined);
      const later = await rateLimits.add('k', 2, { nowMs: 4_000, expiresAtMs: 9_000 });
      assert.deepEqual(later, { points: 22, expiresAtMs: 5_000 });
      const next = await rateLimits.add('k', 3, { nowMs: 5_000, expiresAtMs: 9_000 });
      assert.deepEqual(next, { points: 3, expiresAtMs: 9_000 });
      const anew = await rateLimits.add('k', 1, { nowMs: 5_000, expiresAtMs: 9_500, anew: true });
      assert.deepEqual(anew, { points: 1, expiresAtMs: 9_500 });
      assert.equal(await rateLimits.remove('k'), true);
      assert.equal(await rateLimits.remove('k'), false);
    });

    it('sweeps counts that have expired', async () => {
      const nowMs = clock.read() * 1000;
      await store.rateLimits.add('old', 1, { nowMs: nowMs - 120_000, expiresAtMs: nowMs - 61_000 });
      await store.rateLimits.add('new', 1, { nowMs, expiresAtMs: nowMs + 1_000 });
      assert.equal((await store.sweep(10)).rows, 1);
      assert.ok(await store.rateLimits.find('new', nowMs));
    });

    it('lists what an account has of a model, as long as it is good', async () => {
      const session = (jti: string, accountId: string) => ({ jti, uid: `uid of ${jti}`, accountId });
      const upsert = { do: 'upsert', model: 'Session', expiresIn: 60 } as const;
      await store.artifacts.apply([
        { ...upsert, id: 's1', payload: session('s1', alice.id) },
        { ...upsert, id: 's2', payload: session('s2', alice.id) },
        { ...upsert, id: 's3', payload: session('s3', bob.id) },
        { ...upsert, model: 'Grant', id: 'g1', payload: session('g1', alice.id) },
      ]);
      const found = await store.artifacts.listOf('Session', alice.id);
      assert.deepEqual(found.map(({ jti }) => jti).sort(), ['s1', 's2']);
      clock.now += 60;
      assert.deepEqual(await store.artifacts.listOf('Session', alice.id), []);
    });
  });
}
