// Stories of access tokens that are bound to a key of the client (RFC 9449).
import assert from 'node:assert/strict';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  type RelyingParty,
  redeem,
  signIn,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

describe('DPoP', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service, { token_endpoint_auth_method: 'none' }, { 'logging-service': null });
  });
  after(() => service[Symbol.asyncDispose]());

  async function bound(parameters: Record<string, string> = {}) {
    const DPoP = client.getDPoPHandle(party.config, await client.randomDPoPKeyPair('ES256'));
    const { url, checks } = await authorizationRequest(party, {
      ...parameters,
      dpop_jkt: await DPoP.calculateThumbprint(),
    });
    const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
    const audience = parameters['audience'];
    const tokens = await redeem(party, callback, checks, audience ? { audience } : {}, { DPoP });
    return { tokens, DPoP };
  }

  it('binds access and refresh token of a public client to its key (RFC 9449 §5)', async () => {
    const { tokens, DPoP } = await bound();
    assert.equal(tokens.token_type, 'dpop');
    const sub = String(tokens.claims()?.sub);
    assert.equal((await client.fetchUserInfo(party.config, tokens.access_token, sub, { DPoP })).sub, sub);

    const bearer = { headers: { authorization: `Bearer ${tokens.access_token}` } };
    assert.equal((await fetch(`${service.origin}/userinfo`, bearer)).status, 401);

    const stranger = client.getDPoPHandle(party.config, await client.randomDPoPKeyPair('ES256'));
    const refreshToken = String(tokens.refresh_token);
    await assert.rejects(client.refreshTokenGrant(party.config, refreshToken, {}, { DPoP: stranger }), {
      error: 'invalid_grant',
    });
    await assert.rejects(client.refreshTokenGrant(party.config, refreshToken), { error: 'invalid_grant' });
    const refreshed = await client.refreshTokenGrant(party.config, refreshToken, {}, { DPoP });
    assert.equal(refreshed.token_type, 'dpop');
  });

  it('names the key in a JWT access token (RFC 9449 §6.1)', async () => {
    const { tokens, DPoP } = await bound({ scope: 'openid logs:write', audience: 'logging-service' });
    const { cnf } = decodeJwt(tokens.access_token) as { cnf?: { jkt: string } };
    assert.equal(cnf?.jkt, await DPoP.calculateThumbprint());
  });

  it('refuses a code that was asked for with another key (RFC 9449 §10)', async () => {
    const DPoP = client.getDPoPHandle(party.config, await client.randomDPoPKeyPair('ES256'));
    const { url, checks } = await authorizationRequest(party, { dpop_jkt: await DPoP.calculateThumbprint() });
    const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
    const stranger = client.getDPoPHandle(party.config, await client.randomDPoPKeyPair('ES256'));
    await assert.rejects(redeem(party, callback, checks, {}, { DPoP: stranger }), { error: 'invalid_grant' });
  });
});
