// Stories of services that call the next service on behalf of the same end-user (RFC 8693).
import assert from 'node:assert/strict';
import { decodeJwt, SignJWT } from 'jose';
import {
  addRelyingParty,
  assertTokenError,
  logIn,
  postForm,
  type RelyingParty,
  verifiedClaims,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

describe('Token exchange', () => {
  let service: Service;
  let web: RelyingParty;
  let orders: RelyingParty;
  let billing: RelyingParty;
  let userToken: string;
  before(async () => {
    service = await startService({ OIDC_FEATURES: 'token-exchange' });
    await service.resourceServers.add({ audience: 'orders', scope: 'orders:read shared:a shared:b', expiresIn: 600 });
    await service.resourceServers.add({ audience: 'billing', scope: 'billing:read billing:write shared:a shared:b' });
    await service.resourceServers.add({ audience: 'ledger', scope: 'ledger:read' });
    web = await addRelyingParty(
      service,
      { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] },
      { orders: null, ledger: null, 'logging-service': null },
    );
    const metadata = { redirect_uris: [], grant_types: [GRANT, 'client_credentials'] };
    orders = await addRelyingParty(
      service,
      { ...metadata, serves: ['orders', 'logging-service'] },
      { billing: 'billing:read shared:a shared:b', 'logging-service': null, orders: null },
    );
    billing = await addRelyingParty(service, { ...metadata, serves: ['billing'] }, { ledger: null });
    userToken = await tokenFor('orders', 'orders:read shared:a');
  });
  after(() => service[Symbol.asyncDispose]());

  async function tokenFor(audience: string, scope: string): Promise<string> {
    const { tokens } = await logIn(web, { scope: `openid ${scope}`, audience }, undefined, { audience });
    return tokens.access_token;
  }

  function exchange(party: RelyingParty, parameters: Record<string, string>) {
    const all = {
      grant_type: GRANT,
      subject_token: userToken,
      subject_token_type: ACCESS_TOKEN,
      audience: 'billing',
      ...parameters,
    };
    const sent = Object.entries(all).filter(([, value]) => value !== '');
    return postForm(party, '/token', Object.fromEntries(sent));
  }

  it('gives a token of the same end-user for the next service, in which the first one acts (RFC 8693 §4.1)', async () => {
    const { status, body } = await exchange(orders, { scope: 'billing:read' });
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(
      [body['issued_token_type'], body['token_type'], body['scope']],
      [ACCESS_TOKEN, 'Bearer', 'billing:read'],
    );
    const claims = await verifiedClaims(service, String(body['access_token']), 'billing');
    const subject = decodeJwt(userToken);
    assert.deepEqual(
      { sub: claims['sub'], act: claims['act'], client: claims['client_id'], scope: claims['scope'] },
      { sub: subject.sub, act: { sub: orders.clientId }, client: orders.clientId, scope: 'billing:read' },
    );
    assert.ok(Number(claims['exp']) <= Number(subject.exp), 'it expires no later');
    assert.ok(Number(body['expires_in']) <= 600);
  });

  it('names every service of a chain, the latest first', async () => {
    const { body } = await exchange(orders, { scope: 'billing:read' });
    const next = await exchange(billing, { subject_token: String(body['access_token']), audience: 'ledger' });
    assert.equal(next.status, 200, JSON.stringify(next.body));
    assert.deepEqual(decodeJwt(String(next.body['access_token']))['act'], {
      sub: billing.clientId,
      act: { sub: orders.clientId },
    });
  });

  it('keeps of the scope what the end-user gave and the client was granted, when none is asked for', async () => {
    const { body } = await exchange(orders, {});
    assert.equal(body['scope'], 'shared:a');
  });

  it('never speaks for an end-user by the shared secret (security.md R15)', async () => {
    const { body } = await exchange(orders, { audience: 'logging-service', scope: 'logs:write' });
    const [header = ''] = String(body['access_token']).split('.');
    assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, 'ES256');
  });

  it('ends with the grant of the end-user', async () => {
    const { tokens } = await logIn(web, { scope: 'openid orders:read', audience: 'orders' }, undefined, {
      audience: 'orders',
    });
    const { body } = await exchange(orders, { subject_token: tokens.access_token, scope: 'billing:read' });
    const exchanged = String(body['access_token']);
    await verifiedClaims(service, exchanged, 'billing');
    await postForm(web, '/revoke', { token: tokens.access_token });
    const verify = await fetch(`${service.origin}/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: exchanged, aud: 'billing' }),
    });
    assert.equal(((await verify.json()) as { reason?: string }).reason, 'revoked');
    assertTokenError(await exchange(orders, { subject_token: tokens.access_token }), 'invalid_request');
  });

  const refused: [
    name: string,
    parameters: () => Record<string, string> | Promise<Record<string, string>>,
    error: string,
  ][] = [
    ['no subject token', () => ({ subject_token: '' }), 'invalid_request'],
    ['no type of it', () => ({ subject_token_type: '' }), 'invalid_request'],
    ['an ID token', () => ({ subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }), 'invalid_request'],
    [
      'the wish for a refresh token',
      () => ({ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
      'invalid_request',
    ],
    ['an actor token', () => ({ actor_token: userToken, actor_token_type: ACCESS_TOKEN }), 'invalid_request'],
    ['no audience', () => ({ audience: '' }), 'invalid_request'],
    ['an audience that is not granted', () => ({ audience: 'ledger' }), 'invalid_target'],
    ['an unknown audience', () => ({ audience: 'nowhere' }), 'invalid_target'],
    ['two audiences', () => ({ resource: 'urn:audience:orders' }), 'invalid_request'],
    ['a scope that is not granted to it', () => ({ scope: 'billing:write' }), 'invalid_scope'],
    ['a scope that the end-user did not give', () => ({ scope: 'shared:b' }), 'invalid_scope'],
    ['a text', () => ({ subject_token: 'x' }), 'invalid_request'],
    [
      'a token with another signature',
      () => ({ subject_token: `${userToken.slice(0, -8)}AAAAAAAA` }),
      'invalid_request',
    ],
    [
      "another service's token",
      async () => ({ subject_token: await tokenFor('ledger', 'ledger:read') }),
      'invalid_request',
    ],
    [
      "a service's own token",
      async () => {
        const { body } = await postForm(web, '/token', { grant_type: 'client_credentials', audience: 'orders' });
        return { subject_token: String(body['access_token']) };
      },
      'invalid_request',
    ],
    [
      'a token that somebody signed with the shared secret',
      async () => {
        const { sub = '', jti = '' } = decodeJwt(userToken);
        const token = await new SignJWT({ client_id: web.clientId })
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer(service.issuer)
          .setSubject(sub)
          .setJti(`${jti}x`)
          .setAudience('logging-service')
          .setIssuedAt()
          .setExpirationTime('1m')
          .sign(Buffer.from(String(service.config.jwtSecrets[0])));
        return { subject_token: token };
      },
      'invalid_request',
    ],
  ];
  for (const [name, parameters, error] of refused) {
    it(`refuses ${name} with ${error} (RFC 8693 §2.2.2)`, async () => {
      assertTokenError(await exchange(orders, await parameters()), error);
    });
  }

  it('is for clients that are registered for it', async () => {
    const other = await addRelyingParty(
      service,
      { redirect_uris: [], grant_types: ['client_credentials'], serves: ['orders'] },
      { billing: null },
    );
    assert.equal((await exchange(other, {})).status, 400);
  });

  it('is not for clients whose tokens must be bound to their key (RFC 9449 §5.2)', async () => {
    const bound = await addRelyingParty(
      service,
      { redirect_uris: [], grant_types: [GRANT], serves: ['orders'], dpop_bound_access_tokens: true },
      { billing: 'billing:read' },
    );
    assertTokenError(await exchange(bound, { scope: 'billing:read' }), 'invalid_grant');
  });

  it('refuses the token of an account that was disabled', async () => {
    const { tokens } = await logIn(web, { scope: 'openid orders:read', audience: 'orders' }, undefined, {
      audience: 'orders',
    });
    const [account] = await service.accounts.list();
    assert.ok(account);
    await service.accounts.disable(account.id);
    assertTokenError(await exchange(orders, { subject_token: tokens.access_token }), 'invalid_request');
  });

  it('is unknown where it is not switched on, and its clients can do the rest', async () => {
    await using plain = await startService();
    const party = await addRelyingParty(
      plain,
      { redirect_uris: [], grant_types: [GRANT, 'client_credentials'] },
      { 'logging-service': null },
    );
    const { body } = await postForm(party, '/token', { grant_type: GRANT, subject_token: 'x', audience: 'x' });
    assert.equal(body['error'], 'unsupported_grant_type');
    assert.equal((await postForm(party, '/token', { grant_type: 'client_credentials' })).status, 200);
  });
});
