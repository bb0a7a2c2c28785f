// Stories of scripts of other origins that call the provider (Fetch standard, CORS).
import assert from 'node:assert/strict';
import { addRelyingParty, type RelyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

describe('Cross-origin requests', () => {
  let service: Service;
  let browserBased: RelyingParty;
  let native: RelyingParty;
  before(async () => {
    service = await startService();
    const publicClient = { token_endpoint_auth_method: 'none' };
    browserBased = await addRelyingParty(service, { ...publicClient, redirect_uris: ['https://spa.example/callback'] });
    native = await addRelyingParty(service, { ...publicClient, redirect_uris: ['com.example.app:/callback'] });
  });
  after(() => service[Symbol.asyncDispose]());

  async function allowedOrigin(clientId: string, origin: string): Promise<string | null> {
    const response = await fetch(`${service.origin}/token`, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'unknown', client_id: clientId }),
    });
    assert.equal(response.headers.get('access-control-allow-credentials'), null);
    return response.headers.get('access-control-allow-origin');
  }

  it('are answered for a browser-based client at the origin of its redirect URI', async () => {
    assert.equal(await allowedOrigin(browserBased.clientId, 'https://spa.example'), 'https://spa.example');
  });

  const refused: [name: string, clientId: () => string, origin: string][] = [
    ['another origin', () => browserBased.clientId, 'https://evil.example'],
    ['the origin in plain http', () => browserBased.clientId, 'http://spa.example'],
    ['a sibling of the origin', () => browserBased.clientId, 'https://spa.example.evil.example'],
    ['an opaque origin, for a client with a private-use scheme', () => native.clientId, 'null'],
  ];
  for (const [name, clientId, origin] of refused) {
    it(`get no permission to be read from ${name}`, async () => {
      assert.equal(await allowedOrigin(clientId(), origin), null);
    });
  }

  it('may read metadata and keys from anywhere', async () => {
    for (const path of ['/.well-known/openid-configuration', '/jwks']) {
      const response = await fetch(service.origin + path, { headers: { origin: 'https://anywhere.example' } });
      assert.ok(
        ['*', 'https://anywhere.example'].includes(String(response.headers.get('access-control-allow-origin'))),
      );
      assert.equal(response.headers.get('access-control-allow-credentials'), null);
    }
  });
});
