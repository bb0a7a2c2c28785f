// What every engine promises about accounts, clients, resource servers, signing keys and the store as a whole.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import {
  type Account,
  type ClientRecord,
  Conflict,
  type ResourceServer,
  type SigningKey,
  type Store,
} from '../../src/store.ts';
import { box, createManualClock, type TestDatabase, type TestEngine } from './fixtures/temporary-database.ts';

const alice: Account = {
  id: 'a11ce000-0000-4000-8000-000000000001',
  username: 'alice',
  passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
  claims: { name: 'Alice', email_verified: true, address: { locality: 'Bern' }, updated_at: 1 },
  createdAt: 1_700_000_000,
};
const bob: Account = { id: 'b0b00000-0000-4000-8000-000000000002', username: 'bob', claims: {}, createdAt: 1 };

const web: ClientRecord = {
  clientId: 'web',
  metadata: { redirect_uris: ['https://web.example/callback'], first_party: true, 'x-future': { deep: [null] } },
  audiences: { 'logging-service': 'logs:write', 'https://api.example/': null },
  secrets: [
    { name: 'first', digest: 'ZGlnZXN0LW9uZQ', createdAt: 1 },
    { name: 'second', digest: 'ZGlnZXN0LXR3bw', value: 'dHdv', createdAt: 2, expiresAt: 3 },
  ],
  createdAt: 1_700_000_000,
};

const logs: ResourceServer = { audience: 'logging-service', scope: 'logs:write logs:read', alg: 'HS256', createdAt: 1 };
const api: ResourceServer = { audience: 'https://api.example/', scope: '', alg: 'EdDSA', expiresIn: 300, createdAt: 2 };

const key = (kid: string, alg: string, createdAt: number): SigningKey => ({
  kid,
  alg,
  jwk: JSON.stringify({ kty: 'OKP', kid, d: `private ${kid}` }),
  createdAt,
  signsAt: createdAt,
});

