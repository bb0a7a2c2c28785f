// Stories of asking for a token for a resource server, by audience or resource, at each endpoint that takes one.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
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

  async function verify(token: string, audience: string): Promise<Record<string, unknown>> {
    const answer = await fetch(`${service.origin}/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, aud: audience }),
    });
    const body = (await answer.json()) as { claims: Record<string, unknown> };
    assert.equal(answer.status, 200, JSON.stringify(body));
    return body.claims;
  }

  describe('on behalf of a client (RFC 6749 §4.4)', () => {
    for (const alg of ALGS) {
      it(`gives a token signed with ${alg}, as the resource server is registered (RFC 9068 §2)`, async () => {
        const audience = `${alg}-service`;
        const { status, headers, body } = await postForm(party, '/token', {
          grant_type: 'client_credentials',
          audience,
        });
        assert.equal(status, 200);
        assert.equal(headers.get('cache-control'), 'no-store');
        assert.equal(body['expires_in'], 60);
        assert.equal(body['token_type'], 'Bearer');
        assert.equal(body['scope'], 'read', 'without scope, all that was granted');
        const token = String(body['access_token']);
        const header = decodeProtectedHeader(token);
        assert.deepEqual([header.alg, header.typ], [alg, 'at+jwt']);
        const key =
          alg === 'HS256'
            ? Buffer.from(String(service.config.jwtSecrets[0]))
            : createRemoteJWKSet(new URL(`${service.origin}/jwks`));
        const options = { issuer: service.issuer, audience, typ: 'at+jwt' };
        const { payload } =
          key instanceof Buffer ? await jwtVerify(token, key, options) : await jwtVerify(token, key, options);
        assert.deepEqual(Object.keys(payload).sort(), 'aud client_id exp iat iss jti nbf scope sub'.split(' '));
        assert.deepEqual([payload.sub, payload['client_id']], [party.clientId, party.clientId]);
        assert.equal((await verify(token, audience))['jti'], payload.jti);
      });
    }

    const names: [name: string, parameters: Record<string, string>, audience: string][] = [
      ['audience=NAME', { audience: 'ES256-service' }, 'ES256-service'],
      ['resource=urn:audience:NAME', { resource: 'urn:audience:ES256-service' }, 'ES256-service'],
      ['audience=URI', { audience: 'https://api.example/v1' }, 'https://api.example/v1'],
      ['resource=URI', { resource: 'https://api.example/v1' }, 'https://api.example/v1'],
    ];
    for (const [name, parameters, audience] of names) {
      it(`takes ${name}`, async () => {
        const { body } = await postForm(party, '/token', { grant_type: 'client_credentials', ...parameters });
        assert.equal(decodeJwt(String(body['access_token'])).aud, audience);
      });
    }

    it('gives the same for a JSON body with grant_type', async () => {
      const answer = await fetch(`${service.origin}/token`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`${party.clientId}:${party.secret}`).toString('base64')}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ grant_type: 'client_credentials', audience: 'ES256-service', scope: 'read' }),
      });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      assert.equal((await verify(token, 'ES256-service'))['scope'], 'read');
    });

    it('takes the one audience that was granted when none is named', async () => {
      const single = await addRelyingParty(
        service,
        { redirect_uris: [], grant_types: ['client_credentials'] },
        { 'https://api.example/v1': null },
      );
      const { body } = await postForm(single, '/token', { grant_type: 'client_credentials', scope: 'api:read' });
      const { aud, scope } = decodeJwt(String(body['access_token']));
      assert.deepEqual([aud, scope], ['https://api.example/v1', 'api:read']);
    });

    it('gives a token for no resource server, without scope, when none is named among several', async () => {
      const { body } = await postForm(party, '/token', { grant_type: 'client_credentials' });
      assert.ok(!String(body['access_token']).includes('.'));
      assert.equal(body['scope'], undefined);
    });

    const refusals: [name: string, parameters: Record<string, string>, error: string][] = [
      ['an audience that is not granted', { audience: 'secret-service' }, 'invalid_target'],
      ['an audience that is unknown', { audience: 'nothing' }, 'invalid_target'],
      ['an audience in other case', { audience: 'es256-service' }, 'invalid_target'],
      ['a resource that is no URI', { resource: 'ES256-service' }, 'invalid_target'],
      ['a resource spelled otherwise', { resource: 'urn:audience:ES256%2Dservice' }, 'invalid_target'],
      ['a resource with a fragment', { resource: 'https://api.example/v1#a' }, 'invalid_target'],
      ['two audiences', { audience: 'ES256-service', resource: 'https://api.example/v1' }, 'invalid_target'],
      ['a scope that is not granted', { audience: 'ES256-service', scope: 'read write' }, 'invalid_scope'],
      ['a scope that is unknown', { audience: 'ES256-service', scope: 'fly' }, 'invalid_scope'],
      ['a scope of OpenID Connect', { audience: 'ES256-service', scope: 'openid' }, 'invalid_scope'],
      ['a scope without an audience', { scope: 'read' }, 'invalid_target'],
    ];
    for (const [name, parameters, error] of refusals) {
      it(`refuses ${name} with ${error} (RFC 8707 §2, RFC 6749 §5.2)`, async () => {
        assertTokenError(await postForm(party, '/token', { grant_type: 'client_credentials', ...parameters }), error);
      });
    }
  });

  describe('on behalf of an end-user', () => {
    for (const alg of ALGS) {
      it(`gives a token of the end-user for a resource server registered for ${alg}`, async () => {
        const audience = `${alg}-service`;
        const { tokens, claims } = await logIn(party, { scope: 'openid read', audience }, undefined, { audience });
        const header = decodeProtectedHeader(tokens.access_token);
        // whoever holds the shared secret could make one too (security requirement R15)
        assert.equal(header.alg, alg === 'HS256' ? 'ES256' : alg);
        assert.equal(header.typ, 'at+jwt');
        const payload = await verify(tokens.access_token, audience);
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
});
