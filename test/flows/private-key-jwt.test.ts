// Stories of clients that authenticate by a signed assertion (RFC 7523, OpenID Connect Core §9).
import assert from 'node:assert/strict';
import type { webcrypto } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import * as client from 'openid-client';
import { addRelyingParty, logIn, type RelyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

describe('Client authentication by private_key_jwt', () => {
  let service: Service;
  let party: RelyingParty;
  let key: webcrypto.CryptoKey;
  let stranger: webcrypto.CryptoKey;
  let jwk: JWK;
  before(async () => {
    service = await startService();
    const pair = await generateKeyPair('RS256', { extractable: true });
    key = pair.privateKey;
    stranger = (await generateKeyPair('RS256')).privateKey;
    jwk = { ...(await exportJWK(pair.publicKey)), kid: 'first', use: 'sig', alg: 'RS256' };
    party = await addRelyingParty(
      service,
      {
        grant_types: ['authorization_code', 'client_credentials'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [jwk] },
      },
      {},
      client.PrivateKeyJwt({ key, kid: 'first' }),
    );
  });

  after(() => service[Symbol.asyncDispose]());

  async function present(claims: Record<string, unknown> = {}, { signer = key, alg = 'RS256' } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const assertion = await new SignJWT({
      iss: party.clientId,
      sub: party.clientId,
      aud: service.issuer,
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 60,
      ...claims,
    })
      .setProtectedHeader({ alg, kid: 'first' })
      .sign(signer);
    return { assertion, answer: await send(assertion) };
  }

  function send(assertion: string): Promise<Response> {
    const parameters = { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
    const body = new URLSearchParams({ grant_type: 'client_credentials', ...parameters });
    return fetch(`${service.origin}/token`, { method: 'POST', body });
  }

  it('signs in with openid-client (RFC 7523 §2.2)', async () => {
    assert.equal(party.secret, '');
    assert.ok((await logIn(party)).tokens.id_token);
  });

  it('takes the issuer or the token endpoint as the audience (RFC 7523 §3)', async () => {
    for (const aud of [service.issuer, `${service.issuer}/token`]) {
      assert.equal((await present({ aud })).answer.status, 200, aud);
    }
  });

  it('refuses an assertion that was used before (RFC 7523 §3)', async () => {
    const { assertion, answer } = await present();
    assert.equal(answer.status, 200);
    assert.equal((await send(assertion)).status, 401);
  });

  const past = Math.floor(Date.now() / 1000) - 120;
  const forged: [name: string, claims: Record<string, unknown>][] = [
    ['one signed by another key', {}],
    ['one for another audience', { aud: 'https://other.example' }],
    ['one of an unknown client', { iss: 'nobody', sub: 'nobody' }],
    ['one whose issuer is another client', { iss: 'nobody' }],
    ['one without jti', { jti: undefined }],
    ['one without exp', { exp: undefined }],
    ['one that has expired', { iat: past - 60, exp: past }],
    ['one from the future', { nbf: past + 600, iat: past + 600 }],
  ];
  for (const [name, claims] of forged) {
    it(`refuses ${name}`, async () => {
      const { answer } = await present(claims, name.includes('another key') ? { signer: stranger } : {});
      assert.equal(answer.status, 401);
      assert.equal(((await answer.json()) as { error: string }).error, 'invalid_client');
    });
  }

  it('takes keys from jwks_uri, follows no redirect, and asks once a minute at most (security.md R66)', async () => {
    const answers: Record<string, () => Response> = {
      'https://keys.example/good': () => Response.json({ keys: [jwk] }),
      'https://keys.example/moved': () => Response.redirect('https://keys.example/good'),
    };
    const asked: string[] = [];
    await using other = await startService(
      {},
      {
        fetch: async (url, init) => {
          asked.push(`${init?.redirect} ${url}`);
          return answers[String(url)]?.() ?? Response.error();
        },
      },
    );
    const statusFor = async (clientId: string) => {
      const assertion = await new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'RS256', kid: 'first' })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(other.issuer)
        .setExpirationTime('1m')
        .sign(key);
      const parameters = { client_assertion_type: ASSERTION_TYPE, client_assertion: assertion };
      const body = new URLSearchParams({ grant_type: 'client_credentials', ...parameters });
      return (await fetch(`${other.origin}/token`, { method: 'POST', body })).status;
    };
    for (const name of ['good', 'moved']) {
      await other.addClient({
        clientId: name,
        metadata: {
          grant_types: ['client_credentials'],
          token_endpoint_auth_method: 'private_key_jwt',
          jwks_uri: `https://keys.example/${name}`,
        },
      });
    }
    assert.deepEqual([await statusFor('good'), await statusFor('good')], [200, 200]);
    assert.equal(await statusFor('moved'), 401);
    assert.deepEqual(asked, ['manual https://keys.example/good', 'manual https://keys.example/moved']);
  });
});
