// Stories of GET /revocations: found by the metadata, cached, asked again, and no token of any kind.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { addRelyingParty, postForm, type RelyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';

describe('The revocation feed', () => {
  let service: Service;
  let party: RelyingParty;
  let url: string;
  before(async () => {
    service = await startService();
    const metadata = { grant_types: ['client_credentials'], redirect_uris: [] };
    party = await addRelyingParty(service, metadata, { 'logging-service': null });
    const answer = await fetch(`${service.issuer}/.well-known/openid-configuration`);
    url = String(((await answer.json()) as Record<string, unknown>)['revocations_uri']);
  });
  after(() => service[Symbol.asyncDispose]());

  const listOf = async (answer: Response) => {
    const keys = createRemoteJWKSet(new URL(`${service.issuer}/jwks`));
    const { payload } = await jwtVerify(await answer.text(), keys, { issuer: service.issuer, typ: 'revocations+jwt' });
    return payload['revoked'] as string[];
  };

  it('has the hash of a token as soon as it is revoked, until it has expired', async () => {
    assert.equal(url, `${service.issuer}/revocations`);
    const { body } = await postForm(party, '/token', { grant_type: 'client_credentials' });
    const token = String(body['access_token']);
    const { jti } = JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString());
    const jtiHash = createHash('sha256').update(jti).digest('base64url');
    assert.deepEqual(await listOf(await fetch(url)), []);
    await postForm(party, '/revoke', { token });
    await withMovingTime(async (pass) => {
      pass(1);
      assert.deepEqual(await listOf(await fetch(url)), [jtiHash]);
      pass(900 + 61);
      assert.deepEqual(await listOf(await fetch(url)), []);
    });
  });

  it('may be kept for some seconds by anybody, and is not sent again while it is the same (RFC 9110 §13.1.2)', async () => {
    await withMovingTime(async (pass) => {
      pass(60 - (Math.floor(Date.now() / 1000) % 60)); // a minute begins: the tag stays the same for all of it
      const first = await fetch(url);
      assert.equal(first.headers.get('content-type'), 'application/revocations+jwt');
      assert.equal(first.headers.get('cache-control'), 'public, max-age=5');
      const etag = String(first.headers.get('etag'));
      const again = await fetch(url, { headers: { 'if-none-match': etag } });
      assert.deepEqual([again.status, await again.text(), again.headers.get('etag')], [304, '', etag]);
      assert.equal(again.headers.get('cache-control'), 'public, max-age=5');
      pass(61);
      assert.equal((await fetch(url, { headers: { 'if-none-match': etag } })).status, 200);
      assert.equal((await fetch(url, { headers: { 'if-none-match': '"another"' } })).status, 200);
    });
  });

  it('passes for no access token', async () => {
    const token = await (await fetch(url)).text();
    const answer = await fetch(`${service.origin}/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, aud: 'logging-service' }),
    });
    const { reason } = (await answer.json()) as { reason?: string };
    assert.deepEqual([answer.status, reason], [401, 'type']);
  });

  it('is only read', async () => {
    assert.equal((await fetch(url, { method: 'HEAD' })).status, 200);
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const { status } = await fetch(url, { method });
      assert.ok(status === 404 || status === 405, `${method} ${status}`);
    }
  });
});
