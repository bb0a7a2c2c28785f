// The rules of client metadata: what cannot be registered.
import assert from 'node:assert/strict';
import { completeMetadata } from '../../src/clients/metadata.ts';
import { checkMetadata, InvalidClientMetadata } from '../../src/clients/metadata-rules.ts';

const redirect = { redirect_uris: ['https://web.example/callback'] };
const service = { grant_types: ['client_credentials'] };
const jwks = { keys: [] };

describe('the rules of client metadata', () => {
  for (const [name, metadata, message] of [
    ['neither redirect URI nor grant type', {}, /redirect URI or a grant type/],
    ['an unknown grant type', { grant_types: ['password'] }, /grant type password is unknown/],
    ['the code flow without redirect URI', { grant_types: ['authorization_code'] }, /at least one redirect URI/],
    ['grant types that are no list', { grant_types: 'client_credentials' }, /grant_types must be a list/],
    ['client_credentials without authentication', { ...service, token_endpoint_auth_method: 'none' }, /public client/],
    [
      'an unknown authentication method',
      { ...service, token_endpoint_auth_method: 'magic' },
      /method magic is unknown/,
    ],
    [
      'an assertion by secret with another algorithm',
      { ...service, token_endpoint_auth_method: 'client_secret_jwt', token_endpoint_auth_signing_alg: 'HS512' },
      /must be HS256/,
    ],
    [
      'a secret used as a key',
      { ...service, token_endpoint_auth_method: 'client_secret_basic', token_endpoint_auth_signing_alg: 'HS256' },
      /must be asymmetric/,
    ],
    ['audiences served that are no list', { ...service, serves: 'orders' }, /serves must be a list/],
    ['claims that are no object', { ...service, access_token_claims: ['a'] }, /must be an object/],
    ['the audience as a claim', { ...service, access_token_claims: { aud: 'x' } }, /must not set aud/],
    ['an actor as a claim', { ...service, access_token_claims: { act: { sub: 'x' } } }, /must not set act/],
    ['claims beyond a header', { ...service, access_token_claims: { a: 'x'.repeat(2_100) } }, /at most 2048 bytes/],
    ['keys nowhere', { ...service, token_endpoint_auth_method: 'private_key_jwt' }, /needs the client's keys/],
    ['keys twice', { ...service, jwks, jwks_uri: 'https://web.example/jwks' }, /only one of jwks and jwks_uri/],
    ['a public client without PKCE', { ...redirect, token_endpoint_auth_method: 'none', require_pkce: false }, /PKCE/],
    ['a secret of its own', { ...redirect, client_secret: 'chosen' }, /client_secret is made here/],
    ['ID tokens signed with its secret', { ...redirect, id_token_signed_response_alg: 'HS256' }, /must be asymmetric/],
    ['requests encrypted to its secret', { ...redirect, request_object_encryption_alg: 'dir' }, /must be asymmetric/],
    ['a flag that is none', { ...redirect, first_party: 'yes' }, /first_party must be true or false/],
    ['an empty name', { ...redirect, client_name: ' ' }, /client_name must be a text/],
    ['a name of two lines', { ...redirect, client_name: 'Web\nsite' }, /client_name must be a text/],
    ['a logo that is a script', { ...redirect, logo_uri: 'javascript:alert(1)' }, /logo_uri must use https/],
    ['a logo without TLS', { ...redirect, logo_uri: 'http://web.example/logo.png' }, /logo_uri must use https/],
    ['a log-in page without TLS', { ...redirect, initiate_login_uri: 'http://localhost/' }, /must use https/],
    ['a scope of a resource server', { ...redirect, scope: 'openid logs:write' }, /not "logs:write"/],
    ['a policy that is no URL', { ...redirect, policy_uri: '/policy' }, /policy_uri must be an absolute URI/],
  ] as const) {
    it(`refuse ${name}`, () => {
      const breaksRule = (error: unknown) => error instanceof InvalidClientMetadata && message.test(error.message);
      assert.throws(() => checkMetadata(completeMetadata(metadata)), breaksRule);
    });
  }

  for (const uri of [
    'http://web.example/callback',
    'http://localhost.web.example/callback',
    'http://127.0.0.1.web.example/callback',
    'https://web.example/callback#fragment',
    'https://web.example/callback#',
    'https://*.web.example/callback',
    'https://user@web.example/callback',
    'https://user:password@web.example/callback',
    'https://web.example/call back',
    'https://web.example/callback\n',
    'https://wéb.example/callback',
    '/callback',
    '',
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
  ]) {
    for (const member of ['redirect_uris', 'post_logout_redirect_uris']) {
      it(`refuse ${JSON.stringify(uri)} among ${member} (RFC 9700 §2.1, §2.6)`, () => {
        const metadata = completeMetadata({ ...redirect, [member]: [uri] });
        assert.throws(() => checkMetadata(metadata), InvalidClientMetadata);
      });
    }
  }

  for (const uri of [
    'https://web.example',
    'https://web.example:8443/callback?tenant=1',
    'http://localhost:5000/callback',
    'http://127.0.0.1/callback',
    'http://[::1]:5000/callback',
    'http://app.localhost/callback',
    'com.example.app:/callback',
  ]) {
    it(`take the redirect URI ${uri} as it is written`, () => {
      const metadata = completeMetadata({ redirect_uris: [uri] });
      checkMetadata(metadata);
      assert.deepEqual(metadata['redirect_uris'], [uri]);
    });
  }
});
