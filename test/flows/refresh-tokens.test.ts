// Stories of refresh tokens: who gets one, rotation, reuse, narrowing, and when the chain ends.
import assert from 'node:assert/strict';
import { decodeJwt } from 'jose';
import {
  addRelyingParty,
  assertTokenError,
  continueSession,
  logIn,
  postForm,
  type RelyingParty,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';

/** Without prompt=consent, offline_access is ignored (OIDC Core §11). */
const OFFLINE = { scope: 'openid offline_access', prompt: 'consent' };

const DAY = 24 * 60 * 60;

describe('Refresh tokens', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    await service.resourceServers.add({ audience: 'orders', scope: 'orders:read orders:write' });
    party = await addRelyingParty(service, {}, { orders: null });
  });
  after(() => service[Symbol.asyncDispose]());

  function refresh(token: unknown, parameters: Record<string, string> = {}, from = party) {
    return postForm(from, '/token', { grant_type: 'refresh_token', refresh_token: String(token), ...parameters });
  }

  async function userinfoStatus(accessToken: unknown): Promise<number> {
    const answer = await fetch(`${service.origin}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } });
    return answer.status;
  }

  it('gives new tokens for the same end-user and the same sign-in (OIDC Core §12.2)', async () => {
    await withMovingTime(async (pass) => {
      const { tokens, claims } = await logIn(party, { ...OFFLINE, prompt: 'login consent' });
      pass(2);
      const { status, headers, body } = await refresh(tokens.refresh_token, { scope: 'openid' });
      assert.equal(status, 200);
      assert.equal(headers.get('cache-control'), 'no-store');
      assert.match(String(headers.get('content-type')), /^application\/json/);
      assert.equal(body['token_type'], 'Bearer');
      assert.notEqual(body['access_token'], tokens.access_token);
      const again = decodeJwt(String(body['id_token']));
      for (const name of ['iss', 'sub', 'aud', 'azp', 'auth_time'] as const) {
        assert.deepEqual(again[name], claims[name], name);
      }
      assert.ok(Number(again.iat) > claims.iat);
      assert.equal(await userinfoStatus(body['access_token']), 200);
    });
  });

  it('rotates at every use, and dies with its family when an old one returns (RFC 9700 §4.14.2)', async () => {
    const { tokens } = await logIn(party, OFFLINE);
    const chain: unknown[] = [tokens.refresh_token];
    let accessToken: unknown;
    for (let use = 0; use < 4; use += 1) {
      const { status, body } = await refresh(chain.at(-1));
      assert.equal(status, 200);
      assert.ok(!chain.includes(body['refresh_token']));
      chain.push(body['refresh_token']);
      accessToken = body['access_token'];
    }
    assertTokenError(await refresh(chain[1]), 'invalid_grant');
    assertTokenError(await refresh(chain.at(-1)), 'invalid_grant');
    assert.equal(await userinfoStatus(accessToken), 401);
    assert.deepEqual((await postForm(party, '/introspect', { token: String(accessToken) })).body, { active: false });
  });

  it('refuses the refresh token of another client, which stays good for its own (RFC 6749 §6)', async () => {
    const other = await addRelyingParty(service);
    const { tokens } = await logIn(party, OFFLINE);
    assertTokenError(await refresh(tokens.refresh_token, {}, other), 'invalid_grant');
    assert.equal((await refresh(tokens.refresh_token)).status, 200);
  });

  it('only ever narrows the scope (RFC 6749 §6)', async () => {
    const { tokens } = await logIn(party, { ...OFFLINE, scope: 'openid email offline_access' });
    const wider = await refresh(tokens.refresh_token, { scope: 'openid email profile' });
    assertTokenError(wider, 'invalid_scope');
    const narrow = await refresh(tokens.refresh_token, { scope: 'openid' });
    assert.equal(narrow.body['scope'], 'openid');
    const full = await refresh(narrow.body['refresh_token']);
    assert.deepEqual(String(full.body['scope']).split(' ').sort(), ['email', 'offline_access', 'openid']);
  });

  it('gives a token for a resource that was asked for at the beginning, and for no other (RFC 8707 §2.2)', async () => {
    const { tokens } = await logIn(party, {
      ...OFFLINE,
      scope: 'openid orders:read offline_access',
      audience: 'orders',
    });
    const first = await refresh(tokens.refresh_token, { audience: 'orders' });
    const claims = decodeJwt(String(first.body['access_token']));
    assert.equal(claims.aud, 'orders');
    assert.equal(claims['scope'], 'orders:read');
    const wider = await refresh(first.body['refresh_token'], { audience: 'orders', scope: 'orders:write' });
    assertTokenError(wider, 'invalid_scope');
    const elsewhere = await refresh(first.body['refresh_token'], { audience: 'logging-service' });
    assertTokenError(elsewhere, 'invalid_target');
  });

  it('gives a first-party client one without offline_access, which ends with the session', async () => {
    const { tokens, agent } = await logIn(party);
    assert.ok(tokens.refresh_token);
    const { status, body } = await refresh(tokens.refresh_token);
    assert.equal(status, 200);
    const page = await agent.open(`${service.origin}/logout`);
    await agent.submit(page, {}, 'sign-out');
    assertTokenError(await refresh(body['refresh_token']), 'invalid_grant');
  });

  it('lets a client repeat the scope that it asked for, though offline_access was dropped from it', async () => {
    const { tokens } = await logIn(party, { scope: 'openid email offline_access' });
    const repeated = await refresh(tokens.refresh_token, { scope: 'openid email offline_access' });
    assert.equal(repeated.status, 200);
    assert.equal(repeated.body['scope'], 'openid email');
    const alone = await refresh(repeated.body['refresh_token'], { scope: 'offline_access' });
    assert.equal(alone.body['scope'], 'openid email');
  });

  it('gives none to a client that is not registered for it, nor to a third party without offline_access', async () => {
    const codeOnly = await addRelyingParty(service, { grant_types: ['authorization_code'] });
    assert.equal((await logIn(codeOnly, OFFLINE)).tokens.refresh_token, undefined);
    const thirdParty = await addRelyingParty(service, { first_party: false });
    assert.equal((await logIn(thirdParty)).tokens.refresh_token, undefined);
    assert.ok((await logIn(thirdParty, OFFLINE)).tokens.refresh_token);
  });

  it('outlives the session with offline_access (OIDC Core §11)', async () => {
    const { tokens, agent } = await logIn(party, OFFLINE);
    const page = await agent.open(`${service.origin}/logout`);
    await agent.submit(page, {}, 'sign-out');
    assert.equal((await refresh(tokens.refresh_token)).status, 200);
  });

  it('ends the chain 90 days after consent, however often it was refreshed (security requirement R09)', async () => {
    await withMovingTime(async (pass) => {
      const { tokens } = await logIn(party, OFFLINE);
      let token: unknown = tokens.refresh_token;
      for (let day = 0; day < 89; day += 10) {
        const { status, body } = await refresh(token);
        assert.equal(status, 200, `day ${day}`);
        token = body['refresh_token'];
        pass(10 * DAY);
      }
      assertTokenError(await refresh(token), 'invalid_grant');
    });
  });

  it('is refused after two weeks without use', async () => {
    await withMovingTime(async (pass) => {
      const { tokens } = await logIn(party, OFFLINE);
      pass(14 * DAY + 1);
      assertTokenError(await refresh(tokens.refresh_token), 'invalid_grant');
    });
  });

  it('keeps the family of one sign-in apart from that of the next', async () => {
    const { tokens, agent } = await logIn(party, OFFLINE);
    const { tokens: later } = await continueSession(party, agent);
    assert.equal((await refresh(tokens.refresh_token)).status, 200);
    assert.equal((await refresh(later.refresh_token)).status, 200);
  });
});
