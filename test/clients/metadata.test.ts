// Client metadata as oidc-provider finds it: held against the library itself.
import assert from 'node:assert/strict';
import { Provider } from 'oidc-provider';
import { claimsByScope } from '../../src/accounts/claims.ts';
import { browserUiClient } from '../../src/clients/browser-ui.ts';
import { providerMetadata } from '../../src/clients/metadata.ts';
import { secretDigest } from '../../src/clients/secrets.ts';
import type { ClientRecord } from '../../src/store.ts';

function clientWith(metadata: Record<string, unknown>): ClientRecord {
  return { clientId: 'web', metadata, audiences: {}, secrets: [], createdAt: 1_800_000_000 };
}

/** What the library makes of a client, with our own two members declared to it. */
async function asProvided(record: ClientRecord): Promise<Record<string, unknown>> {
  const provider = new Provider('https://op.example', {
    claims: claimsByScope,
    extraClientMetadata: { properties: ['first_party', 'require_pkce'] },
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    clients: [providerMetadata(record) as never],
  });
  const client = await provider.Client.find(record.clientId);
  assert.ok(client);
  return client.metadata() as Record<string, unknown>;
}

const redirect = { redirect_uris: ['https://web.example/callback'] };

describe('client metadata for the provider', () => {
  it('makes a web application that asks for consent and needs PKCE, unless registered otherwise', async () => {
    const metadata = await asProvided(clientWith(redirect));
    assert.deepEqual(metadata['grant_types'], ['authorization_code', 'refresh_token']);
    assert.deepEqual(metadata['response_types'], ['code']);
    assert.equal(metadata['first_party'], false);
    assert.equal(metadata['require_pkce'], true);
    assert.equal(metadata['client_id_issued_at'], 1_800_000_000);
  });

  it('makes a service that has no redirect URIs and no response types', async () => {
    const metadata = await asProvided(clientWith({ grant_types: ['client_credentials'] }));
    assert.deepEqual(metadata['grant_types'], ['client_credentials']);
    assert.deepEqual(metadata['response_types'], []);
    assert.deepEqual(metadata['redirect_uris'], []);
  });

  it('makes a public client without any secret', async () => {
    const metadata = await asProvided(clientWith({ ...redirect, token_endpoint_auth_method: 'none' }));
    assert.equal(metadata['client_secret'], undefined);
  });

  it('makes a native application with a scheme of its own', async () => {
    const native = { redirect_uris: ['com.example.app:/callback'], token_endpoint_auth_method: 'none' };
    assert.equal((await asProvided(clientWith(native)))['application_type'], 'native');
  });

  it('stands in for the secret: unlike any real one, and the same each time, so that the library can cache', () => {
    const digest = secretDigest('the real secret');
    const record = { ...clientWith(redirect), secrets: [{ name: 'first', digest, createdAt: 0 }] };
    const standIn = String(providerMetadata(record)['client_secret']);
    assert.match(standIn, /^[\w-]{43}$/);
    assert.notEqual(standIn, digest);
    assert.deepEqual(providerMetadata(record), providerMetadata(record));
    assert.notEqual(providerMetadata({ ...record, clientId: 'api' })['client_secret'], standIn);
  });

  it('makes browser-ui a first-party client that may do without PKCE (security.md part 1)', async () => {
    const urls = ['http://localhost:5000/callback', 'https://web.example/app/callback'];
    const browserUi = browserUiClient({ clientSecret: 'of the environment', redirectUris: urls }, 'logging-service');
    const metadata = await asProvided(browserUi);
    assert.equal(metadata['first_party'], true);
    assert.equal(metadata['require_pkce'], false);
    assert.deepEqual(metadata['redirect_uris'], urls);
    assert.deepEqual(metadata['post_logout_redirect_uris'], [
      'http://localhost:5000/',
      'https://web.example/',
      'https://web.example/app/',
    ]);
    assert.deepEqual(browserUi.audiences, { 'logging-service': null });
  });
});
