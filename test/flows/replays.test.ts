// Stories of what may be presented only once: client assertions and DPoP proofs, many times at once and one by one.
import assert from 'node:assert/strict';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { assertionType } from '../../src/provider/client-assertions.ts';
import { type Answer, createConnections, type Request, send, sendTogether } from '../faults/support/requests.ts';
import { type Service, startService } from '../support/service.ts';

/** More than the failures of one client in a minute that are answered with 401. */
const TIMES = 25;

describe('Replays', () => {
  let service: Service;
  let sign: Record<string, (claims: JWTPayload) => Promise<string>>;
  let prove: () => Promise<string>;

  before(async () => {
    service = await startService();
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const kid = await calculateJwkThumbprint(jwk);
    const grantTypes = { grant_types: ['client_credentials'] };
    await service.addClient({
      clientId: 'private_key_jwt',
      metadata: {
        ...grantTypes,
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...jwk, kid, use: 'sig', alg: 'ES256' }] },
      },
      audiences: { 'logging-service': null },
    });
    const { secret } = await service.addClient({
      clientId: 'client_secret_jwt',
      metadata: { ...grantTypes, token_endpoint_auth_method: 'client_secret_jwt' },
      audiences: { 'logging-service': null },
    });
    sign = {
      private_key_jwt: (claims) =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'ES256', kid })
          .setIssuedAt()
          .setExpirationTime('1m')
          .sign(privateKey),
      client_secret_jwt: (claims) =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuedAt()
          .setExpirationTime('1m')
          .sign(Buffer.from(secret)),
    };
    prove = () =>
      new SignJWT({ htm: 'POST', htu: `${service.issuer}/token`, jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(privateKey);
  });
  after(() => service[Symbol.asyncDispose]());

  const toToken = () => `${service.origin}/token`;

  async function newAssertion(clientId: string): Promise<Record<string, string>> {
    const claims = { iss: clientId, sub: clientId, aud: service.issuer, jti: crypto.randomUUID() };
    return { client_assertion_type: assertionType, client_assertion: String(await sign[clientId]?.(claims)) };
  }

  async function newRequest(clientId: string): Promise<Request> {
    return {
      form: { grant_type: 'client_credentials', audience: 'logging-service', ...(await newAssertion(clientId)) },
    };
  }

  async function sendAtOnce(requests: readonly Request[]): Promise<Answer[]> {
    const connections = createConnections();
    try {
      return await sendTogether(
        requests.map((request) => [toToken(), request]),
        connections,
      );
    } finally {
      connections.destroy();
    }
  }

  /** How often each answer was given. */
  function tally(answers: readonly Answer[]): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { status, body } of answers) {
      const name = `${status} ${body['error'] ?? body['token_type']}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  async function eventsSince(at: number): Promise<string[]> {
    await service.app.end();
    const events = await service.store.auditEvents.list({ since: at, limit: 1_000 });
    return events.map(({ event, clientId, facts }) => `${event} ${clientId} ${facts['error'] ?? ''}`.trim());
  }

  for (const clientId of ['private_key_jwt', 'client_secret_jwt']) {
    it(`takes an assertion of ${clientId} once, however many present it at once (RFC 7523 §3)`, async () => {
      const request = await newRequest(clientId);
      const answers = await sendAtOnce(Array.from({ length: TIMES }, () => request));
      assert.deepEqual(tally(answers), { '200 Bearer': 1, '401 invalid_client': TIMES - 1 });
      for (const { status, headers, text } of answers) {
        if (status === 200) continue;
        assert.equal(headers['cache-control'], 'no-store');
        assert.doesNotMatch(text, /access_token/);
      }
    });

    it(`tells nobody to wait who sends an assertion of ${clientId} again and again (security.md R54)`, async () => {
      const request = await newRequest(clientId);
      assert.equal((await send(toToken(), request)).status, 200);
      for (let time = 1; time < TIMES; time += 1) {
        const { status, body } = await send(toToken(), request);
        assert.deepEqual([status, body['error']], [401, 'invalid_client']);
      }
      assert.equal((await send(toToken(), await newRequest(clientId))).status, 200);
    });
  }

  it('takes a DPoP proof once, however many present it at once (RFC 9449 §11.1, §5)', async () => {
    const dpop = await prove();
    const requests = await Promise.all(
      Array.from({ length: TIMES }, async () => ({ ...(await newRequest('private_key_jwt')), headers: { dpop } })),
    );
    assert.deepEqual(tally(await sendAtOnce(requests)), { '200 DPoP': 1, '400 invalid_dpop_proof': TIMES - 1 });
  });

  it('refuses a DPoP proof that was used before as an invalid one (RFC 9449 §5)', async () => {
    const dpop = await prove();
    const again = async () => send(toToken(), { ...(await newRequest('private_key_jwt')), headers: { dpop } });
    assert.equal((await again()).status, 200);
    const { status, body } = await again();
    assert.deepEqual([status, body['error']], [400, 'invalid_dpop_proof']);
  });

  it('takes a proof and an assertion of the same jti for two things', async () => {
    const jti = crypto.randomUUID();
    const claims = { iss: 'private_key_jwt', sub: 'private_key_jwt', aud: service.issuer, jti };
    const form = {
      grant_type: 'client_credentials',
      audience: 'logging-service',
      client_assertion_type: assertionType,
      client_assertion: String(await sign['private_key_jwt']?.(claims)),
    };
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const dpop = await new SignJWT({ htm: 'POST', htu: toToken(), jti })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
      .setIssuedAt()
      .sign(privateKey);
    assert.equal((await send(toToken(), { form, headers: { dpop } })).status, 200);
  });

  it('records what was replayed as what it was, and never as a code (security.md R70)', async () => {
    const replayed = await newRequest('private_key_jwt');
    const dpop = await prove();
    const proofs = await Promise.all(
      [0, 1].map(async () => ({ ...(await newRequest('private_key_jwt')), headers: { dpop } })),
    );
    const before = (await eventsSince(0)).length;
    await sendAtOnce([replayed, replayed]);
    await sendAtOnce(proofs);
    assert.deepEqual((await eventsSince(0)).slice(before).sort(), [
      'clientAuthenticationFailed private_key_jwt invalid_client',
      'tokenIssued private_key_jwt',
      'tokenIssued private_key_jwt',
      'tokenRefused private_key_jwt invalid_dpop_proof',
    ]);
  });
});
