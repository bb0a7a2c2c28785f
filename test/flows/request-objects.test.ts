// Stories of authorization requests inside a signed request object (RFC 9101, OpenID Connect Core §6.1).
import assert from 'node:assert/strict';
import type { webcrypto } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
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

describe('Request objects', () => {
  let service: Service;
  let party: RelyingParty;
  let key: webcrypto.CryptoKey;
  before(async () => {
    service = await startService();
    const pair = await generateKeyPair('ES256');
    key = pair.privateKey;
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'first', use: 'sig', alg: 'ES256' };
    party = await addRelyingParty(service, { jwks: { keys: [jwk] } }, { 'logging-service': null });
  });
  after(() => service[Symbol.asyncDispose]());

  /** The request with everything inside the object but what RFC 9101 §5 wants outside. */
  async function request(change: Record<string, unknown> = {}, signer = key) {
    const { url, checks } = await authorizationRequest(party, { scope: 'openid email' });
    const object = await new SignJWT({
      ...Object.fromEntries(url.searchParams),
      iss: party.clientId,
      aud: service.issuer,
      ...change,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'first', typ: 'oauth-authz-req+jwt' })
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(signer);
    const outside = new URLSearchParams({ client_id: party.clientId, request: object });
    return { href: `${service.origin}/authorize?${outside}`, checks };
  }

  it('signs in with the parameters of the object (RFC 9101 §5)', async () => {
    const { href, checks } = await request();
    const callback = callbackOf(await signIn(createUserAgent(service.origin), new URL(href)));
    const tokens = await redeem(party, callback, checks);
    assert.equal(tokens.scope, 'openid email');
  });

  it('takes the parameters of the object over those beside it (RFC 9101 §6.3)', async () => {
    const { href, checks } = await request();
    const outside = new URLSearchParams({
      redirect_uri: 'https://evil.example/',
      scope: 'openid phone',
      state: 'other',
    });
    const callback = callbackOf(await signIn(createUserAgent(service.origin), new URL(`${href}&${outside}`)));
    assert.equal((await redeem(party, callback, checks)).scope, 'openid email');
  });

  const refused: [name: string, change: Record<string, unknown>][] = [
    ['for another audience', { aud: 'https://other.example' }],
    ['of another client', { iss: 'nobody' }],
    ['with another client_id', { client_id: 'nobody' }],
    ['within another', { request: 'a.b.c' }],
  ];
  for (const [name, change] of refused) {
    it(`refuses an object ${name}, without a code`, async () => {
      const page = await createUserAgent(service.origin).open((await request(change)).href);
      const location = page.response.headers.get('location');
      if (location === null) assert.equal(page.response.status, 400);
      else assert.equal(new URL(location).searchParams.get('error'), 'invalid_request_object');
    });
  }

  it('refuses an object signed by another key, without a redirect to where it says', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const { href } = await request({ redirect_uri: 'https://evil.example/' }, privateKey);
    const { response } = await createUserAgent(service.origin).open(href);
    assert.equal(response.status, 400);
    assert.equal(response.headers.get('location'), null);
  });
});
