// A request's own view of the artifacts, and the one commit at its end.
import assert from 'node:assert/strict';
import { createRequestUnits } from '../../adapters/request-units.ts';
import { createUnitOfWork } from '../../adapters/unit-of-work.ts';
import { AlreadyConsumed, type ArtifactWrite } from '../../src/store.ts';
import { openTemporaryStore, type TemporaryStore } from '../accounts/temporary-store.ts';

const CODE = 'AuthorizationCode';

function put(model: string, id: string, payload: Record<string, unknown> = {}): ArtifactWrite {
  return { do: 'upsert', model, id, payload: { jti: id, ...payload }, expiresIn: 600 };
}

describe('Unit of work', () => {
  let temporary: TemporaryStore;
  const artifacts = () => temporary.store.artifacts;
  before(async () => {
    temporary = await openTemporaryStore();
  });
  after(() => temporary[Symbol.asyncDispose]());

  it('shows a request its own writes, and nobody else before the commit', async () => {
    const unit = createUnitOfWork(artifacts(), temporary.clock);
    await unit.apply([put('Session', 's1', { uid: 'u1', n: 1 }), put('DeviceCode', 'd1', { userCode: 'ABCD' })]);
    assert.deepEqual(await unit.find('Session', 's1'), { jti: 's1', uid: 'u1', n: 1 });
    assert.equal((await unit.findByUid('Session', 'u1'))?.['n'], 1);
    assert.equal((await unit.findByUserCode('DeviceCode', 'ABCD'))?.['jti'], 'd1');
    assert.equal(await artifacts().find('Session', 's1'), undefined);
    await unit.commit();
    assert.equal((await artifacts().findByUid('Session', 'u1'))?.['n'], 1);
  });

  it('lists what an account has as the request has left it', async () => {
    const of = (accountId: string) => ({ accountId });
    await artifacts().apply([
      put('Session', 'l1', of('a')),
      put('Session', 'l2', of('a')),
      put('Session', 'l3', of('a')),
    ]);
    const unit = createUnitOfWork(artifacts(), temporary.clock);
    await unit.apply([
      { do: 'destroy', model: 'Session', id: 'l1' },
      put('Session', 'l2', of('b')),
      put('Session', 'l4', of('a')),
      put('Grant', 'l5', of('a')),
    ]);
    assert.deepEqual((await unit.listOf('Session', 'a')).map(({ jti }) => jti).sort(), ['l3', 'l4']);
  });

  it('sees what is stored through its own consume, destroy and revoke', async () => {
    await artifacts().apply([
      put(CODE, 'c1', { grantId: 'g1' }),
      put('AccessToken', 'a1', { grantId: 'g1' }),
      put('Grant', 'g1'),
      put('Interaction', 'i1', { grantId: 'g1' }),
      put('Session', 's2', { uid: 'u2' }),
    ]);
    const unit = createUnitOfWork(artifacts(), temporary.clock);
    await unit.apply([{ do: 'consume', model: CODE, id: 'c1' }]);
    assert.equal((await unit.find(CODE, 'c1'))?.['consumed'], temporary.clock());
    await unit.apply([{ do: 'destroy', model: 'Session', id: 's2' }]);
    assert.equal(await unit.findByUid('Session', 'u2'), undefined);
    await unit.apply([{ do: 'revoke', grantId: 'g1' }]);
    for (const [model, id] of [
      [CODE, 'c1'],
      ['AccessToken', 'a1'],
      ['Grant', 'g1'],
    ] as const) {
      assert.equal(await unit.find(model, id), undefined, model);
    }
    assert.equal((await unit.find('Interaction', 'i1'))?.['jti'], 'i1');
    assert.equal((await artifacts().find('AccessToken', 'a1'))?.['jti'], 'a1');
  });

  it('gives copies: what a caller does to them changes nothing', async () => {
    const unit = createUnitOfWork(artifacts(), temporary.clock);
    await unit.apply([put('Session', 's3', { authorizations: { web: {} } })]);
    const copy = (await unit.find('Session', 's3')) as { authorizations: object };
    copy.authorizations = { changed: true };
    assert.deepEqual((await unit.find('Session', 's3'))?.['authorizations'], { web: {} });
  });

  it('loses everything when its consume comes second, and the family is dead', async () => {
    await artifacts().apply([put(CODE, 'c2', { grantId: 'g2' }), put('Grant', 'g2')]);
    const [first, second] = [1, 2].map(() => createUnitOfWork(artifacts(), temporary.clock));
    for (const [unit, token] of [
      [first, 'first'],
      [second, 'second'],
    ] as const) {
      assert.equal((await unit?.find(CODE, 'c2'))?.['consumed'], undefined);
      await unit?.apply([{ do: 'consume', model: CODE, id: 'c2' }, put('AccessToken', token, { grantId: 'g2' })]);
    }
    await first?.commit();
    await assert.rejects(second?.commit() as Promise<void>, AlreadyConsumed);
    for (const token of ['first', 'second']) assert.equal(await artifacts().find('AccessToken', token), undefined);
  });
});

describe('Request units', () => {
  it('commits what an answered request wrote, and forgets what a failed one did', async () => {
    await using temporary = await openTemporaryStore();
    const { artifacts } = temporary.store;
    const units = createRequestUnits(artifacts, temporary.clock);
    const effects: string[] = [];
    const request = (id: string, answered: boolean) =>
      units.run(async () => {
        await units.artifacts.apply([put('Session', id)]);
        units.afterCommit(() => effects.push(id));
        return answered;
      });
    await Promise.all([request('kept', true), request('failed', false)]);
    await assert.rejects(
      units.run(async () => {
        await units.artifacts.apply([put('Session', 'thrown')]);
        throw new Error('bug');
      }),
      { message: 'bug' },
    );
    assert.equal((await artifacts.find('Session', 'kept'))?.['jti'], 'kept');
    assert.equal(await artifacts.find('Session', 'failed'), undefined);
    assert.equal(await artifacts.find('Session', 'thrown'), undefined);
    assert.deepEqual(effects, ['kept']);
  });

  it('works on the store itself outside of a request', async () => {
    await using temporary = await openTemporaryStore();
    const units = createRequestUnits(temporary.store.artifacts, temporary.clock);
    await units.artifacts.apply([put('Session', 'direct')]);
    assert.equal((await temporary.store.artifacts.find('Session', 'direct'))?.['jti'], 'direct');
  });

  it('looks up once within a request, and every time outside of one', async () => {
    await using temporary = await openTemporaryStore();
    const units = createRequestUnits(temporary.store.artifacts, temporary.clock);
    const asked: string[] = [];
    const find = units.remember(async (key) => asked.push(key));
    await units.run(async () => {
      assert.deepEqual(await Promise.all([find('a'), find('a'), find('b')]), [1, 1, 2]);
      return true;
    });
    assert.deepEqual(asked, ['a', 'b']);
    await units.run(async () => (await find('a')) > 0);
    await find('a');
    await find('a');
    assert.deepEqual(asked, ['a', 'b', 'a', 'a', 'a']);
  });
});
