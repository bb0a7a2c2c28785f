// Stories of clients that ask the token endpoint for grants they are not registered for (RFC 6749 §5.2).
import assert from 'node:assert/strict';
import { type Service, startService } from '../support/service.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

describe('Grant types', () => {
  let service: Service;
  const authorization: Record<string, string> = {};

  before(async () => {
    service = await startService({ OIDC_FEATURES: 'token-exchange' });
    for (const [clientId, metadata] of Object.entries({
      worker: { grant_types: ['client_credentials'] },
      web: { grant_types: ['authorization_code'], redirect_uris: ['https://web.example/callback'] },
    })) {
      const { secret } = await service.addClient({ clientId, metadata, audiences: { 'logging-service': null } });
      authorization[clientId] = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
    }
  });
  after(() => service[Symbol.asyncDispose]());

  async function ask(clientId: string, form: Record<string, string>) {
    const answer = await fetch(`${service.origin}/token`, {
      method: 'POST',
      headers: { authorization: String(authorization[clientId]) },
      body: new URLSearchParams(form),
    });
    const body = (await answer.json()) as Record<string, unknown>;
    return { status: answer.status, cacheControl: answer.headers.get('cache-control'), error: body['error'] };
  }

  const cases: [clientId: string, grantType: string, parameters: Record<string, string>][] = [
    ['worker', 'authorization_code', { code: 'x', redirect_uri: 'https://web.example/callback' }],
    ['worker', 'refresh_token', { refresh_token: 'x' }],
    ['web', 'refresh_token', { refresh_token: 'x' }],
    ['web', 'client_credentials', { audience: 'logging-service' }],
    ['web', EXCHANGE, { subject_token: 'x', subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' }],
  ];
  for (const [clientId, grantType, parameters] of cases) {
    it(`refuses ${grantType} to a client that is registered as ${clientId}`, async () => {
      assert.deepEqual(await ask(clientId, { grant_type: grantType, ...parameters }), {
        status: 400,
        cacheControl: 'no-store',
        error: 'unauthorized_client',
      });
    });
  }

  it('refuses every client a grant that nobody has', async () => {
    for (const grantType of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:saml2-bearer']) {
      assert.equal((await ask('web', { grant_type: grantType })).error, 'unsupported_grant_type', grantType);
    }
  });

  it('tells who does not authenticate nothing about grants', async () => {
    authorization['stranger'] = `Basic ${Buffer.from('web:wrong').toString('base64')}`;
    const { status, error } = await ask('stranger', { grant_type: 'client_credentials' });
    assert.deepEqual({ status, error }, { status: 401, error: 'invalid_client' });
  });

  it('records the refusal', () => {
    const refusals = service.log.map((line) => JSON.parse(line)).filter(({ event }) => event === 'tokenRefused');
    assert.ok(refusals.some(({ error, clientId }) => error === 'unauthorized_client' && clientId === 'worker'));
  });
});
