// The storage contract of changing signing keys and of who fetched the JWKS, for one engine.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import type { SigningKey, Store } from '../../src/store.ts';
import { box, createManualClock, type TestDatabase, type TestEngine } from './fixtures/temporary-database.ts';

const key = (kid: string, times: Partial<SigningKey> = {}): SigningKey => ({
  kid,
  alg: 'ES256',
  jwk: JSON.stringify({ kid }),
  createdAt: 1,
  signsAt: 1,
  ...times,
});

export function describeKeyContract(engine: TestEngine): void {
  describe(`changes of signing keys in ${engine.name}`, () => {
    const clock = createManualClock();
    let database: TestDatabase;
    let store: Store;

    beforeEach(async () => {
      database = await engine.createDatabase();
      store = await database.open({ clock: clock.read, box });
      await store.migrate();
      await store.keys.insertMissing([key('old')]);
    });

    afterEach(async () => {
      await store[Symbol.asyncDispose]();
      await database.drop();
    });

    it('insert, update and remove as one', async () => {
      const successor = key('new', { createdAt: 2, signsAt: 3 });
      const stopped = { kid: 'old', alg: 'ES256', createdAt: 1, signsAt: 1, stopsAt: 3, removedAt: 9 };
      const change = { insert: [successor], update: [stopped], remove: [] };
      assert.equal(await store.keys.change(await store.keys.times(), change), true);
      assert.deepEqual(await store.keys.list(), [{ ...stopped, jwk: key('old').jwk }, successor]);
      assert.deepEqual(await store.keys.times(), [stopped, { kid: 'new', alg: 'ES256', createdAt: 2, signsAt: 3 }]);

      const back = { kid: 'old', alg: 'ES256', createdAt: 1, signsAt: 1 };
      const withdrawal = { insert: [], update: [back], remove: ['new'] };
      assert.equal(await store.keys.change(await store.keys.times(), withdrawal), true);
      assert.deepEqual(await store.keys.times(), [back]);
    });

    it('are made once by many who planned them on the same keys', async () => {
      await using second = await database.open({ clock: clock.read, box });
      const from = await store.keys.times();
      const made = await Promise.all(
        [store, second, store, second].map(({ keys }, n) =>
          keys.change(from, { insert: [key(`new-${n}`, { createdAt: 2 })], update: [], remove: [] }),
        ),
      );
      assert.equal(made.filter(Boolean).length, 1);
      assert.equal((await store.keys.times()).length, 2);
    });

    it('change nothing when they were planned on other keys', async () => {
      const stale = [{ kid: 'old', alg: 'ES256', createdAt: 1, signsAt: 2 }];
      assert.equal(await store.keys.change(stale, { insert: [key('new')], update: [], remove: ['old'] }), false);
      assert.deepEqual(await store.keys.list(), [key('old')]);
    });
  });

  describe(`fetches of the JWKS in ${engine.name}`, () => {
    const clock = createManualClock();
    let database: TestDatabase;
    let store: Store;

    beforeEach(async () => {
      database = await engine.createDatabase();
      store = await database.open({ clock: clock.read, box });
      await store.migrate();
    });

    afterEach(async () => {
      await store[Symbol.asyncDispose]();
      await database.drop();
    });

    const day = 86_400;
    const fetched = (address: string, lastAt: number, agent = 'jose') => ({ address, agent, lastAt });

    it('are kept once per address and agent, the latest of each', async () => {
      await store.jwksFetches.record([fetched('10.0.0.1', 10), fetched('10.0.0.2', 11)]);
      await store.jwksFetches.record([
        fetched('10.0.0.1', 20),
        fetched('10.0.0.2', 5),
        fetched('10.0.0.1', 12, 'curl'),
      ]);
      assert.deepEqual(await store.jwksFetches.list(), [
        fetched('10.0.0.1', 20),
        fetched('10.0.0.1', 12, 'curl'),
        fetched('10.0.0.2', 11),
      ]);
    });

    it('are forgotten when they are old, and the oldest when there are more than 1,000', async () => {
      await store.jwksFetches.record([fetched('10.9.9.9', 0)]);
      const many = Array.from({ length: 1_001 }, (_, n) => fetched(`10.0.${n >> 8}.${n & 255}`, 50 * day + n));
      await store.jwksFetches.record(many);
      const kept = await store.jwksFetches.list();
      assert.equal(kept.length, 1_000);
      assert.equal(kept.at(-1)?.lastAt, 50 * day + 1);
    });
  });

  describe(`re-encryption in ${engine.name}`, () => {
    const clock = createManualClock();
    const oldBox = createSecretBox(['the former encryption key, 32 bytes']);
    const newBox = createSecretBox(['the present encryption key, 32 bytes']);
    const both = createSecretBox(['the present encryption key, 32 bytes', 'the former encryption key, 32 bytes']);
    let database: TestDatabase;

    beforeEach(async () => {
      database = await engine.createDatabase();
    });
    afterEach(() => database.drop());

    const session = (n: number, expiresIn = 600) => {
      return { do: 'upsert', model: 'Session', id: `s-${n}`, payload: { uid: `u-${n}` }, expiresIn } as const;
    };

    it('makes the present key enough, and finds what a process with the former one writes after it', async () => {
      await using former = await database.open({ clock: clock.read, box: oldBox });
      await former.migrate();
      await former.keys.insertMissing([key('k')]);
      const secrets = [{ name: 'first', digest: 'a digest', createdAt: 1 }];
      const client = { clientId: 'web', metadata: {}, audiences: {}, secrets, createdAt: 1 };
      await former.clients.insert(client);
      const totp = { accountId: 'a11ce000-0000-4000-8000-000000000001', secret: 'JBSWY3DP', createdAt: 1, lastStep: 7 };
      await former.accounts.insert({ id: totp.accountId, username: 'alice', claims: {}, createdAt: 1 }, ['alice']);
      await former.secondFactors.saveTotp(totp);
      await former.artifacts.apply(Array.from({ length: 210 }, (_, n) => session(n)));
      await former.artifacts.apply([session(999, -1)]);

      await using present = await database.open({ clock: clock.read, box: both });
      assert.deepEqual(await present.reEncrypt(), { reEncrypted: 213, remaining: 0, unreadable: 0 });
      assert.deepEqual(await present.reEncrypt(), { reEncrypted: 0, remaining: 0, unreadable: 0 });
      await using alone = await database.open({ clock: clock.read, box: newBox });
      assert.deepEqual(await alone.keys.list(), [key('k')]);
      assert.deepEqual(await alone.clients.find('web'), client);
      assert.deepEqual(await alone.secondFactors.findTotp(totp.accountId), totp);
      for (const n of [0, 99, 100, 209])
        assert.deepEqual(await alone.artifacts.find('Session', `s-${n}`), { uid: `u-${n}` });

      await former.artifacts.apply([session(5)]);
      assert.deepEqual(await alone.reEncrypt(), { reEncrypted: 0, remaining: 0, unreadable: 1 });
      assert.deepEqual(await present.reEncrypt(), { reEncrypted: 1, remaining: 0, unreadable: 0 });
      await assert.rejects(former.keys.list());
    });
  });
}
