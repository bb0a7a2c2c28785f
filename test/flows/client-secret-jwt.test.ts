// Stories of clients that sign an assertion with their secret (OpenID Connect Core §9, RFC 7523).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import * as client from 'openid-client';
import { createClientRegistry } from '../../src/clients/registration.ts';
import { assertionType } from '../../src/provider/client-assertions.ts';
import { addRelyingParty, logIn, type RelyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

describe('Client authentication by client_secret_jwt', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
  });
  beforeEach(async () => {
    party = await addRelyingParty(
      service,
      {
        grant_types: ['authorization_code', 'client_credentials'],
        token_endpoint_auth_method: 'client_secret_jwt',
      },
      { 'logging-service': null },
      client.ClientSecretJwt(),
    );
  });
  after(() => service[Symbol.asyncDispose]());

  function sign(claims: Record<string, unknown> = {}, secret = party.secret): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({
      iss: party.clientId,
      sub: party.clientId,
      aud: service.issuer,
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(secret));
  }

  function send(assertion: string, parameters: Record<string, string> = {}, path = '/token'): Promise<Response> {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: assertionType,
      client_assertion: assertion,
      token: 'x',
      ...parameters,
    });
    return fetch(service.origin + path, { method: 'POST', body });
  }

  it('signs in with openid-client', async () => {
    const config = await client.discovery(
      new URL(service.issuer),
      party.clientId,
      party.secret,
      client.ClientSecretJwt(party.secret),
      { execute: [client.allowInsecureRequests] },
    );
    assert.ok((await logIn({ ...party, config })).tokens.id_token);
  });

  it('works at every endpoint that authenticates clients', async () => {
    for (const path of ['/introspect', '/revoke']) {
      assert.equal((await send(await sign({ aud: service.issuer + path }), {}, path)).status, 200, path);
    }
  });

  it('takes each live secret beside the other, and none that was removed (security.md R61)', async () => {
    const clients = createClientRegistry({ clients: service.store.clients, builtIn: [], clock: () => 0 });
    const next = String(await clients.addSecret(party.clientId, { name: 'next' }));
    for (const secret of [party.secret, next]) assert.equal((await send(await sign({}, secret))).status, 200);
    await clients.removeSecret(party.clientId, 'first');
    assert.equal((await send(await sign())).status, 401);
    assert.equal((await send(await sign({}, next))).status, 200);
  });

  it('keeps the secret sealed (security.md R55)', async () => {
    const [kept] = (await service.store.clients.find(party.clientId))?.secrets ?? [];
    assert.equal(kept?.value, party.secret);
    const { database } = service.config;
    assert.ok(database.engine === 'sqlite');
    for (const file of [database.path, `${database.path}-wal`]) {
      assert.equal(readFileSync(file).includes(party.secret), false, file);
    }
  });

  it('refuses an assertion that was used before, also over another process on the store (RFC 7523 §3)', async () => {
    const assertion = await sign();
    const { database } = service.config;
    await using other = await startService({
      PUBLIC_URL: service.issuer,
      DATABASE_URL: database.engine === 'sqlite' ? `sqlite:${database.path}` : database.url,
      ENCRYPTION_KEY: service.config.encryptionKeys[0],
    });
    assert.equal((await send(assertion)).status, 200);
    assert.equal((await send(assertion)).status, 401);
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: assertionType,
      client_assertion: assertion,
    });
    assert.equal((await fetch(`${other.origin}/token`, { method: 'POST', body })).status, 401);
  });

  it('takes one of many uses at once, and calls none of the others the replay of a code', async () => {
    const assertion = await sign();
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(assertion)));
    const statuses = answers.map(({ status }) => status).sort();
    assert.equal(statuses.filter((status) => status === 200).length, 1, String(statuses));
    assert.ok(
      statuses.every((status) => [200, 400, 401].includes(status)),
      String(statuses),
    );
    assert.ok(!service.log.some((line) => line.includes('codeReplayed')));
  });

  const past = Math.floor(Date.now() / 1000) - 120;
  const refused: [name: string, claims: Record<string, unknown>][] = [
    ['one for another audience', { aud: 'https://other.example' }],
    ['one of another client', { sub: 'nobody' }],
    ['one without jti', { jti: undefined }],
    ['one without exp', { exp: undefined }],
    ['one that has expired', { iat: past - 60, exp: past }],
    ['one from the future', { nbf: past + 600 }],
    ['one that lives for a day', { exp: past + 86_400 }],
    ['one with a jti that is a number', { jti: 5 }],
  ];
  for (const [name, claims] of refused) {
    it(`refuses ${name} as it refuses a wrong secret`, async () => {
      const [answer, wrong] = [await send(await sign(claims)), await send(await sign({}, 'x'.repeat(43)))];
      assert.equal(answer.status, 401);
      assert.equal(await answer.text(), await wrong.text());
    });
  }

  it('refuses the secret itself, in the header and in the body', async () => {
    const parameters = { grant_type: 'client_credentials', client_id: party.clientId, client_secret: party.secret };
    const inBody = await fetch(`${service.origin}/token`, { method: 'POST', body: new URLSearchParams(parameters) });
    assert.equal(inBody.status, 401);
    const authorization = `Basic ${Buffer.from(`${party.clientId}:${party.secret}`).toString('base64')}`;
    const inHeader = await fetch(`${service.origin}/token`, {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    assert.equal(inHeader.status, 401);
    const json = JSON.stringify({ sub: party.clientId, aud: 'logging-service', client_secret: party.secret });
    const headers = { 'content-type': 'application/json' };
    assert.equal((await fetch(`${service.origin}/token`, { method: 'POST', headers, body: json })).status, 401);
  });

  it('refuses an assertion by secret of a client that is registered otherwise', async () => {
    const other = await addRelyingParty(service, { grant_types: ['client_credentials'], redirect_uris: [] });
    const { clientId: id, secret } = other;
    assert.equal((await send(await sign({ iss: id, sub: id }, secret))).status, 401);
  });
});