export function describeTableContract(engine: TestEngine): void {
  describe(`accounts, clients, resource servers and keys in ${engine.name}`, () => {
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

    const isConflict = (field: string) => (error: unknown) => error instanceof Conflict && error.field === field;

    describe('accounts', () => {
      it('finds an account by id and by each login key', async () => {
        await store.accounts.insert(alice, ['alice', 'alice@example.org', 'alice']);
        assert.deepEqual(await store.accounts.find(alice.id), alice);
        assert.deepEqual(await store.accounts.findByLoginKey('alice'), alice);
        assert.deepEqual(await store.accounts.findByLoginKey('alice@example.org'), alice);
        for (const unknown of ['Alice', 'bob', '%', '', 'alice\0']) {
          assert.equal(await store.accounts.findByLoginKey(unknown), undefined);
          assert.equal(await store.accounts.find(unknown), undefined);
        }
      });

      it('lists by username', async () => {
        await store.accounts.insert(bob, ['bob']);
        await store.accounts.insert(alice, ['alice']);
        assert.deepEqual(await store.accounts.list(), [alice, bob]);
      });

      it('replaces an account with its login keys', async () => {
        await store.accounts.insert(alice, ['alice', 'old@example.org']);
        const { passwordHash: _, ...rest } = alice;
        const changed: Account = { ...rest, username: 'alicia', claims: {}, disabledAt: 5 };
        assert.equal(await store.accounts.update(changed, ['alicia']), true);
        assert.deepEqual(await store.accounts.findByLoginKey('alicia'), changed);
        assert.equal(await store.accounts.findByLoginKey('alice'), undefined);
        assert.equal(await store.accounts.findByLoginKey('old@example.org'), undefined);
      });

      it('replaces an account that is still the one that was read, and no other', async () => {
        await store.accounts.insert(alice, ['alice']);
        const { passwordHash: _, ...rest } = alice;
        const others: Account[] = [
          { ...alice, username: 'alicia' },
          rest,
          { ...alice, passwordHash: 'another' },
          { ...alice, claims: { ...alice.claims, name: 'Another' } },
          { ...alice, disabledAt: 5 },
          { ...alice, requiresMfa: true },
        ];
        const changed: Account = { ...alice, claims: { name: 'Changed' } };
        for (const other of others) {
          assert.equal(await store.accounts.update(changed, ['changed'], other), false, JSON.stringify(other));
        }
        assert.deepEqual(await store.accounts.findByLoginKey('alice'), alice);
        assert.equal(await store.accounts.update(rest, ['alice'], alice), true);
        assert.equal(await store.accounts.update(changed, ['alice'], alice), false);
        assert.equal(await store.accounts.update(changed, ['alice'], rest), true);
        assert.deepEqual(await store.accounts.findByLoginKey('alice'), changed);
      });

      it('removes an account with its login keys, which are free again', async () => {
        await store.accounts.insert(alice, ['alice']);
        assert.equal(await store.accounts.remove(alice.id), true);
        assert.equal(await store.accounts.find(alice.id), undefined);
        assert.equal(await store.accounts.findByLoginKey('alice'), undefined);
        await store.accounts.insert(bob, ['alice']);
      });

      it('says when there is nothing to change', async () => {
        assert.equal(await store.accounts.update(alice, ['alice']), false);
        assert.equal(await store.accounts.remove(alice.id), false);
        assert.equal(await store.accounts.findByLoginKey('alice'), undefined);
      });

      const takenNames: [string, Account, string[]][] = [
        ['username', { ...bob, username: 'alice' }, ['bob']],
        ['login key', bob, ['bob', 'alice']],
      ];
      for (const [what, account, loginKeys] of takenNames) {
        it(`refuses a taken ${what} and leaves nothing behind`, async () => {
          await store.accounts.insert(alice, ['alice']);
          await assert.rejects(store.accounts.insert(account, loginKeys), isConflict('username'));
          assert.deepEqual(await store.accounts.list(), [alice]);
          await store.accounts.insert(bob, ['bob']);
          await assert.rejects(store.accounts.update(account, loginKeys), isConflict('username'));
          assert.deepEqual(await store.accounts.findByLoginKey('bob'), bob);
          assert.deepEqual(await store.accounts.findByLoginKey('alice'), alice);
        });
      }

      it('gives a username to one of many who ask at once', async () => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 10 }, (_, n) => store.accounts.insert({ ...bob, id: `id-${n}` }, ['bob'])),
        );
        assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
        assert.equal((await store.accounts.list()).length, 1);
      });
    });

    describe('clients', () => {
      it('finds, lists, replaces and removes', async () => {
        const other: ClientRecord = { ...web, clientId: 'api', secrets: [] };
        await store.clients.insert(web);
        await store.clients.insert(other);
        assert.deepEqual(await store.clients.find('web'), web);
        assert.deepEqual(await store.clients.list(), [other, web]);
        const changed: ClientRecord = { ...web, metadata: {}, audiences: {}, secrets: web.secrets.slice(1) };
        assert.equal(await store.clients.update(changed), true);
        assert.deepEqual(await store.clients.find('web'), changed);
        for (const unknown of ['WEB', 'web ', 'web\0', '%']) assert.equal(await store.clients.find(unknown), undefined);
        assert.equal(await store.clients.remove('web'), true);
        assert.equal(await store.clients.find('web'), undefined);
        assert.equal(await store.clients.remove('web'), false);
        assert.equal(await store.clients.update(web), false);
      });

      it('refuses a taken client id', async () => {
        await store.clients.insert(web);
        await assert.rejects(store.clients.insert({ ...web, metadata: {} }), isConflict('client_id'));
        assert.deepEqual(await store.clients.find('web'), web);
      });

      it('refuses to read a secret whose encryption key is gone, rather than to forget it', async () => {
        await store.clients.insert(web);
        await using other = await database.open({
          clock: clock.read,
          box: createSecretBox(['another key of 32 bytes or more..']),
        });
        await assert.rejects(other.clients.find('web'));
      });
    });

    describe('client uses', () => {
      it('keep the latest use of each secret, of each client', async () => {
        await store.clientUses.recordSecret('web', 'first', 10);
        await store.clientUses.recordSecret('web', 'first', 20);
        await store.clientUses.recordSecret('web', 'second', 15);
        await store.clientUses.recordSecret('other', 'first', 30);
        assert.deepEqual(await store.clientUses.secretsOf('web'), { first: 20, second: 15 });
        assert.deepEqual(await store.clientUses.secretsOf('nobody'), {});
      });

      it('count failures of many processes at once, by bucket, and anew in each period', async () => {
        await using second = await database.open({ clock: clock.read, box });
        const counts = await Promise.all(
          [store, second, store, second].map(({ clientUses }) => clientUses.countFailure(7, 100)),
        );
        assert.deepEqual(counts.sort(), [1, 2, 3, 4]);
        assert.equal(await second.clientUses.failures(7, 100), 4);
        assert.equal(await store.clientUses.failures(8, 100), 0);
        assert.equal(await store.clientUses.countFailure(7, 101), 1);
        assert.equal(await store.clientUses.failures(7, 100), 0);
      });
    });

    describe('resource servers', () => {
      it('finds, lists and removes', async () => {
        await store.resourceServers.insert(logs);
        await store.resourceServers.insert(api);
        assert.deepEqual(await store.resourceServers.find('logging-service'), logs);
        for (const unknown of ['LOGGING-SERVICE', 'logging-service\0']) {
          assert.equal(await store.resourceServers.find(unknown), undefined);
        }
        assert.deepEqual(await store.resourceServers.list(), [api, logs]);
        assert.equal(await store.resourceServers.remove('logging-service'), true);
        assert.equal(await store.resourceServers.find('logging-service'), undefined);
        assert.equal(await store.resourceServers.remove('logging-service'), false);
      });

      it('refuses a taken audience', async () => {
        await store.resourceServers.insert(logs);
        await assert.rejects(store.resourceServers.insert({ ...logs, alg: 'ES256' }), isConflict('audience'));
        assert.deepEqual(await store.resourceServers.find('logging-service'), logs);
      });
    });

    describe('keys', () => {
      it('lists the oldest first', async () => {
        await store.keys.insertMissing([key('b', 'RS256', 2), key('a', 'ES256', 1)]);
        assert.deepEqual(await store.keys.list(), [key('a', 'ES256', 1), key('b', 'RS256', 2)]);
      });

      it('makes one set of keys out of many first boots at once', async () => {
        await using second = await database.open({ clock: clock.read, box });
        await Promise.all(
          [store, second, store, second].map(({ keys }, n) =>
            keys.insertMissing([key(`rsa-${n}`, 'RS256', n), key(`ec-${n}`, 'ES256', n)]),
          ),
        );
        const kept = await store.keys.list();
        assert.deepEqual(kept.map(({ alg }) => alg).sort(), ['ES256', 'RS256']);
        assert.deepEqual(await second.keys.list(), kept);
      });

      it('adds the key of an algorithm that is new', async () => {
        await store.keys.insertMissing([key('a', 'ES256', 1)]);
        await store.keys.insertMissing([key('b', 'ES256', 2), key('c', 'EdDSA', 2)]);
        assert.deepEqual(
          (await store.keys.list()).map(({ kid }) => kid),
          ['a', 'c'],
        );
      });

      it('refuses to list keys that it cannot unseal', async () => {
        await store.keys.insertMissing([key('a', 'ES256', 1)]);
        await using other = await database.open({
          clock: clock.read,
          box: createSecretBox(['another key of 32 bytes or more..']),
        });
        await assert.rejects(other.keys.list());
      });
    });

    describe('the store', () => {
      it('probes by writing and reading, by many at once', async () => {
        await Promise.all([store.probe(), store.probe(), store.probe()]);
      });

      it('has its data when it is opened again', async () => {
        await store.accounts.insert(alice, ['alice']);
        await store.artifacts.apply([{ do: 'upsert', model: 'Grant', id: 'g', payload: { a: 1 }, expiresIn: 60 }]);
        await store.artifacts.apply([{ do: 'revoke', grantId: 'dead' }]);
        await store[Symbol.asyncDispose]();
        store = await database.open({ clock: clock.read, box });
        await store.migrate();
        assert.deepEqual(await store.accounts.findByLoginKey('alice'), alice);
        assert.deepEqual(await store.artifacts.find('Grant', 'g'), { a: 1 });
        await assert.rejects(store.artifacts.apply([{ do: 'upsert', model: 'Grant', id: 'dead', payload: {} }]), {
          name: 'GrantRevoked',
        });
      });

      it('says that it is unavailable once it is closed', async () => {
        await store[Symbol.asyncDispose]();
        await assert.rejects(store.probe(), { name: 'StoreUnavailable' });
        await assert.rejects(store.clients.find('web'), { name: 'StoreUnavailable' });
        store = await database.open({ clock: clock.read, box });
      });
    });
  });
}
