// Stories of asking about tokens and revoking them (RFC 7662, RFC 7009).
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import {
  addRelyingParty,
  assertTokenError,
  logIn,
  postForm,
  type RelyingParty,
  silentError,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';

describe('Introspection and revocation', () => {
  let service: Service;
  let party: RelyingParty;
  let other: RelyingParty;
  let publicParty: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service, {}, { 'logging-service': null });
    other = await addRelyingParty(service);
    publicParty = await addRelyingParty(service, { token_endpoint_auth_method: 'none' });
  });
  after(() => service[Symbol.asyncDispose]());

  async function isActive(token: unknown, from = party): Promise<boolean> {
    const { status, body } = await postForm(from, '/introspect', { token: String(token) });
    assert.equal(status, 200);
    if (body['active'] !== true) assert.deepEqual(body, { active: false });
    return body['active'] === true;
  }

  it('says what an access token and a refresh token stand for (RFC 7662 §2.2)', async () => {
    const { tokens, claims } = await logIn(party, { scope: 'openid email' });
    const access = await client.tokenIntrospection(party.config, tokens.access_token);
    assert.equal(access.active, true);
    assert.deepEqual(
      [access.sub, access.client_id, access.scope, access.iss, access.token_type],
      [claims.sub, party.clientId, 'openid email', service.issuer, 'Bearer'],
    );
    assert.ok(Number(access.exp) > Date.now() / 1000);
    const refresh = await client.tokenIntrospection(party.config, String(tokens.refresh_token), {
      token_type_hint: 'access_token',
    });
    assert.equal(refresh.active, true);
    assert.equal(refresh.client_id, party.clientId);
  });

  it('says of anything else only that it is not active', async () => {
    const { tokens } = await logIn(party);
    for (const token of ['unknown', `${tokens.access_token}x`, ' ', tokens.access_token.toLowerCase()]) {
      assert.equal(await isActive(token), false, token);
    }
    await withMovingTime(async (pass) => {
      pass(901);
      assert.equal(await isActive(tokens.access_token), false);
    });
  });

  it('tells a confidential client about tokens of others, a public client only about its own (RFC 7662 §4)', async () => {
    const { tokens } = await logIn(party);
    assert.equal(await isActive(tokens.access_token, other), true);
    assert.equal(await isActive(tokens.access_token, publicParty), false);
    const own = await logIn(publicParty);
    assert.equal(await isActive(own.tokens.access_token, publicParty), true);
  });

  it('revokes a refresh token with everything of its grant, at once (RFC 7009 §2.1)', async () => {
    const { tokens, agent } = await logIn(party);
    await client.tokenRevocation(party.config, String(tokens.refresh_token));
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
    assertTokenError(await postForm(party, '/token', refresh), 'invalid_grant');
    const authorization = `Bearer ${tokens.access_token}`;
    assert.equal((await fetch(`${service.origin}/userinfo`, { headers: { authorization } })).status, 401);
    assert.equal(await isActive(tokens.access_token), false);
    assert.equal(await silentError(party, agent), undefined, 'the session of the end-user goes on');
  });

  it('revokes an access token, and takes an unknown one for revoked (RFC 7009 §2.2)', async () => {
    const { tokens } = await logIn(party);
    for (const token of [tokens.access_token, tokens.access_token, 'unknown']) {
      const { status } = await postForm(party, '/revoke', { token, token_type_hint: 'something_else' });
      assert.equal(status, 200);
    }
    assert.equal(await isActive(tokens.access_token), false);
  });

  it("lets no client revoke another client's tokens (RFC 7009 §2.1)", async () => {
    const { tokens } = await logIn(party);
    for (const token of [tokens.access_token, String(tokens.refresh_token)]) {
      for (const from of [other, publicParty]) await postForm(from, '/revoke', { token });
      assert.equal(await isActive(token), true);
    }
  });

  describe('A JWT access token', () => {
    let reader: RelyingParty;
    let jwt: string;
    let tokens: Awaited<ReturnType<typeof logIn>>['tokens'];
    before(async () => {
      const grants = { grant_types: ['client_credentials'], redirect_uris: [] };
      reader = await addRelyingParty(service, grants, { 'logging-service': 'logs:read' });
      const request = { scope: 'openid logs:write', audience: 'logging-service' };
      ({ tokens } = await logIn(party, request, undefined, { audience: 'logging-service' }));
      jwt = tokens.access_token;
    });

    it('is introspected by its own client: its claims are the members (RFC 7662 §2.2)', async () => {
      const { active, token_type, ...claims } = await client.tokenIntrospection(party.config, jwt);
      assert.deepEqual([active, token_type], [true, 'Bearer']);
      assert.deepEqual(claims, JSON.parse(Buffer.from(String(jwt.split('.')[1]), 'base64url').toString()));
      assert.deepEqual(
        [claims.sub, claims.client_id, claims.aud, claims.scope, claims.iss],
        [tokens.claims()?.sub, party.clientId, 'logging-service', 'logs:write', service.issuer],
      );
    });

    it('is introspected by the resource server that it is for, by id or by grant, and by nobody else', async () => {
      const { secret } = await service.addClient({
        clientId: 'logging-service',
        metadata: { grant_types: ['client_credentials'] },
      });
      const server = { ...party, clientId: 'logging-service', secret };
      assert.equal(await isActive(jwt, server), true);
      assert.equal(await isActive(jwt, reader), true);
      assert.equal(await isActive(jwt, other), false);
      assert.equal(await isActive(jwt, publicParty), false);
    });

    it('is introspected when a service got it for itself, in both forms of the request', async () => {
      const form = await postForm(reader, '/token', { grant_type: 'client_credentials', audience: 'logging-service' });
      const json = await fetch(`${service.origin}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sub: reader.clientId, aud: 'logging-service', client_secret: reader.secret }),
      });
      const { access_token: fromJson } = (await json.json()) as { access_token?: string };
      for (const token of [form.body['access_token'], fromJson]) {
        const { body } = await postForm(reader, '/introspect', { token: String(token) });
        assert.deepEqual([body['active'], body['sub'], body['client_id']], [true, reader.clientId, reader.clientId]);
      }
    });

    it('is introspected whichever way the client authenticates and asks', async () => {
      const post = await addRelyingParty(
        service,
        { token_endpoint_auth_method: 'client_secret_post' },
        { 'logging-service': null },
        client.ClientSecretPost(),
      );
      assert.equal((await client.tokenIntrospection(post.config, jwt)).active, true);
      for (const more of [{ token_type_hint: 'refresh_token' }, { client_id: reader.clientId }, { unknown: 'x' }]) {
        const { status, body } = await postForm(reader, '/introspect', { token: jwt, ...(more as object) });
        assert.deepEqual([status, body['active']], [200, true], JSON.stringify(more));
      }
      const mismatch = await postForm(reader, '/introspect', { token: jwt, client_id: party.clientId });
      assertTokenError(mismatch, 'invalid_request');
      const wrongMethod = await postForm({ ...reader, ...post }, '/introspect', { token: jwt });
      assertTokenError(wrongMethod, 'invalid_client', 401);
    });

    it('is nothing to a caller without the right credentials', async () => {
      const stranger = { ...party, secret: 'not the secret of this client' };
      assertTokenError(await postForm(stranger, '/introspect', { token: jwt }), 'invalid_client', 401);
    });

    it('is not active when it is altered, expired or another kind of token (RFC 8725 §3.11)', async () => {
      const [header, payload] = jwt.split('.');
      const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
      const others = [`${header}.${payload}.AAAA`, `${none}.${payload}.`, `${jwt}=`, String(tokens.id_token)];
      for (const token of others) assert.equal(await isActive(token), false, token);
      await withMovingTime(async (pass) => {
        pass(900 + 16);
        assert.equal(await isActive(jwt), false);
      });
    });

    it('is answered without a word in the log that it was refused', async () => {
      service.log.length = 0;
      assert.equal(await isActive(jwt), true);
      assert.doesNotMatch(service.log.join(''), /unsupported_token_type|refused/);
    });
  });

  for (const path of ['/introspect', '/revoke']) {
    it(`refuses a request without a token at ${path}`, async () => {
      assertTokenError(await postForm(party, path, {}), 'invalid_request');
    });
  }
});
