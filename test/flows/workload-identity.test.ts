// Stories of service accounts without secrets: their platform's JWT is their client assertion (RFC 7523 §2.2).
import assert from 'node:assert/strict';
import { generateKeyPair, SignJWT } from 'jose';
import { createClientRegistry } from '../../src/clients/registration.ts';
import { presetConditions } from '../../src/clients/trust-presets.ts';
import type { TrustRule } from '../../src/clients/trust-rules.ts';
import { assertionType } from '../../src/provider/client-assertions.ts';
import { createOutsideIssuer, type OutsideIssuer } from '../support/outside-issuer.ts';
import { verifiedClaims } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

const SUBJECT = 'repo:org/app:ref:refs/heads/main';

describe('Workload identity', () => {
  let service: Service;
  let platform: OutsideIssuer;
  let now = Math.floor(Date.now() / 1000);
  let registered = 0;
  before(async () => {
    platform = await createOutsideIssuer();
    service = await startService({}, { fetch: platform.fetch as never, clock: () => now });
  });
  beforeEach(() => {
    now = Math.floor(Date.now() / 1000);
  });
  after(() => service[Symbol.asyncDispose]());

  /** A client that trusts the platform under these conditions. */
  async function addWorkload(rule: Partial<Omit<TrustRule, 'name'>> = {}, metadata = {}): Promise<string> {
    registered += 1;
    const clientId = `ci-${registered}`;
    const added = await service.addClient({
      clientId,
      metadata: {
        grant_types: ['client_credentials'],
        token_endpoint_auth_method: 'workload_identity',
        ...metadata,
      },
      audiences: { 'logging-service': 'logs:write' },
    });
    assert.ok(Object.keys(metadata).length > 0 || added.secret === '', 'it has no secret');
    const clients = createClientRegistry({ clients: service.store.clients, builtIn: [], clock: () => now });
    await clients.trust(clientId, { issuer: platform.url, subject: SUBJECT, ...rule });
    return clientId;
  }

  function present(clientId: string, assertion: string, parameters: Record<string, string> = {}): Promise<Response> {
    return fetch(`${service.origin}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_assertion_type: assertionType,
        client_assertion: assertion,
        audience: 'logging-service',
        ...parameters,
      }),
    });
  }

  const sign = (claims: Record<string, unknown> = {}, header = {}) =>
    platform.sign({ sub: SUBJECT, aud: service.issuer, ...claims }, header);

  it('gets a token of ours for a JWT of its platform', async () => {
    const clientId = await addWorkload();
    const answer = await present(clientId, await sign());
    const { access_token: token } = (await answer.json()) as { access_token: string };
    assert.equal(answer.status, 200);
    const { sub, aud, scope } = await verifiedClaims(service, token, 'logging-service');
    assert.deepEqual({ sub, aud, scope }, { sub: clientId, aud: 'logging-service', scope: 'logs:write' });
  });

  it('gets the same in the JSON form', async () => {
    const clientId = await addWorkload();
    const members = { client_assertion_type: assertionType, client_assertion: await sign() };
    const post = (body: object) =>
      fetch(`${service.origin}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const answer = await post({ sub: clientId, aud: 'logging-service', ...members });
    const { token } = (await answer.json()) as { token: string };
    assert.equal((await verifiedClaims(service, token, 'logging-service'))['sub'], clientId);
    const again = { ...members, client_assertion: await sign() };
    assert.equal((await post({ sub: clientId, aud: 'other', ...again })).status, 403);
  });

  it('takes the token endpoint as the audience, or the one that the rule names, and then no other', async () => {
    const clientId = await addWorkload();
    assert.equal((await present(clientId, await sign({ aud: [`${service.issuer}/token`] }))).status, 200);
    const named = await addWorkload({ audience: 'identity.example' });
    assert.equal((await present(named, await sign({ aud: 'identity.example' }))).status, 200);
    assert.equal((await present(named, await sign())).status, 401);
  });

  it('matches further claims, and a * at the end', async () => {
    const clientId = await addWorkload({ subject: 'repo:org/app:*', claims: { environment: 'production', run: '7' } });
    const claims = { sub: 'repo:org/app:ref:refs/heads/x', environment: 'production', run: 7 };
    assert.equal((await present(clientId, await sign(claims))).status, 200);
    for (const wrong of [
      { environment: 'staging' },
      { run: '70' },
      { sub: 'repo:org/app2:x' },
      { sub: 'repo:org/app:' },
    ]) {
      assert.equal((await present(clientId, await sign({ ...claims, ...wrong }))).status, 401, JSON.stringify(wrong));
    }
  });

  it('keeps its registered method beside the rules', async () => {
    const clientId = await addWorkload({}, { token_endpoint_auth_method: 'client_secret_basic' });
    assert.equal((await present(clientId, await sign())).status, 200);
    assert.equal((await present(clientId, 'x', { client_secret: 'x' })).status, 400);
  });

  it('takes a JWT once, and again only where the rule says so, as a pod has to', async () => {
    const clientId = await addWorkload();
    const assertion = await sign();
    assert.equal((await present(clientId, assertion)).status, 200);
    assert.equal((await present(clientId, assertion)).status, 401);
    const facts = { issuer: platform.url, namespace: 'shop', serviceAccount: 'worker' };
    const pod = await addWorkload(presetConditions('kubernetes', facts));
    const projected = await sign({ sub: 'system:serviceaccount:shop:worker' });
    for (let count = 0; count < 3; count++) assert.equal((await present(pod, projected)).status, 200);
  });

  const time = Math.floor(Date.now() / 1000);
  const refused: [name: string, claims: Record<string, unknown>, header?: Record<string, unknown>][] = [
    ['another branch', { sub: 'repo:org/app:ref:refs/heads/evil' }],
    ['another repository', { sub: 'repo:org/app2:ref:refs/heads/main' }],
    ['a subject in other case', { sub: SUBJECT.toUpperCase() }],
    ['a subject that begins alike', { sub: `${SUBJECT}2` }],
    ['no subject', { sub: undefined }],
    ['a list of subjects', { sub: [SUBJECT] }],
    ['another audience', { aud: 'https://other.example' }],
    ['no audience', { aud: undefined }],
    ['another issuer', { iss: 'https://evil.example' }],
    ['our own issuer', { iss: undefined }],
    ['no exp', { exp: undefined }],
    ['no iat', { iat: undefined }],
    ['an exp in the past', { iat: time - 900, exp: time - 600 }],
    ['an iat in the future', { iat: time + 600, exp: time + 900 }],
    ['an nbf in the future', { nbf: time + 600 }],
    ['a lifetime of a week', { exp: time + 7 * 86_400 }],
    ['times as texts', { exp: String(time + 60) }],
    ['a key that the issuer does not have', {}, { kid: 'other' }],
    ['the type of an access token', {}, { typ: 'at+jwt' }],
  ];
  it('refuses everything else alike, whatever is wrong (RFC 7523 §3)', async () => {
    const answers = new Set<string>();
    for (const [name, claims, header] of refused) {
      const answer = await present(await addWorkload(), await sign(claims, header));
      assert.equal(answer.status, 401, name);
      answers.add(await answer.text());
    }
    assert.equal(answers.size, 1, [...answers].join());
  });

  it('refuses a signature by another key, and by none', async () => {
    const clientId = await addWorkload();
    const { privateKey } = await generateKeyPair('RS256');
    const claims = { iss: platform.url, sub: SUBJECT, aud: service.issuer, iat: now, exp: now + 60, jti: 'x' };
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'outside' }).sign(privateKey);
    const secret = Buffer.from(JSON.stringify(platform.published.keys[0]));
    const confused = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'outside' }).sign(secret);
    const [, payload] = forged.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.AA`;
    for (const assertion of [forged, confused, none]) assert.equal((await present(clientId, assertion)).status, 401);
  });

  it('contacts no issuer that the client does not trust (security.md R65)', async () => {
    const clientId = await addWorkload();
    const before = platform.requests.length;
    assert.equal((await present(clientId, await sign({ iss: 'https://evil.example' }))).status, 401);
    assert.equal(platform.requests.length, before);
  });

  it('asks for keys once in ten minutes, and for an unknown one once a minute (security.md R66)', async () => {
    const other = await createOutsideIssuer('https://ci.example');
    await using fresh = await startService({}, { fetch: other.fetch as never, clock: () => now });
    await fresh.addClient({
      clientId: 'ci',
      metadata: {
        grant_types: ['client_credentials'],
        trusted_issuers: [{ name: '1', issuer: other.url, subject: SUBJECT }],
      },
      audiences: { 'logging-service': null },
    });
    const ask = async (header = {}) => {
      const assertion = await other.sign({ sub: SUBJECT, aud: fresh.issuer, iat: now, exp: now + 60 }, header);
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'ci',
        client_assertion_type: assertionType,
        client_assertion: assertion,
      });
      return (await fetch(`${fresh.origin}/token`, { method: 'POST', body })).status;
    };
    assert.deepEqual(await Promise.all([ask(), ask(), ask()]), [200, 200, 200]);
    assert.equal(other.requests.length, 2, 'metadata and keys, once');
    assert.deepEqual([await ask({ kid: 'new' }), await ask({ kid: 'new' })], [401, 401]);
    assert.equal(other.requests.length, 2, 'a minute has not passed');
    now += 61;
    const [key] = other.published.keys;
    other.published.keys.push({ ...key, kid: 'new' });
    assert.deepEqual([await ask({ kid: 'new' }), await ask({ kid: 'newer' }), await ask()], [200, 401, 200]);
    assert.equal(other.requests.length, 4);
    now += 601;
    assert.equal(await ask(), 200);
    assert.equal(other.requests.length, 6);
  });

  const unusable: [name: string, metadata: Record<string, unknown>][] = [
    ['names another issuer', { issuer: 'https://other.example' }],
    ['has no keys', { jwks_uri: undefined }],
    ['has keys that cannot be reached', { jwks_uri: 'https://down.example/jwks' }],
  ];
  for (const [name, metadata] of unusable) {
    it(`refuses when the issuer's metadata ${name}, without a 5xx`, async () => {
      const other = await createOutsideIssuer('https://broken.example');
      Object.assign(other.published.metadata, metadata);
      await using fresh = await startService({}, { fetch: other.fetch as never });
      await fresh.addClient({
        clientId: 'ci',
        metadata: {
          grant_types: ['client_credentials'],
          trusted_issuers: [{ name: '1', issuer: other.url, subject: SUBJECT }],
        },
      });
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'ci',
        client_assertion_type: assertionType,
        client_assertion: await other.sign({ sub: SUBJECT, aud: fresh.issuer }),
      });
      assert.equal((await fetch(`${fresh.origin}/token`, { method: 'POST', body })).status, 401);
      assert.ok(fresh.log.some((line) => line.includes('the keys of its issuer could not be had')));
    });
  }
});
