// What every engine promises about revoked JWTs: which revocations put them on the deny-list, and how long they stay.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import {
  type Account,
  type ArtifactPayload,
  type ArtifactWrite,
  GrantRevoked,
  JWT_ACCESS_TOKEN,
  type Store,
} from '../../src/store.ts';
import {
  box,
  createManualClock,
  type ManualClock,
  type TestDatabase,
  type TestEngine,
} from './fixtures/temporary-database.ts';

const alice: Account = {
  id: 'a11ce000-0000-4000-8000-000000000001',
  username: 'alice',
  claims: {},
  createdAt: 1_700_000_000,
};

const upsert = (model: string, id: string, payload: ArtifactPayload, expiresIn = 900): ArtifactWrite => ({
  do: 'upsert',
  model,
  id,
  payload,
  expiresIn,
});

const rememberJwt = (jti: string, grantId: string, clientId = 'web'): ArtifactWrite =>
  upsert(JWT_ACCESS_TOKEN, jti, { jti, grantId, clientId, accountId: alice.id });

export function describeRevocationContract(engine: TestEngine): void {
  describe(`revoked tokens in ${engine.name}`, () => {
    let database: TestDatabase;
    let store: Store;
    let clock: ManualClock;

    beforeEach(async () => {
      clock = createManualClock();
      database = await engine.createDatabase();
      store = await database.open({ clock: clock.read, box });
      await store.migrate();
    });

    afterEach(async () => {
      await store[Symbol.asyncDispose]();
      await database.drop();
    });

    const revokedOf = async (...jtis: string[]) => {
      const revoked = await Promise.all(jtis.map((jti) => store.revokedTokens.has(jti)));
      return jtis.filter((_, index) => revoked[index]);
    };

    it('lists a token that is denied by name, by its hash only, with the newest first', async () => {
      await store.artifacts.apply([{ do: 'deny', jti: 'first', expiresAt: clock.now + 900 }]);
      const revokedAt = clock.now;
      clock.now += 1;
      await store.artifacts.apply([{ do: 'deny', jti: 'second', expiresAt: clock.now + 300 }]);
      await store.artifacts.apply([{ do: 'deny', jti: 'first', expiresAt: clock.now + 1 }]);
      assert.deepEqual(await revokedOf('first', 'second', 'third', 'First', ''), ['first', 'second']);
      const list = await store.revokedTokens.list(10);
      assert.deepEqual(
        list.map(({ revokedAt, expiresAt }) => [revokedAt, expiresAt]),
        [
          [clock.now, clock.now + 300],
          [revokedAt, revokedAt + 900],
        ],
      );
      // SHA-256 of the text "first", base64url
      assert.equal(list[1]?.jtiHash, 'p5N7ZLjKpY8Dchu2us9ceMsjX-vg5wsbhM2ZVBRhoI4');
      assert.deepEqual(await store.revokedTokens.list(1), list.slice(0, 1));
    });

    it('denies the JWTs of a revoked grant, and of no other', async () => {
      await store.artifacts.apply([
        rememberJwt('one', 'grant'),
        rememberJwt('two', 'grant'),
        rememberJwt('other', 'another grant'),
        upsert('AccessToken', 'opaque', { grantId: 'grant' }),
      ]);
      assert.deepEqual(await revokedOf('one', 'two', 'other'), []);
      await store.artifacts.apply([{ do: 'revoke', grantId: 'grant' }]);
      await store.artifacts.apply([{ do: 'revoke', grantId: 'grant' }]);
      assert.deepEqual(await revokedOf('one', 'two', 'other', 'opaque'), ['one', 'two']);
    });

    it('denies the JWTs of a grant whose code or refresh token is used twice (RFC 9700 §4.14.2)', async () => {
      await store.artifacts.apply([upsert('RefreshToken', 'r', { grantId: 'grant' }), rememberJwt('one', 'grant')]);
      await store.artifacts.apply([{ do: 'consume', model: 'RefreshToken', id: 'r' }, rememberJwt('two', 'grant')]);
      const replay = store.artifacts.apply([
        { do: 'consume', model: 'RefreshToken', id: 'r' },
        rememberJwt('three', 'grant'),
      ]);
      await assert.rejects(replay);
      assert.deepEqual(await revokedOf('one', 'two', 'three'), ['one', 'two']);
    });

    const interruptions: [name: string, end: () => Promise<unknown>][] = [
      ['the grant is revoked', () => store.artifacts.apply([{ do: 'revoke', grantId: 'grant' }])],
      ['the account is disabled', () => store.accounts.update({ ...alice, disabledAt: clock.now }, ['alice'])],
      ['the account is removed', () => store.accounts.remove(alice.id)],
    ];
    for (const [name, end] of interruptions) {
      it(`either denies a JWT or refuses to remember it, however many are issued while ${name}`, async () => {
        await store.accounts.insert(alice, ['alice']);
        await store.artifacts.apply([upsert('Grant', 'grant', { accountId: alice.id, clientId: 'web' })]);
        const jtis = Array.from({ length: 24 }, (_, n) => `jwt-${n}`);
        const writes: Promise<unknown>[] = jtis.map((jti) => store.artifacts.apply([rememberJwt(jti, 'grant')]));
        writes.splice(8, 0, end());
        const outcomes = (await Promise.allSettled(writes)).toSpliced(8, 1);
        const acknowledged = jtis.filter((_, index) => outcomes[index]?.status === 'fulfilled');
        assert.deepEqual(await revokedOf(...jtis), acknowledged);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof GrantRevoked, String(outcome.reason));
        }
      });
    }

    const endings: [name: string, end: () => Promise<boolean>, survives: boolean][] = [
      ['disabled account', () => store.accounts.update({ ...alice, disabledAt: clock.now }, ['alice']), false],
      ['removed account', () => store.accounts.remove(alice.id), false],
      ['renamed account', () => store.accounts.update({ ...alice, username: 'al' }, ['al']), true],
      ['removed client', () => store.clients.remove('web'), false],
    ];
    for (const [name, end, survives] of endings) {
      it(`${survives ? 'keeps' : 'ends'} the sessions, grants and tokens of a ${name}`, async () => {
        await store.accounts.insert(alice, ['alice']);
        await store.clients.insert({ clientId: 'web', metadata: {}, audiences: {}, secrets: [], createdAt: 1 });
        await store.artifacts.apply([
          upsert('Session', 's', { accountId: alice.id, clientId: 'web', uid: 'u' }),
          upsert('Grant', 'grant', { accountId: alice.id, clientId: 'web' }),
          upsert('RefreshToken', 'r', { grantId: 'grant', accountId: alice.id, clientId: 'web' }),
          rememberJwt('one', 'grant'),
          upsert('Grant', 'bystander', { accountId: 'bob', clientId: 'api' }),
          upsert(JWT_ACCESS_TOKEN, 'two', { grantId: 'bystander', accountId: 'bob', clientId: 'api' }),
        ]);
        assert.equal(await end(), true);
        for (const [model, id] of [
          ['Session', 's'],
          ['Grant', 'grant'],
          ['RefreshToken', 'r'],
        ] as const) {
          assert.equal((await store.artifacts.find(model, id)) !== undefined, survives, model);
        }
        assert.deepEqual(await revokedOf('one', 'two'), survives ? [] : ['one']);
        assert.ok(await store.artifacts.find('Grant', 'bystander'));
        const late = store.artifacts.apply([rememberJwt('late', 'grant')]);
        if (survives) await late;
        else await assert.rejects(late, GrantRevoked);
      });
    }

    it('forgets a token only after no verifier accepts it any more, clock skew included', async () => {
      await store.artifacts.apply([{ do: 'deny', jti: 'one', expiresAt: clock.now + 10 }]);
      clock.now += 10 + 59;
      while ((await store.sweep(100)).more);
      assert.deepEqual([await revokedOf('one'), (await store.revokedTokens.list(10)).length], [['one'], 1]);
      clock.now += 2;
      assert.equal((await store.revokedTokens.list(10)).length, 0);
      while ((await store.sweep(100)).more);
      assert.deepEqual(await revokedOf('one'), []);
    });

    it('keeps what is denied for longer when it is denied again', async () => {
      await store.artifacts.apply([{ do: 'deny', jti: 'one', expiresAt: clock.now + 10 }]);
      await store.artifacts.apply([{ do: 'deny', jti: 'one', expiresAt: clock.now + 900 }]);
      clock.now += 100;
      while ((await store.sweep(100)).more);
      assert.deepEqual(await revokedOf('one'), ['one']);
    });
  });
}
