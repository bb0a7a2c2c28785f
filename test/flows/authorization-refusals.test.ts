// Stories of authorization requests that must be refused: by a page where the redirect URI is in doubt, else by redirect.
import assert from 'node:assert/strict';
import { addRelyingParty, authorizationRequest, callbackOf, type RelyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';

const REGISTERED = 'https://web.example/callback';

/** Strings that are not the registered one, however alike a browser or another parser may find them. */
const OTHER_REDIRECT_URIS = [
  '',
  'https://web.example/callback/',
  'https://web.example/callback?',
  'https://web.example/callback?a=b',
  'https://web.example/callback#',
  'https://web.example/callback#a',
  'https://web.example/Callback',
  'https://WEB.example/callback',
  'HTTPS://web.example/callback',
  'http://web.example/callback',
  'https://web.example:443/callback',
  'https://web.example:8443/callback',
  'https://web.example./callback',
  'https://web.example//callback',
  'https://web.example/callback/..;/other',
  'https://web.example/callback/%2e%2e/other',
  'https://web.example/a%2f..%2fcallback',
  'https://web.example/%63allback',
  'https://user@web.example/callback',
  'https://evil.example@web.example@evil.example/callback',
  'https://evil.example\\@web.example/callback',
  'https://evil.example/https://web.example/callback',
  'https://web.example.evil.example/callback',
  'https://wéb.example/callback',
  'https://xn--wb-bja.example/callback',
  '//web.example/callback',
  '/callback',
  'web.example/callback',
  'javascript:alert(1)//https://web.example/callback',
  'https://web.example/callback\r\nlocation: https://evil.example',
  ' https://web.example/callback',
  'https://web.example/callback ',
];

function assertErrorPage({ response, document, text }: Page): void {
  assert.equal(response.status, 400, text);
  assert.equal(response.headers.get('location'), null);
  assert.match(String(response.headers.get('content-type')), /^text\/html/);
  assert.ok(document.querySelector('h1'));
}

describe('Authorization requests that are refused', () => {
  let service: Service;
  let party: RelyingParty;
  let open: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service, { redirect_uris: [REGISTERED] });
    open = await addRelyingParty(service, { redirect_uris: [REGISTERED], require_pkce: false });
  });
  after(() => service[Symbol.asyncDispose]());

  async function send(parameters: Record<string, string>, from: RelyingParty = party): Promise<Page> {
    const { url } = await authorizationRequest(from, { redirect_uri: REGISTERED, ...parameters });
    return createUserAgent(service.origin).open(url.href);
  }

  /** By redirect, with the state, and with nothing that is not in RFC 6749 §4.1.2.1 and RFC 9207. */
  function assertErrorRedirect(page: Page, error: string, state: string): void {
    const callback = callbackOf(page, REGISTERED);
    // a response type of the implicit flow is answered in the fragment (OAuth 2.0 Multiple Response Types §5)
    const searchParams = callback.hash ? new URLSearchParams(callback.hash.slice(1)) : callback.searchParams;
    assert.equal(searchParams.get('error'), error);
    assert.equal(searchParams.get('state'), state);
    assert.equal(searchParams.get('iss'), service.issuer);
    const known = ['error', 'error_description', 'state', 'iss'];
    assert.deepEqual(
      [...searchParams.keys()].filter((name) => !known.includes(name)),
      [],
    );
    assert.match(searchParams.get('error_description') ?? 'none', /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  }

  for (const redirectUri of OTHER_REDIRECT_URIS) {
    it(`shows a page for the redirect URI ${JSON.stringify(redirectUri)} (RFC 9700 §2.1)`, async () => {
      assertErrorPage(await send({ redirect_uri: redirectUri }));
    });
  }

  it('shows a page when redirect_uri is empty or comes twice', async () => {
    const { url } = await authorizationRequest(party, { redirect_uri: REGISTERED });
    const twice = `${url.href}&redirect_uri=${encodeURIComponent(REGISTERED)}`;
    const agent = createUserAgent(service.origin);
    assertErrorPage(await agent.open(twice));
    url.searchParams.set('redirect_uri', '');
    assertErrorPage(await agent.open(url.href));
  });

  it('shows a page for an unknown client (RFC 6749 §4.1.2.1)', async () => {
    assertErrorPage(await send({ client_id: 'nobody' }));
  });

  it('shows a page when the query of the redirect URI differs from the registered one', async () => {
    const withQuery = await addRelyingParty(service, { redirect_uris: [`${REGISTERED}?bar=foo`] });
    assertErrorPage(await send({ redirect_uri: `${REGISTERED}?foo=bar` }, withQuery));
  });

  const unsignedRequest = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`;
  const refusals: [name: string, parameters: Record<string, string>, error: string][] = [
    ['no response_type', { response_type: '' }, 'invalid_request'],
    ['response_type=token', { response_type: 'token' }, 'unsupported_response_type'],
    ['response_type=id_token', { response_type: 'id_token' }, 'unsupported_response_type'],
    ['an unknown response_mode', { response_mode: 'web_message' }, 'unsupported_response_mode'],
    ['no code_challenge', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['code_challenge_method=plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no code_challenge_method', { code_challenge_method: '' }, 'invalid_request'],
    ['a short code_challenge', { code_challenge: 'a'.repeat(42) }, 'invalid_request'],
    ['prompt=none with another prompt', { prompt: 'none login' }, 'invalid_request'],
    ['an unknown prompt', { prompt: 'dance' }, 'invalid_request'],
    ['prompt=none without a session', { prompt: 'none', state: 's'.repeat(128) }, 'login_required'],
    ['a negative max_age', { max_age: '-1' }, 'invalid_request'],
    ['claims that are not JSON', { claims: '{' }, 'invalid_request'],
    [
      'an essential acr that is out of reach',
      { claims: '{"id_token":{"acr":{"essential":true,"values":["aal3"]}}}' },
      'unmet_authentication_requirements',
    ],
    [
      'one essential acr that is out of reach',
      { claims: '{"id_token":{"acr":{"essential":true,"value":"aal3"}}}' },
      'unmet_authentication_requirements',
    ],
    ['a forged id_token_hint', { id_token_hint: unsignedRequest }, 'invalid_request'],
    ['an unsigned request object', { request: unsignedRequest }, 'invalid_request_object'],
    ['a request_uri by reference', { request_uri: 'https://web.example/request.jwt' }, 'request_uri_not_supported'],
    ['an unknown resource', { resource: 'https://unknown.example/' }, 'invalid_target'],
    ['a resource with a fragment', { resource: 'https://unknown.example/#a' }, 'invalid_target'],
  ];
  for (const [name, parameters, error] of refusals) {
    it(`answers ${name} by a redirect with ${error} (RFC 6749 §4.1.2.1)`, async () => {
      const state = parameters['state'] ?? 'xyz-._~123';
      assertErrorRedirect(await send({ state, ...parameters }), error, state);
    });
  }

  it('refuses code_challenge_method=plain from a client that may do without PKCE too (RFC 9700 §2.1.1)', async () => {
    const state = 'abcdefghij';
    assertErrorRedirect(await send({ state, code_challenge_method: 'plain' }, open), 'invalid_request', state);
  });

  it('demands PKCE of every public client (RFC 9700 §2.1.1)', async () => {
    const state = 'abcdefghij';
    const publicClient = await addRelyingParty(service, {
      token_endpoint_auth_method: 'none',
      redirect_uris: [REGISTERED],
    });
    const page = await send({ state, code_challenge: '', code_challenge_method: '' }, publicClient);
    assertErrorRedirect(page, 'invalid_request', state);
  });
});
