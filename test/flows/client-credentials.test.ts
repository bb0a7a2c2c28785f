// Stories of clients that ask for a token for themselves: which audience, which scope, which algorithm.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { AccessTokenAlg } from '../../src/store.ts';
import {
  addRelyingParty,
  assertTokenError,
  logIn,
  postForm,
  type RelyingParty,
  verifiedClaims,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

const ALGS: AccessTokenAlg[] = ['ES256', 'EdDSA', 'RS256', 'PS256', 'HS256'];

describe('Client credentials', () => {
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
      assert.equal((await verifiedClaims(service, token, audience))['jti'], payload.jti);
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
    assert.equal((await verifiedClaims(service, token, 'ES256-service'))['scope'], 'read');
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

  it('takes the default audience when none is named, and puts the claims of the registration into the token', async () => {
    const worker = await addRelyingParty(
      service,
      {
        redirect_uris: [],
        grant_types: ['client_credentials'],
        default_audience: 'https://api.example/v1',
        access_token_claims: { team: 'billing', tier: 3 },
      },
      { 'ES256-service': null, 'https://api.example/v1': null },
    );
    const form = await postForm(worker, '/token', { grant_type: 'client_credentials' });
    const json = await fetch(`${service.origin}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${worker.clientId}:${worker.secret}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ sub: worker.clientId }),
    });
    const { token } = (await json.json()) as { token: string };
    for (const issued of [String(form.body['access_token']), token]) {
      const { aud, team, tier, scope, sub } = await verifiedClaims(service, issued, 'https://api.example/v1');
      assert.deepEqual(
        { aud, team, tier, scope, sub },
        { aud: 'https://api.example/v1', team: 'billing', tier: 3, scope: 'api:read', sub: worker.clientId },
      );
    }
  });

  it('puts no claim of a client into the token of an end-user', async () => {
    const web = await addRelyingParty(
      service,
      { access_token_claims: { role: 'admin' } },
      { 'https://api.example/v1': null },
    );
    const resource = { resource: 'https://api.example/v1' };
    const { tokens } = await logIn(web, { scope: 'openid api:read', ...resource }, undefined, resource);
    const claims = decodeJwt(tokens.access_token);
    assert.deepEqual([claims.aud, claims['role']], ['https://api.example/v1', undefined]);
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
