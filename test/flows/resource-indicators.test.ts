// Stories of asking for a token for a resource server, by audience or resource, on behalf of an end-user.
import assert from 'node:assert/strict';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as client from 'openid-client';
import type { AccessTokenAlg } from '../../src/store.ts';
import {
  addRelyingParty,
  assertTokenError,
  authorizationRequest,
  callbackOf,
  logIn,
  postForm,
  type RelyingParty,
  redeem,
  signIn,
  verifiedClaims,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

const ALGS: AccessTokenAlg[] = ['ES256', 'EdDSA', 'RS256', 'PS256', 'HS256'];

describe('Resource indicators', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    for (const alg of ALGS) {
      await service.resourceServers.add({ audience: `${alg}-service`, scope: 'read write', alg, expiresIn: 60 });
    }
    await service.resourceServers.add({ audience: 'https://api.example/v1', scope: 'api:read' });
    await service.resourceServers.add({ audience: 'secret-service', scope: 'secret:read' });
    party = await addRelyingParty(
      service,
      { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] },
      { ...Object.fromEntries(ALGS.map((alg) => [`${alg}-service`, 'read'])), 'https://api.example/v1': null },
    );
  });
  after(() => service[Symbol.asyncDispose]());

  for (const alg of ALGS) {
    it(`gives a token of the end-user for a resource server registered for ${alg}`, async () => {
      const audience = `${alg}-service`;
      const { tokens, claims } = await logIn(party, { scope: 'openid read', audience }, undefined, { audience });
      const header = decodeProtectedHeader(tokens.access_token);
      // whoever holds the shared secret could make one too (security requirement R15)
      assert.equal(header.alg, alg === 'HS256' ? 'ES256' : alg);
      assert.equal(header.typ, 'at+jwt');
      const payload = await verifiedClaims(service, tokens.access_token, audience);
      assert.deepEqual(
        [payload['sub'], payload['client_id'], payload['aud'], payload['scope']],
        [claims.sub, party.clientId, audience, 'read'],
      );
      assert.equal(tokens.expires_in, 60);
    });
  }

  it('gives an opaque token for userinfo when the token request names no resource', async () => {
    const { tokens, claims } = await logIn(party, { scope: 'openid email read', audience: 'ES256-service' });
    assert.ok(!tokens.access_token.includes('.'));
    assert.equal(tokens.scope, 'openid email');
    assert.ok(await client.fetchUserInfo(party.config, tokens.access_token, claims.sub));
  });

  it('gives the token for the resource when there is no openid scope', async () => {
    const { url, checks } = await authorizationRequest(party, {
      scope: 'read',
      audience: 'ES256-service',
      nonce: '',
    });
    const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
    const { body } = await postForm(party, '/token', {
      grant_type: 'authorization_code',
      code: String(callback.searchParams.get('code')),
      redirect_uri: checks.redirectUri,
      code_verifier: String(checks.pkceCodeVerifier),
    });
    assert.equal(decodeJwt(String(body['access_token'])).aud, 'ES256-service');
    assert.equal(body['id_token'], undefined);
  });

  it('gives no scope that the client was not granted', async () => {
    const audience = 'ES256-service';
    const { tokens } = await logIn(party, { scope: 'openid read write', audience }, undefined, { audience });
    assert.equal(decodeJwt(tokens.access_token)['scope'], 'read');
  });

  it('names several resources in the authorization request and one per token (RFC 8707 §2)', async () => {
    const { url, checks } = await authorizationRequest(party, { scope: 'openid read api:read offline_access' });
    url.searchParams.append('resource', 'urn:audience:ES256-service');
    url.searchParams.append('resource', 'https://api.example/v1');
    const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
    const first = await redeem(party, callback, checks, { audience: 'ES256-service' });
    assert.equal(decodeJwt(first.access_token)['scope'], 'read');
    const second = await client.refreshTokenGrant(party.config, String(first.refresh_token), {
      resource: 'https://api.example/v1',
    });
    const { aud, scope } = decodeJwt(second.access_token);
    assert.deepEqual([aud, scope], ['https://api.example/v1', 'api:read']);
  });

  it('refuses an audience that is not granted, in the authorization request', async () => {
    const { url } = await authorizationRequest(party, { audience: 'secret-service' });
    const page = await createUserAgent(service.origin).open(url.href);
    assert.equal(callbackOf(page).searchParams.get('error'), 'invalid_target');
  });

  it('refuses an audience in the token request that was not asked for before', async () => {
    const { url, checks } = await authorizationRequest(party, { scope: 'openid read', audience: 'ES256-service' });
    const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
    const answer = await postForm(party, '/token', {
      grant_type: 'authorization_code',
      code: String(callback.searchParams.get('code')),
      redirect_uri: checks.redirectUri,
      code_verifier: String(checks.pkceCodeVerifier),
      audience: 'RS256-service',
    });
    assertTokenError(answer, 'invalid_target');
  });
});
