// What every engine promises about artifacts: finding, expiry, upserts, consuming and revoking.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import {
  AlreadyConsumed,
  type ArtifactPayload,
  type Artifacts,
  type ArtifactWrite,
  GrantRevoked,
  type Store,
  sessionGrant,
} from '../../src/store.ts';
import {
  box,
  createManualClock,
  type ManualClock,
  type TestDatabase,
  type TestEngine,
} from './fixtures/temporary-database.ts';

export function describeArtifactContract(engine: TestEngine): void {
  describe(`artifacts in ${engine.name}`, () => {
    let database: TestDatabase;
    let store: Store;
    let artifacts: Artifacts;
    let clock: ManualClock;

    beforeEach(async () => {
      clock = createManualClock();
      database = await engine.createDatabase();
      store = await database.open({ clock: clock.read, box });
      await store.migrate();
      artifacts = store.artifacts;
    });

    afterEach(async () => {
      await store[Symbol.asyncDispose]();
      await database.drop();
    });

    const upsert = (model: string, id: string, payload: ArtifactPayload, expiresIn = 60): ArtifactWrite => ({
      do: 'upsert',
      model,
      id,
      payload,
      expiresIn,
    });

    /** A grant with one code, one access token and one refresh token. */
    const issueFamily = (grantId: string) =>
      artifacts.apply([
        upsert('Grant', grantId, { jti: grantId, accountId: 'alice' }),
        upsert('AuthorizationCode', `${grantId}-code`, { grantId }),
        upsert('AccessToken', `${grantId}-access`, { grantId }),
        upsert('RefreshToken', `${grantId}-refresh`, { grantId }),
      ]);

    const aliveOf = async (grantId: string) => {
      const family: [string, string][] = [
        ['Grant', grantId],
        ['AuthorizationCode', `${grantId}-code`],
        ['AccessToken', `${grantId}-access`],
        ['RefreshToken', `${grantId}-refresh`],
      ];
      const found = await Promise.all(family.map(([model, id]) => artifacts.find(model, id)));
      return family.filter((_, index) => found[index]).map(([model]) => model);
    };

    describe('find', () => {
      it('gives a copy equal to what was written, whatever happens to either afterwards', async () => {
        const payload: ArtifactPayload = { accountId: 'alice', nested: { list: [1, 'two', null] } };
        const written = structuredClone(payload);
        await artifacts.apply([upsert('Session', 's', payload)]);
        payload['accountId'] = 'mallory';
        const found = await artifacts.find('Session', 's');
        assert.deepEqual(found, written);
        if (found) found['accountId'] = 'mallory';
        assert.deepEqual(await artifacts.find('Session', 's'), written);
      });

      it('keeps fields that we do not know', async () => {
        const payload = JSON.parse(
          '{"__proto__":{"x":1},"x-future":{"deep":[[{"é":"\\u0000"}]]},"":"empty","n":1e21,"no":false,"nil":null}',
        );
        await artifacts.apply([upsert('DeviceCode', 'd', payload)]);
        assert.deepEqual(await artifacts.find('DeviceCode', 'd'), payload);
      });

      it('finds by uid and by user code', async () => {
        await artifacts.apply([upsert('Session', 's', { uid: 'u' }), upsert('DeviceCode', 'd', { userCode: 'c' })]);
        assert.deepEqual(await artifacts.findByUid('Session', 'u'), { uid: 'u' });
        assert.deepEqual(await artifacts.findByUserCode('DeviceCode', 'c'), { userCode: 'c' });
      });

      it('does not know what was never written, nor what was destroyed', async () => {
        await artifacts.apply([upsert('Session', 's', { uid: 'u', userCode: 'c' })]);
        await artifacts.apply([{ do: 'destroy', model: 'Session', id: 's' }]);
        await artifacts.apply([{ do: 'destroy', model: 'Session', id: 'never' }]);
        for (const key of ['s', 'u', 'c', 'never', '']) {
          assert.equal(await artifacts.find('Session', key), undefined);
          assert.equal(await artifacts.findByUid('Session', key), undefined);
          assert.equal(await artifacts.findByUserCode('Session', key), undefined);
        }
      });

      it('keeps models apart that share an id, a uid and a user code', async () => {
        await artifacts.apply([
          upsert('A', 'same', { uid: 'u', userCode: 'c', of: 'A' }),
          upsert('B', 'same', { uid: 'u', userCode: 'c', of: 'B' }),
        ]);
        await artifacts.apply([{ do: 'consume', model: 'A', id: 'same' }]);
        assert.equal((await artifacts.find('B', 'same'))?.['consumed'], undefined);
        await artifacts.apply([{ do: 'destroy', model: 'A', id: 'same' }]);
        assert.equal((await artifacts.find('B', 'same'))?.['of'], 'B');
        assert.equal((await artifacts.findByUid('B', 'u'))?.['of'], 'B');
        assert.equal((await artifacts.findByUserCode('B', 'c'))?.['of'], 'B');
        assert.equal(await artifacts.findByUid('A', 'u'), undefined);
      });

      for (const id of [
        "x'",
        'x" or 1=1 --',
        'X',
        'x%',
        '_',
        'x\0',
        'x ',
        ' x',
        '9007199254740993',
        'é',
        '__proto__',
      ]) {
        it(`takes an odd id for what it is: ${JSON.stringify(id)}`, async () => {
          await artifacts.apply([upsert('AccessToken', 'x', { of: 'x' })]);
          assert.equal(await artifacts.find('AccessToken', id), undefined);
          await artifacts.apply([upsert('AccessToken', id, { of: id })]);
          assert.deepEqual(await artifacts.find('AccessToken', id), { of: id });
          assert.deepEqual(await artifacts.find('AccessToken', 'x'), { of: 'x' });
        });
      }
    });

    describe('expiry', () => {
      it('ends an artifact at the second it expires, also by uid and user code', async () => {
        await artifacts.apply([upsert('Session', 's', { uid: 'u', userCode: 'c' }, 10)]);
        clock.now += 9;
        assert.ok(await artifacts.find('Session', 's'));
        assert.ok(await artifacts.findByUid('Session', 'u'));
        assert.ok(await artifacts.findByUserCode('Session', 'c'));
        clock.now += 1;
        assert.equal(await artifacts.find('Session', 's'), undefined);
        assert.equal(await artifacts.findByUid('Session', 'u'), undefined);
        assert.equal(await artifacts.findByUserCode('Session', 'c'), undefined);
      });

      it('keeps an artifact without expiry', async () => {
        await artifacts.apply([{ do: 'upsert', model: 'InitialAccessToken', id: 'i', payload: {} }]);
        clock.now += 10 * 365 * 86_400;
        assert.deepEqual(await artifacts.find('InitialAccessToken', 'i'), {});
      });

      it('opens nothing when its encryption key is gone', async () => {
        await artifacts.apply([upsert('Session', 's', { uid: 'u' })]);
        const { createSecretBox } = await import('../../src/keys/secret-box.ts');
        await using other = await database.open({
          clock: clock.read,
          box: createSecretBox(['another encryption key of 32 bytes']),
        });
        assert.equal(await other.artifacts.find('Session', 's'), undefined);
        assert.equal(await other.artifacts.findByUid('Session', 'u'), undefined);
      });
    });

    describe('upsert', () => {
      it('replaces payload and expiry', async () => {
        await artifacts.apply([upsert('Session', 's', { a: 1, b: 2 }, 10)]);
        await artifacts.apply([upsert('Session', 's', { a: 3 }, 100)]);
        clock.now += 50;
        assert.deepEqual(await artifacts.find('Session', 's'), { a: 3 });
      });

      it('moves the uid and the user code of an artifact', async () => {
        await artifacts.apply([upsert('Session', 's', { uid: 'old', userCode: 'old' })]);
        await artifacts.apply([upsert('Session', 's', { uid: 'new', userCode: 'new' })]);
        assert.equal(await artifacts.findByUid('Session', 'old'), undefined);
        assert.equal(await artifacts.findByUserCode('Session', 'old'), undefined);
        assert.ok(await artifacts.findByUid('Session', 'new'));
        assert.ok(await artifacts.findByUserCode('Session', 'new'));
      });

      it('lets a uid and a user code point to whichever artifact was written last', async () => {
        await artifacts.apply([upsert('Session', 'before', { uid: 'u', userCode: 'c', at: 1 })]);
        await artifacts.apply([upsert('Session', 'after', { uid: 'u', userCode: 'c', at: 2 })]);
        assert.equal((await artifacts.findByUid('Session', 'u'))?.['at'], 2);
        assert.equal((await artifacts.findByUserCode('Session', 'c'))?.['at'], 2);
        await artifacts.apply([{ do: 'destroy', model: 'Session', id: 'before' }]);
        assert.equal((await artifacts.findByUid('Session', 'u'))?.['at'], 2);
      });

      it('never clears consumed', async () => {
        await artifacts.apply([
          upsert('RefreshToken', 'r', { a: 1 }),
          { do: 'consume', model: 'RefreshToken', id: 'r' },
        ]);
        const consumed = clock.now;
        clock.now += 5;
        await artifacts.apply([upsert('RefreshToken', 'r', { a: 2 })]);
        assert.deepEqual(await artifacts.find('RefreshToken', 'r'), { a: 2, consumed });
        await artifacts.apply([upsert('RefreshToken', 'r', { a: 3, consumed: consumed + 5 })]);
        assert.deepEqual(await artifacts.find('RefreshToken', 'r'), { a: 3, consumed });
        await assert.rejects(artifacts.apply([{ do: 'consume', model: 'RefreshToken', id: 'r' }]), AlreadyConsumed);
      });
    });

    describe('consume', () => {
      it('marks the artifact with the time, and keeps it until it expires', async () => {
        await issueFamily('g');
        await artifacts.apply([{ do: 'consume', model: 'AuthorizationCode', id: 'g-code' }]);
        assert.deepEqual(await artifacts.find('AuthorizationCode', 'g-code'), { grantId: 'g', consumed: clock.now });
        clock.now += 60;
        assert.equal(await artifacts.find('AuthorizationCode', 'g-code'), undefined);
      });

      it('refuses a second time and revokes the whole family (RFC 6749 §4.1.2, RFC 9700 §4.14.2)', async () => {
        await issueFamily('g');
        await issueFamily('other');
        await artifacts.apply([{ do: 'consume', model: 'RefreshToken', id: 'g-refresh' }]);
        await assert.rejects(
          artifacts.apply([{ do: 'consume', model: 'RefreshToken', id: 'g-refresh' }]),
          AlreadyConsumed,
        );
        assert.deepEqual(await aliveOf('g'), []);
        assert.equal((await aliveOf('other')).length, 4);
        await assert.rejects(artifacts.apply([upsert('AccessToken', 'late', { grantId: 'g' })]), GrantRevoked);
      });

      it('lets none of the loser’s writes take effect, before or after it', async () => {
        await issueFamily('g');
        await artifacts.apply([{ do: 'consume', model: 'AuthorizationCode', id: 'g-code' }]);
        const batch: ArtifactWrite[] = [
          upsert('Session', 'before', {}),
          { do: 'consume', model: 'AuthorizationCode', id: 'g-code' },
          upsert('Session', 'after', {}),
        ];
        await assert.rejects(artifacts.apply(batch), AlreadyConsumed);
        assert.equal(await artifacts.find('Session', 'before'), undefined);
        assert.equal(await artifacts.find('Session', 'after'), undefined);
        assert.deepEqual(await aliveOf('g'), []);
      });

      it('refuses what is unknown', async () => {
        await assert.rejects(artifacts.apply([{ do: 'consume', model: 'RefreshToken', id: 'never' }]), AlreadyConsumed);
      });

      it('refuses what has expired, and spares the grant of what was not used twice', async () => {
        await artifacts.apply([upsert('Grant', 'g', {}, 600), upsert('AuthorizationCode', 'c', { grantId: 'g' }, 10)]);
        clock.now += 10;
        await assert.rejects(
          artifacts.apply([{ do: 'consume', model: 'AuthorizationCode', id: 'c' }]),
          AlreadyConsumed,
        );
        assert.ok(await artifacts.find('Grant', 'g'));
      });

      it('revokes nothing when an artifact without a grant is used twice', async () => {
        await issueFamily('g');
        await artifacts.apply([upsert('PushedAuthorizationRequest', 'p', {})]);
        await artifacts.apply([{ do: 'consume', model: 'PushedAuthorizationRequest', id: 'p' }]);
        await assert.rejects(
          artifacts.apply([{ do: 'consume', model: 'PushedAuthorizationRequest', id: 'p' }]),
          AlreadyConsumed,
        );
        assert.equal((await aliveOf('g')).length, 4);
      });

      it('has one winner among 20 that write the artifact as they consume it', async () => {
        const once: ArtifactWrite[] = [
          { do: 'upsert', model: 'WebAuthnChallenge', id: 'c', payload: { jti: 'c' }, expiresIn: 60 },
          { do: 'consume', model: 'WebAuthnChallenge', id: 'c' },
        ];
        const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => artifacts.apply(once)));
        const losses = outcomes.filter((outcome) => outcome.status === 'rejected');
        assert.equal(losses.length, 19);
        assert.ok(losses.every(({ reason }) => reason instanceof AlreadyConsumed));
      });

      it('has one winner among 50 at once, and the family is dead afterwards', async () => {
        await issueFamily('g');
        const attempts = Array.from({ length: 50 }, (_, n) =>
          artifacts.apply([
            { do: 'consume', model: 'RefreshToken', id: 'g-refresh' },
            upsert('RefreshToken', `g-next-${n}`, { grantId: 'g' }),
          ]),
        );
        const outcomes = await Promise.allSettled(attempts);
        assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof AlreadyConsumed);
        }
        assert.deepEqual(await aliveOf('g'), []);
        for (let n = 0; n < 50; n += 1) assert.equal(await artifacts.find('RefreshToken', `g-next-${n}`), undefined);
      });
    });

    describe('revoke', () => {
      it('drops codes and tokens of every model with the grant itself, and nothing else', async () => {
        await issueFamily('g');
        await issueFamily('other');
        await artifacts.apply([upsert('SomeFutureToken', 'f', { grantId: 'g' }), { do: 'revoke', grantId: 'g' }]);
        assert.deepEqual(await aliveOf('g'), []);
        assert.equal(await artifacts.find('SomeFutureToken', 'f'), undefined);
        assert.equal((await aliveOf('other')).length, 4);
      });

      for (const [model, id] of [
        ['Grant', 'g'],
        ['AccessToken', 'late'],
        ['SomeFutureToken', 'late'],
      ] as const) {
        it(`lets no ${model} be written for the grant any more, nor anything beside it`, async () => {
          await issueFamily('g');
          await artifacts.apply([{ do: 'revoke', grantId: 'g' }]);
          const batch = [upsert('Session', 's', {}), upsert(model, id, { grantId: 'g' })];
          await assert.rejects(artifacts.apply(batch), GrantRevoked);
          assert.equal(await artifacts.find(model, id), undefined);
          assert.equal(await artifacts.find('Session', 's'), undefined);
        });
      }

      it('ends a session by its uid, under whatever id, and none is written for that uid any more', async () => {
        const session = (id: string, uid: string) => upsert('Session', id, { uid, accountId: 'a' });
        await artifacts.apply([session('before', 'u'), session('other', 'o')]);
        await artifacts.apply([session('after', 'u')]);
        await artifacts.apply([{ do: 'revoke', grantId: sessionGrant('u') }]);
        assert.equal(await artifacts.findByUid('Session', 'u'), undefined);
        for (const id of ['before', 'after']) assert.equal(await artifacts.find('Session', id), undefined);
        await assert.rejects(artifacts.apply([session('late', 'u')]), GrantRevoked);
        assert.ok(await artifacts.find('Session', 'other'));
      });

      it('may come many times at once, and before the grant was ever written', async () => {
        await Promise.all(Array.from({ length: 8 }, () => artifacts.apply([{ do: 'revoke', grantId: 'g' }])));
        await assert.rejects(issueFamily('g'), GrantRevoked);
        assert.deepEqual(await aliveOf('g'), []);
      });

      it('lets a sign-in that mentions the grant go on', async () => {
        await artifacts.apply([upsert('Interaction', 'i', { grantId: 'g' })]);
        await artifacts.apply([{ do: 'revoke', grantId: 'g' }]);
        assert.ok(await artifacts.find('Interaction', 'i'));
        await artifacts.apply([upsert('Interaction', 'i', { grantId: 'g', step: 2 })]);
        assert.equal((await artifacts.find('Interaction', 'i'))?.['step'], 2);
      });
    });

    describe('transactions', () => {
      it('never shows a write that is then undone', async () => {
        const seen: unknown[] = [];
        let settled = false;
        const writes = Array.from({ length: 50 }, (_, n) => upsert('Session', `s${n}`, {}));
        const batch = artifacts
          .apply([...writes, { do: 'consume', model: 'RefreshToken', id: 'never' }])
          .catch((error) => error)
          .finally(() => {
            settled = true;
          });
        let reads = 0;
        while (!settled) {
          if (await artifacts.find('Session', 's0')) seen.push('s0');
          reads += 1;
          if (reads % 200 === 0) await setImmediate();
        }
        assert.ok((await batch) instanceof AlreadyConsumed);
        assert.ok(reads > 0);
        assert.deepEqual(seen, []);
      });

      it('loses none of 100 batches at once', async () => {
        await Promise.all(
          Array.from({ length: 100 }, (_, n) => artifacts.apply([upsert('AccessToken', `t${n}`, { n })])),
        );
        for (let n = 0; n < 100; n += 1) assert.deepEqual(await artifacts.find('AccessToken', `t${n}`), { n });
      });

      it('takes an empty batch', async () => {
        await artifacts.apply([]);
      });
    });

    describe('sweep', () => {
      it('deletes what expired more than a minute ago, and only that', async () => {
        await artifacts.apply([
          upsert('AccessToken', 'old', {}, 10),
          upsert('AccessToken', 'recent', {}, 20),
          upsert('AccessToken', 'alive', {}, 600),
          { do: 'upsert', model: 'AccessToken', id: 'forever', payload: {} },
        ]);
        clock.now += 71;
        assert.equal((await store.sweep(100)).rows, 1);
        assert.equal((await store.sweep(100)).rows, 0);
        clock.now = clock.now - 71 + 15;
        assert.ok(await artifacts.find('AccessToken', 'recent'));
        assert.ok(await artifacts.find('AccessToken', 'alive'));
        assert.ok(await artifacts.find('AccessToken', 'forever'));
      });

      it('deletes no more than it was allowed to, tombstones included', async () => {
        const revocations = Array.from({ length: 3 }, (_, n): ArtifactWrite => ({ do: 'revoke', grantId: `g${n}` }));
        const tokens = Array.from({ length: 4 }, (_, n) => upsert('AccessToken', `t${n}`, {}));
        await artifacts.apply([...revocations, ...tokens]);
        clock.now += 26 * 3600;
        const counts: number[] = [];
        for (let n = 0; n < 4; n += 1) counts.push((await store.sweep(3)).rows);
        assert.deepEqual(counts, [3, 3, 1, 0]);
      });

      it('keeps a consumed artifact as long as it can be replayed', async () => {
        await issueFamily('g');
        await artifacts.apply([{ do: 'consume', model: 'AuthorizationCode', id: 'g-code' }]);
        clock.now += 59;
        assert.equal((await store.sweep(100)).rows, 0);
        await assert.rejects(
          artifacts.apply([{ do: 'consume', model: 'AuthorizationCode', id: 'g-code' }]),
          AlreadyConsumed,
        );
        assert.deepEqual(await aliveOf('g'), []);
      });

      it('keeps a tombstone for 25 hours', async () => {
        await artifacts.apply([{ do: 'revoke', grantId: 'g' }]);
        clock.now += 25 * 3600;
        assert.equal((await store.sweep(100)).rows, 0);
        await assert.rejects(issueFamily('g'), GrantRevoked);
        clock.now += 61;
        assert.equal((await store.sweep(100)).rows, 1);
      });
    });
  });
}
