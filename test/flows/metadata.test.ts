// The metadata documents and the key set, held to what OpenID Connect Discovery and RFC 8414 ask of them.
import assert from 'node:assert/strict';
import { type Service, startService } from '../support/service.ts';

type Metadata = Record<string, unknown>;

/** What this provider offers by default; anything that is not here is switched off and must not be announced. */
const OFFERED: Metadata = {
  acr_values_supported: ['aal1', 'aal2', 'phr'],
  authorization_response_iss_parameter_supported: true,
  backchannel_logout_session_supported: true,
  backchannel_logout_supported: true,
  claim_types_supported: ['normal'],
  claims_parameter_supported: true,
  code_challenge_methods_supported: ['S256'],
  id_token_signing_alg_values_supported: ['ES256', 'EdDSA', 'PS256', 'RS256'],
  request_parameter_supported: true,
  request_uri_parameter_supported: false,
  response_modes_supported: ['form_post', 'fragment', 'query'],
  response_types_supported: ['code'],
  scopes_supported: ['address', 'email', 'offline_access', 'openid', 'phone', 'profile'],
  subject_types_supported: ['public'],
  token_endpoint_auth_methods_supported: [
    'client_secret_basic',
    'client_secret_jwt',
    'client_secret_post',
    'none',
    'private_key_jwt',
  ],
};

const ENDPOINTS: Metadata = {
  authorization_endpoint: '/authorize',
  end_session_endpoint: '/logout',
  introspection_endpoint: '/introspect',
  jwks_uri: '/jwks',
  pushed_authorization_request_endpoint: '/par',
  revocation_endpoint: '/revoke',
  token_endpoint: '/token',
  userinfo_endpoint: '/userinfo',
};

describe('Metadata', () => {
  let service: Service;
  let metadata: Metadata;
  before(async () => {
    service = await startService();
    const response = await fetch(`${service.origin}/.well-known/openid-configuration`);
    assert.equal(response.status, 200);
    assert.match(String(response.headers.get('content-type')), /^application\/json/);
    metadata = (await response.json()) as Metadata;
  });
  after(() => service[Symbol.asyncDispose]());

  it('names the issuer, and every endpoint below it (OIDC Discovery §3)', () => {
    assert.equal(metadata['issuer'], service.issuer);
    const named = Object.entries(metadata).filter(([name]) => name.endsWith('_endpoint') || name === 'jwks_uri');
    assert.deepEqual(
      Object.fromEntries(named.sort()),
      Object.fromEntries(Object.entries(ENDPOINTS).map(([name, path]) => [name, service.issuer + path])),
    );
  });

  for (const [name, value] of Object.entries(OFFERED)) {
    it(`says what is offered as ${name}`, () => {
      const found = metadata[name];
      assert.deepEqual(Array.isArray(found) ? [...found].sort() : found, value);
    });
  }

  it('lists the standard claims and the grant types', () => {
    const claims = metadata['claims_supported'] as string[];
    for (const name of ['sub', 'iss', 'auth_time', 'acr', 'name', 'email', 'address', 'phone_number', 'updated_at']) {
      assert.ok(claims.includes(name), name);
    }
    assert.deepEqual([...(metadata['grant_types_supported'] as string[])].sort(), [
      'authorization_code',
      'client_credentials',
      'refresh_token',
    ]);
  });

  it('offers no algorithm that uses a client secret, but to client_secret_jwt, or none at all (RFC 8725 §3.1)', () => {
    const algs = Object.entries(metadata).filter(([name]) => /_alg_values_supported$/.test(name));
    assert.ok(algs.length > 3);
    for (const [name, values] of algs) {
      assert.ok((Array.isArray(values) && values.includes('RS256')) || name.startsWith('dpop'), name);
      assert.deepEqual(
        (values as string[]).filter((alg) => alg === 'none' || alg.startsWith('HS')),
        /^(token|introspection|revocation)_endpoint_auth_/.test(name) ? ['HS256'] : [],
        name,
      );
    }
  });

  it('is the same document for OAuth (RFC 8414 §3)', async () => {
    const response = await fetch(`${service.origin}/.well-known/oauth-authorization-server`);
    assert.deepEqual(await response.json(), metadata);
  });

  it('publishes public keys only, each with a kid of its own (RFC 7517 §4)', async () => {
    const response = await fetch(`${service.origin}/jwks`);
    const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
    assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length);
    assert.deepEqual(keys.map(({ alg }) => alg).sort(), ['ES256', 'EdDSA', 'PS256', 'RS256']);
    for (const key of keys) {
      assert.ok(typeof key['kid'] === 'string' && key['kid'] !== '');
      assert.equal(key['use'], 'sig');
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.ok(!(secret in key), secret);
    }
  });

  const absent = ['/register', '/device_authorization', '/backchannel', '/device', '/session/end', '/auth', '/me'];
  for (const path of absent) {
    it(`has nothing at ${path}, which is switched off or the library's own name (security requirement R35)`, async () => {
      for (const method of ['GET', 'POST']) {
        const { status } = await fetch(service.origin + path, { method });
        assert.equal(status, 404);
      }
    });
  }
});
