// Registration: which clients can be registered, and what is kept of them, on a real store.
import assert from 'node:assert/strict';
import { browserUiClient } from '../../src/clients/browser-ui.ts';
import { InvalidClientMetadata } from '../../src/clients/metadata-rules.ts';
import { type ClientRegistry, createClientRegistry } from '../../src/clients/registration.ts';
import { matchingSecret } from '../../src/clients/secrets.ts';
import { Conflict } from '../../src/store.ts';
import { openTemporaryStore, type TemporaryStore } from '../accounts/temporary-store.ts';

const browserUi = browserUiClient(
  { clientSecret: 'a secret of the environment', redirectUris: ['http://localhost:5000/callback'] },
  'logging-service',
);
const redirect = { redirect_uris: ['https://web.example/callback'] };
const service = { grant_types: ['client_credentials'] };
const jwks = { keys: [] };

describe('client registration', () => {
  let temporary: TemporaryStore;
  let registry: ClientRegistry;

  beforeEach(async () => {
    temporary = await openTemporaryStore();
    const { store, clock } = temporary;
    registry = createClientRegistry({ clients: store.clients, builtIn: [browserUi], clock });
  });

  afterEach(async () => {
    await temporary[Symbol.asyncDispose]();
  });

  it('completes what follows from redirect URIs, and chooses no authentication method', async () => {
    const { client } = await registry.add({ clientId: 'web', metadata: redirect });
    assert.deepEqual(client.metadata, {
      ...redirect,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    });
    assert.deepEqual(client.audiences, {});
    assert.equal(client.createdAt, temporary.time.now);
    assert.deepEqual(await registry.find('web'), client);
  });

  it('registers a service without redirect URIs', async () => {
    const audiences = { 'logging-service': 'logs:write', 'https://api.example/': null };
    const { client } = await registry.add({ clientId: 'worker', metadata: service, audiences });
    assert.deepEqual(client.metadata['redirect_uris'], []);
    assert.deepEqual(client.metadata['response_types'], []);
    assert.deepEqual((await registry.find('worker'))?.audiences, audiences);
  });

  it('takes a redirect URI of its own scheme for a native application (RFC 8252 §7.1)', async () => {
    const metadata = { redirect_uris: ['com.example.app:/callback'], token_endpoint_auth_method: 'none' };
    const { client } = await registry.add({ clientId: 'app', metadata });
    assert.equal(client.metadata['application_type'], 'native');
  });

  it('makes a secret that is answered once and never kept', async () => {
    const { client, secret } = await registry.add({ clientId: 'web', metadata: redirect });
    assert.ok(secret);
    assert.ok(matchingSecret(client, secret, temporary.time.now));
    assert.equal(JSON.stringify(await registry.find('web')).includes(secret), false);
  });

  for (const [name, metadata] of [
    ['public', { ...redirect, token_endpoint_auth_method: 'none' }],
    ['of private_key_jwt', { ...service, token_endpoint_auth_method: 'private_key_jwt', jwks }],
  ] as const) {
    it(`makes no secret for a client ${name}, now or later`, async () => {
      assert.equal((await registry.add({ clientId: 'web', metadata })).secret, undefined);
      await assert.rejects(registry.addSecret('web', { name: 'next' }), InvalidClientMetadata);
    });
  }

  it('rotates secrets with an overlap (security.md R61)', async () => {
    const { secret: first = '' } = await registry.add({ clientId: 'web', metadata: redirect });
    const { now } = temporary.time;
    const next = (await registry.addSecret('web', { name: 'next', expiresAt: now + 60 })) ?? '';
    const both = await registry.find('web');
    assert.deepEqual(
      [first, next].map((secret) => matchingSecret(both, secret, now) !== undefined),
      [true, true],
    );
    assert.equal(await registry.removeSecret('web', 'first'), true);
    const one = await registry.find('web');
    assert.deepEqual(
      [first, next].map((secret) => matchingSecret(one, secret, now) !== undefined),
      [false, true],
    );
    assert.equal(matchingSecret(one, next, now + 60), undefined);
  });

  it('names the secrets of a client only once', async () => {
    await registry.add({ clientId: 'web', metadata: redirect });
    await assert.rejects(registry.addSecret('web', { name: 'first' }), Conflict);
    await assert.rejects(registry.addSecret('web', { name: 'two words' }), InvalidClientMetadata);
    assert.equal(await registry.removeSecret('web', 'second'), false);
  });

  it('knows nothing of a client that is not registered', async () => {
    assert.equal(await registry.find('nobody'), undefined);
    assert.equal(await registry.remove('nobody'), false);
    assert.equal(await registry.addSecret('nobody', { name: 'next' }), undefined);
    assert.equal(await registry.removeSecret('nobody', 'first'), false);
  });

  it('forgets a removed client', async () => {
    await registry.add({ clientId: 'web', metadata: redirect });
    assert.equal(await registry.remove('web'), true);
    assert.equal(await registry.find('web'), undefined);
  });

  it('finds and lists the configured clients, and leaves them to the configuration', async () => {
    await registry.add({ clientId: 'web', metadata: redirect });
    await registry.add({ clientId: 'api', metadata: service });
    assert.deepEqual(await registry.find('browser-ui'), browserUi);
    const ids = (await registry.list()).map(({ clientId }) => clientId);
    assert.deepEqual(ids, ['api', 'browser-ui', 'web']);
    await assert.rejects(registry.add({ clientId: 'browser-ui', metadata: redirect }), Conflict);
    await assert.rejects(registry.remove('browser-ui'), InvalidClientMetadata);
    await assert.rejects(registry.addSecret('browser-ui', { name: 'next' }), InvalidClientMetadata);
    await assert.rejects(registry.removeSecret('browser-ui', 'environment'), InvalidClientMetadata);
  });

  it('refuses a client id twice', async () => {
    await registry.add({ clientId: 'web', metadata: redirect });
    await assert.rejects(registry.add({ clientId: 'web', metadata: redirect }), Conflict);
  });

  for (const [name, clientId] of [
    ['nothing', ''],
    ['129 characters', 'x'.repeat(129)],
    ['a space', 'my client'],
    ['a control character', 'web\u0001'],
    ['a letter beyond ASCII', 'wéb'],
    ['the shape of an account id (security.md R24)', '3F2504E0-4F89-41D3-9A0C-0305E82C3301'],
  ] as const) {
    it(`refuses a client id of ${name}`, async () => {
      await assert.rejects(registry.add({ clientId, metadata: redirect }), InvalidClientMetadata);
    });
  }

  it('refuses metadata that breaks a rule, and keeps nothing', async () => {
    await assert.rejects(registry.add({ clientId: 'web', metadata: {} }), InvalidClientMetadata);
    assert.equal(await registry.find('web'), undefined);
  });
});
