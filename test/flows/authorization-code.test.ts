// The main story, on every engine: signing in by the authorization code flow, with openid-client as the relying party.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { type PostgresDatabase, sharedPostgres } from '../support/postgres.ts';
import {
  authorizationRequest,
  callbackOf,
  type RelyingParty,
  redeem,
  relyingParty,
  signIn,
  verifiedClaims,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

for (const engine of ['SQLite', 'Postgres'] as const) {
  describe(`Authorization code flow on ${engine}`, () => {
    let database: PostgresDatabase | undefined;
    let service: Service;
    let party: RelyingParty;
    before(async () => {
      if (engine === 'Postgres') database = await (await sharedPostgres()).createDatabase();
      service = await startService(database && { DATABASE_URL: database.url });
      party = await relyingParty(service, 'browser-ui', 'a-browser-ui-secret-for-tests');
    });
    after(async () => {
      await service[Symbol.asyncDispose]();
      await database?.drop();
    });

    it('signs in, gives ID token, claims by scope and a rotating refresh token (OIDC Core §3.1)', async () => {
      const { url, checks } = await authorizationRequest(party, { scope: 'openid profile email' });
      const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
      const tokens = await redeem(party, callback, checks);
      const { sub } = tokens.claims() as client.IDToken;

      const claims = await client.fetchUserInfo(party.config, tokens.access_token, sub);
      assert.equal(claims.name, 'Demo User');
      assert.equal(claims.email, 'demo@example.com');
      assert.equal(claims['phone_number'], undefined);

      const refreshed = await client.refreshTokenGrant(party.config, String(tokens.refresh_token));
      assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
      await assert.rejects(client.refreshTokenGrant(party.config, String(tokens.refresh_token)), {
        error: 'invalid_grant',
      });
      await assert.rejects(client.refreshTokenGrant(party.config, String(refreshed.refresh_token)), {
        error: 'invalid_grant',
      });
    });

    it('gives a JWT for a granted audience, which verifies (RFC 8707, RFC 9068)', async () => {
      const audience = 'logging-service';
      const { url, checks } = await authorizationRequest(party, { scope: 'openid logs:write', audience });
      const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
      const tokens = await redeem(party, callback, checks, { audience });
      const claims = await verifiedClaims(service, tokens.access_token, audience);
      assert.equal(claims['sub'], tokens.claims()?.sub);
      assert.equal(claims['scope'], 'logs:write');
    });
  });
}
