// Behaviour of the adapter that oidc-provider calls.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { AdapterFactory } from 'oidc-provider';
import { createProviderAdapter, type ProviderAdapterOptions } from '../../adapters/provider-adapter.ts';
import { AlreadyConsumed, GrantRevoked, type Store } from '../../src/store.ts';
import { box, createManualClock, sqlite, type TestDatabase } from './fixtures/temporary-database.ts';

class Translated extends Error {}

describe('provider adapter', () => {
  const clock = createManualClock();
  let database: TestDatabase;
  let store: Store;

  beforeEach(async () => {
    database = await sqlite.createDatabase();
    store = await database.open({ clock: clock.read, box });
    await store.migrate();
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    await database.drop();
  });

  const create = (options: Partial<ProviderAdapterOptions> = {}) =>
    createProviderAdapter({
      artifacts: store.artifacts,
      findClient: async (clientId) => (clientId === 'web' ? { client_id: 'web' } : undefined),
      translate: (cause) => new Translated('translated', { cause }),
      ...options,
    });

  const isTranslated = (kind: new (...args: never[]) => Error) => (error: unknown) =>
    error instanceof Translated && error.cause instanceof kind;

  it('is what the library takes', () => {
    const factory: AdapterFactory = create();
    assert.equal(typeof factory('Session').find, 'function');
  });

  it('keeps, finds and destroys the artifacts of its model', async () => {
    const sessions = create()('Session');
    await sessions.upsert('s', { uid: 'u', userCode: 'c' }, 60);
    assert.deepEqual(await sessions.find('s'), { uid: 'u', userCode: 'c' });
    assert.ok(await sessions.findByUid('u'));
    assert.ok(await sessions.findByUserCode('c'));
    assert.equal(await create()('Interaction').find('s'), undefined);
    await sessions.destroy('s');
    assert.equal(await sessions.find('s'), undefined);
  });

  it('consumes once; what the store throws passes through the translation', async () => {
    const adapter = create();
    const codes = adapter('AuthorizationCode');
    await adapter('Grant').upsert('g', {}, 60);
    await codes.upsert('c', { grantId: 'g' }, 60);
    await codes.consume('c');
    assert.equal((await codes.find('c'))?.['consumed'], clock.now);
    await assert.rejects(codes.consume('c'), isTranslated(AlreadyConsumed));
    await assert.rejects(codes.upsert('d', { grantId: 'g' }, 60), isTranslated(GrantRevoked));
    assert.equal(await adapter('Grant').find('g'), undefined);
  });

  it('revokes as the library does: every model and the grant at the same time', async () => {
    const adapter = create();
    const models = ['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode'];
    await adapter('Grant').upsert('g', {}, 60);
    for (const model of models) await adapter(model).upsert(model, { grantId: 'g' }, 60);
    await Promise.all([...models.map((model) => adapter(model).revokeByGrantId('g')), adapter('Grant').destroy('g')]);
    for (const model of models) assert.equal(await adapter(model).find(model), undefined);
    assert.equal(await adapter('Grant').find('g'), undefined);
  });

  it('lets nothing be written for a grant that was destroyed', async () => {
    const adapter = create();
    await adapter('Grant').upsert('g', {}, 60);
    await adapter('Grant').destroy('g');
    await assert.rejects(adapter('AccessToken').upsert('t', { grantId: 'g' }, 60), isTranslated(GrantRevoked));
  });

  it('finds clients where they are kept, and nowhere else', async () => {
    const clients = create()('Client');
    assert.deepEqual(await clients.find('web'), { client_id: 'web' });
    assert.equal(await clients.find('other'), undefined);
    assert.equal(await store.artifacts.find('Client', 'web'), undefined);
  });

  it('registers and removes clients only where it was told how', async () => {
    const calls: unknown[] = [];
    const clients = create({
      saveClient: async (...args) => void calls.push(['save', ...args]),
      removeClient: async (...args) => void calls.push(['remove', ...args]),
    })('Client');
    await clients.upsert('new', { client_id: 'new' });
    await clients.destroy('new');
    assert.deepEqual(calls, [
      ['save', 'new', { client_id: 'new' }],
      ['remove', 'new'],
    ]);
    await assert.rejects(create()('Client').upsert('new', {}), Translated);
    await assert.rejects(create()('Client').destroy('web'), Translated);
  });

  it('translates what a look-up of a client throws', async () => {
    const clients = create({ findClient: () => Promise.reject(new RangeError('down')) })('Client');
    await assert.rejects(clients.find('web'), isTranslated(RangeError));
  });
});
