// Stories of authorization requests that the client pushes to the provider first (RFC 9126).
import assert from 'node:assert/strict';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import {
  addRelyingParty,
  assertTokenError,
  authorizationRequest,
  callbackOf,
  postForm,
  REDIRECT_URI,
  type RelyingParty,
  redeem,
  signIn,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent } from '../support/user-agent.ts';

describe('Pushed authorization requests', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service, {}, { 'logging-service': null });
  });
  after(() => service[Symbol.asyncDispose]());

  async function push(parameters: Record<string, string> = {}, from = party) {
    const { url, checks } = await authorizationRequest(from, parameters);
    const pushed = await client.buildAuthorizationUrlWithPAR(from.config, url.searchParams);
    return { url: pushed, checks };
  }

  it('signs in by reference, with nothing else in the URL (RFC 9126 §4)', async () => {
    const { url, checks } = await push({ scope: 'openid logs:write', audience: 'logging-service' });
    assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
    const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
    const tokens = await redeem(party, callback, checks, { audience: 'logging-service' });
    assert.equal(decodeJwt(tokens.access_token)['scope'], 'logs:write');
  });

  it('gives a reference that nobody guesses, for a minute (RFC 9126 §2.2)', async () => {
    const { url } = await authorizationRequest(party);
    const { status, body } = await postForm(party, '/par', Object.fromEntries(url.searchParams));
    assert.equal(status, 201);
    assert.match(String(body['request_uri']), /^urn:ietf:params:oauth:request_uri:[\w-]{22,}$/);
    assert.equal(body['expires_in'], 60);
  });

  it('is worth nothing when it is over, used, or pushed by another client', async () => {
    await withMovingTime(async (pass) => {
      const agent = createUserAgent(service.origin);
      const used = await push();
      callbackOf(await signIn(agent, used.url));
      assert.equal((await createUserAgent(service.origin).open(used.url.href)).response.status, 400);

      const others = await push();
      others.url.searchParams.set('client_id', (await addRelyingParty(service)).clientId);
      assert.equal((await agent.open(others.url.href)).response.status, 400);

      const late = await push();
      pass(61);
      assert.equal((await agent.open(late.url.href)).response.status, 400);
    });
  });

  const refusals: [name: string, parameters: Record<string, string>, error: string][] = [
    ['an unregistered redirect URI', { redirect_uri: 'https://evil.example/callback' }, 'invalid_request'],
    ['no redirect URI', { redirect_uri: '' }, 'invalid_request'],
    ['code_challenge_method=plain', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['an audience that is not granted', { audience: 'secret-service' }, 'invalid_target'],
    ['a request_uri', { request_uri: 'urn:example:a' }, 'request_uri_not_supported'],
    ['response_type=token', { response_type: 'token' }, 'unsupported_response_type'],
  ];
  for (const [name, parameters, error] of refusals) {
    it(`refuses ${name} with ${error} (RFC 9126 §2.3)`, async () => {
      const { url } = await authorizationRequest(party, parameters);
      assertTokenError(await postForm(party, '/par', Object.fromEntries(url.searchParams)), error);
    });
  }

  it('is the only way in for a client that registered so (RFC 9126 §6)', async () => {
    const strict = await addRelyingParty(service, { require_pushed_authorization_requests: true });
    const { url } = await authorizationRequest(strict);
    const page = await createUserAgent(service.origin).open(url.href);
    assert.equal(callbackOf(page, REDIRECT_URI).searchParams.get('error'), 'invalid_request');
    const { url: pushed, checks } = await push({}, strict);
    const tokens = await redeem(strict, callbackOf(await signIn(createUserAgent(service.origin), pushed)), checks);
    assert.ok(tokens.id_token);
  });
});
