// Stories of claims: which scope or claims parameter brings which, at userinfo and in the ID token.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { addRelyingParty, logIn, type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

const CLAIMS_OF_SCOPE = {
  profile: [
    'birthdate',
    'family_name',
    'gender',
    'given_name',
    'locale',
    'middle_name',
    'name',
    'nickname',
    'picture',
    'preferred_username',
    'profile',
    'updated_at',
    'website',
    'zoneinfo',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
};

const PROTOCOL_CLAIMS = new Set('iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash sid'.split(' '));

describe('Claims', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await relyingParty(service);
  });
  after(() => service[Symbol.asyncDispose]());

  async function userinfo(tokens: { access_token: string }, sub: string) {
    return client.fetchUserInfo(party.config, tokens.access_token, sub);
  }

  for (const [scope, names] of Object.entries(CLAIMS_OF_SCOPE)) {
    it(`gives exactly the claims of the scope ${scope} at userinfo and none in the ID token (OIDC Core §5.4)`, async () => {
      const { tokens, claims } = await logIn(party, { scope: `openid ${scope}` });
      const received = await userinfo(tokens, claims.sub);
      assert.deepEqual(Object.keys(received).sort(), [...names, 'sub'].sort());
      assert.deepEqual(
        Object.keys(claims).filter((name) => !PROTOCOL_CLAIMS.has(name)),
        [],
      );
    });
  }

  it('gives all 19 standard claims in their types, whatever the order of the scopes (OIDC Core §5.1)', async () => {
    const { tokens, claims } = await logIn(party, { scope: 'phone email address profile openid' });
    const { sub, address, updated_at, email_verified, phone_number_verified, birthdate, ...texts } = await userinfo(
      tokens,
      claims.sub,
    );
    assert.equal(sub, claims.sub);
    assert.equal(Object.keys(texts).length, 14);
    for (const [name, text] of Object.entries(texts)) assert.ok(typeof text === 'string' && text.trim() !== '', name);
    assert.deepEqual([email_verified, phone_number_verified], [true, true]);
    assert.match(String(birthdate), /^\d{4}-\d\d-\d\d$/);
    assert.ok(typeof updated_at === 'number' && updated_at <= Date.now() / 1000);
    assert.ok(address && Object.values(address).every((part) => typeof part === 'string' && part.trim() !== ''));
  });

  it('gives a claim asked for by name, at userinfo alone (OIDC Core §5.5)', async () => {
    const { tokens, claims } = await logIn(party, { claims: '{"userinfo":{"name":{"essential":true}}}' });
    assert.deepEqual(await userinfo(tokens, claims.sub), { sub: claims.sub, name: 'Demo User' });
    assert.equal(claims['name'], undefined);
  });

  it('puts a claim into the ID token when it was asked for there (OIDC Core §5.5)', async () => {
    const { tokens, claims } = await logIn(party, { claims: '{"id_token":{"email":null}}' });
    assert.equal(claims['email'], 'demo@example.com');
    assert.deepEqual(await userinfo(tokens, claims.sub), { sub: claims.sub });
  });

  it('reaches an essential acr of its own (OIDC Core §5.5.1.1)', async () => {
    const { claims } = await logIn(party, { claims: '{"id_token":{"acr":{"essential":true,"values":["x","aal1"]}}}' });
    assert.equal(claims['acr'], 'aal1');
  });

  it('answers userinfo by GET, by POST with a header and by POST with a body alike (OIDC Core §5.3.1)', async () => {
    const { tokens, claims } = await logIn(party, { scope: 'openid email' });
    const url = `${service.origin}/userinfo`;
    const authorization = `Bearer ${tokens.access_token}`;
    const answers = await Promise.all([
      fetch(url, { headers: { authorization } }),
      fetch(url, { method: 'POST', headers: { authorization } }),
      fetch(url, { method: 'POST', body: new URLSearchParams({ access_token: tokens.access_token }) }),
    ]);
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      assert.match(String(answer.headers.get('content-type')), /^application\/json/);
      const body = (await answer.json()) as Record<string, unknown>;
      assert.deepEqual(body, { sub: claims.sub, email: 'demo@example.com', email_verified: true });
    }
  });

  const refusedTokens: [string, RequestInit & { query?: string }, number, string][] = [
    ['no token', {}, 401, 'invalid_token'],
    ['an unknown token', { headers: { authorization: 'Bearer unknown' } }, 401, 'invalid_token'],
    ['a token in the query', { query: '?access_token=abc' }, 400, 'invalid_request'],
    [
      'two tokens',
      { method: 'POST', headers: { authorization: 'Bearer a' }, body: new URLSearchParams({ access_token: 'b' }) },
      400,
      'invalid_request',
    ],
  ];
  for (const [name, { query = '', ...init }, status, error] of refusedTokens) {
    it(`refuses ${name} at userinfo (RFC 6750 §3.1)`, async () => {
      const answer = await fetch(`${service.origin}/userinfo${query}`, init);
      assert.equal(answer.status, status);
      assert.equal(((await answer.json()) as { error: string }).error, error);
      assert.match(String(answer.headers.get('www-authenticate')), /^Bearer /);
    });
  }

  it('refuses an ID token and a token for a resource server at userinfo', async () => {
    const { tokens } = await logIn(party, { scope: 'openid logs:write', audience: 'logging-service' }, undefined, {
      audience: 'logging-service',
    });
    for (const token of [tokens.id_token, tokens.access_token]) {
      const answer = await fetch(`${service.origin}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(answer.status, 401);
    }
  });

  it('signs userinfo for a client that registered for it (OIDC Core §5.3.2)', async () => {
    const signed = await addRelyingParty(service, { userinfo_signed_response_alg: 'RS256' });
    const { tokens, claims } = await logIn(signed, { scope: 'openid email' });
    const answer = await fetch(`${service.origin}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    assert.match(String(answer.headers.get('content-type')), /^application\/jwt/);
    const jwks = createRemoteJWKSet(new URL(`${service.origin}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(await answer.text(), jwks, {
      issuer: service.issuer,
      audience: signed.clientId,
    });
    assert.equal(protectedHeader.alg, 'RS256');
    assert.equal(payload.sub, claims.sub);
    assert.equal(payload['email'], 'demo@example.com');
    assert.equal(payload['nonce'], undefined);
  });
});
