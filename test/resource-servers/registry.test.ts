// Resource servers: registering audiences on a real store, over a built-in one.
import assert from 'node:assert/strict';
import { loggingResourceServer } from '../../src/resource-servers/logging.ts';
import {
  createResourceServerRegistry,
  InvalidResourceServer,
  type NewResourceServer,
  type ResourceServerRegistry,
} from '../../src/resource-servers/registry.ts';
import { Conflict } from '../../src/store.ts';
import { openTemporaryStore, type TemporaryStore } from '../accounts/temporary-store.ts';

const logging = loggingResourceServer('logging-service');

describe('resource servers', () => {
  let temporary: TemporaryStore;
  let registry: ResourceServerRegistry;

  beforeEach(async () => {
    temporary = await openTemporaryStore();
    const { store, clock } = temporary;
    registry = createResourceServerRegistry({ resourceServers: store.resourceServers, builtIn: [logging], clock });
  });

  afterEach(async () => {
    await temporary[Symbol.asyncDispose]();
  });

  it('are found by their audience, with ES256 and no scope unless told otherwise', async () => {
    const added = await registry.add({ audience: 'mail' });
    assert.deepEqual(added, { audience: 'mail', scope: '', alg: 'ES256', createdAt: temporary.time.now });
    assert.deepEqual(await registry.find('mail'), added);
    assert.equal(await registry.find('MAIL'), undefined);
    assert.equal(await registry.find('constructor'), undefined);
  });

  it('keep scope, algorithm and lifetime', async () => {
    const given = {
      audience: 'https://api.example/',
      scope: ' read  write read',
      alg: 'EdDSA',
      expiresIn: 300,
    } as const;
    await registry.add(given);
    const expected = { ...given, scope: 'read write', createdAt: temporary.time.now };
    assert.deepEqual(await registry.find('https://api.example/'), expected);
  });

  it('include the log service, which a registration replaces and its removal restores', async () => {
    assert.deepEqual(await registry.find('logging-service'), logging);
    assert.equal(logging.alg, 'HS256');
    const added = await registry.add({ audience: 'logging-service', scope: 'logs:write', alg: 'ES256' });
    assert.deepEqual(await registry.find('logging-service'), added);
    assert.deepEqual(await registry.list(), [added]);
    assert.equal(await registry.remove('logging-service'), true);
    assert.deepEqual(await registry.list(), [logging]);
    assert.equal(await registry.remove('logging-service'), false);
  });

  it('are listed by audience', async () => {
    await registry.add({ audience: 'web' });
    await registry.add({ audience: 'api' });
    const audiences = (await registry.list()).map(({ audience }) => audience);
    assert.deepEqual(audiences, ['api', 'logging-service', 'web']);
  });

  it('have one audience each', async () => {
    await registry.add({ audience: 'mail' });
    await assert.rejects(registry.add({ audience: 'mail' }), Conflict);
  });

  for (const [name, given] of [
    ['no audience', { audience: '' }],
    ['an audience of 256 characters', { audience: 'x'.repeat(256) }],
    ['an audience with a space', { audience: 'my api' }],
    ['an audience with a control character', { audience: 'api\0' }],
    ['a URI with a fragment (RFC 8707 §2)', { audience: 'https://api.example/#x' }],
    ['an audience in our own name space', { audience: 'urn:audience:api' }],
    ['a scope with a quote (RFC 6749 §3.3)', { audience: 'api', scope: 'read "all"' }],
    ['a scope with a backslash', { audience: 'api', scope: 'read\\all' }],
    ['a scope of OpenID Connect', { audience: 'api', scope: 'read openid' }],
    ['an unknown algorithm', { audience: 'api', alg: 'none' as 'ES256' }],
    ['a lifetime of zero', { audience: 'api', expiresIn: 0 }],
    ['a lifetime of more than a day', { audience: 'api', expiresIn: 86_401 }],
    ['a lifetime in fractions', { audience: 'api', expiresIn: 0.5 }],
  ] satisfies [string, NewResourceServer][]) {
    it(`refuse ${name}`, async () => {
      await assert.rejects(registry.add(given), InvalidResourceServer);
      assert.deepEqual(await registry.list(), [logging]);
    });
  }
});
