// What is switched off is not there: no endpoint, no word in the metadata, no request to anybody.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { assertRefused, exchange, formatRequest } from '../support/raw-http.ts';
import { type Service, startService } from '../support/service.ts';

describe('a feature that is switched off (security requirement R35)', () => {
  let service: Service;
  let canary: Server;
  let canaryUrl: string;
  let hits = 0;
  before(async () => {
    service = await startService();
    canary = createServer((_req, res) => {
      hits += 1;
      res.end('{}');
    });
    canary.on('connection', () => {
      hits += 1;
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    canaryUrl = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/`;
  });
  after(async () => {
    canary.close();
    await service[Symbol.asyncDispose]();
  });

  const WORDS = [
    'registration_endpoint',
    'device_authorization_endpoint',
    'backchannel_authentication_endpoint',
    'challenge_endpoint',
    'mtls_endpoint_aliases',
    'check_session_iframe',
    'client_id_metadata_document_supported',
    'pairwise',
    'implicit',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:openid:params:grant-type:ciba',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'tls_client_auth',
    'plain',
    '"none"',
  ];
  it('is not in the metadata', async () => {
    for (const name of ['openid-configuration', 'oauth-authorization-server']) {
      const text = await (await fetch(`${service.origin}/.well-known/${name}`)).text();
      const metadata = JSON.parse(text);
      assert.equal(metadata.request_uri_parameter_supported, false);
      assert.deepEqual(metadata.response_types_supported, ['code']);
      // a public client authenticates by no method at all, and that one has this name (RFC 7591 §2)
      for (const member of Object.keys(metadata)) {
        if (member.endsWith('auth_methods_supported')) delete metadata[member];
      }
      for (const word of WORDS) assert.ok(!JSON.stringify(metadata).includes(word), word);
    }
  });

  const PARAMETERS: [string, () => Record<string, string>, string][] = [
    ['a request object by reference', () => ({ request_uri: canaryUrl }), 'request_uri_not_supported'],
    ['a response type of the implicit flow', () => ({ response_type: 'token' }), 'unsupported_response_type'],
    ['a hybrid response type', () => ({ response_type: 'code id_token' }), 'unsupported_response_type'],
    ['a response mode that posts messages', () => ({ response_mode: 'web_message' }), 'unsupported_response_mode'],
    ['a response mode in a JWT', () => ({ response_mode: 'jwt' }), 'unsupported_response_mode'],
  ];
  for (const [what, parameters, error] of PARAMETERS) {
    it(`is refused as ${error}: ${what}`, async () => {
      const request = {
        client_id: 'browser-ui',
        redirect_uri: 'http://127.0.0.1:5000/callback',
        response_type: 'code',
        scope: 'openid',
        nonce: 'n',
        code_challenge: 'A'.repeat(43),
        code_challenge_method: 'S256',
        ...parameters(),
      };
      const answer = await fetch(`${service.origin}/authorize?${new URLSearchParams(request)}`, { redirect: 'manual' });
      const text = `${answer.headers.get('location')} ${await answer.text()}`;
      assert.ok(text.includes(error), text.slice(0, 300));
      assert.doesNotMatch(text, /[?&#](code|access_token|id_token)=/);
      assert.equal(hits, 0);
    });
  }

  it('is no grant type of /token', async () => {
    const { clientId, secret } = await service.addClient({
      clientId: 'every-grant',
      metadata: { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post' },
      audiences: { 'logging-service': null },
    });
    for (const grantType of [
      'password',
      'implicit',
      'urn:ietf:params:oauth:grant-type:device_code',
      'urn:openid:params:grant-type:ciba',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'CLIENT_CREDENTIALS',
      'client_credentials ',
      '__proto__',
      'constructor',
    ]) {
      const body = String(new URLSearchParams({ grant_type: grantType, client_id: clientId, client_secret: secret }));
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      assertRefused(
        await exchange(service.origin, formatRequest('POST /token', { body, headers })),
        400,
        'unsupported_grant_type',
      );
    }
  });
});
