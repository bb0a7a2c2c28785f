// Behaviour of service tokens: what they say, who verifies them.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, it } from 'mocha';
import { signingAlgs } from '../../src/keys/key-generation.ts';
import type { AccessTokenAlg, ResourceServer } from '../../src/store.ts';
import { createServiceTokens } from '../../src/tokens/service-token.ts';
import { createKeySet, issuer, now, sharedSecret, sharedSecretIssuer, verifierWith } from './forgery.ts';

const { keyring, kid } = await createKeySet();
const serviceTokens = createServiceTokens({
  keyring,
  sharedSecret,
  issuer,
  sharedSecretIssuer,
  defaultLifetime: 900,
  clock: () => now,
});
const clientId = 'careergpt-backend';
const resourceServer = (alg: AccessTokenAlg, changes: Partial<ResourceServer> = {}): ResourceServer => ({
  audience: 'logging-service',
  scope: 'logs:write logs:read',
  alg,
  createdAt: 0,
  ...changes,
});

describe('service token', () => {
  it('has exactly the claims of an access token, one audience, times back-dated by 5 s (RFC 9068 §2.2)', async () => {
    const { token } = await serviceTokens.issue({
      clientId,
      resourceServer: resourceServer('ES256'),
      scope: 'logs:write',
    });
    const { jti, ...claims } = decodeJwt(token);
    assert.match(String(jti), /^[\w-]{20,}$/);
    assert.deepEqual(claims, {
      iss: issuer,
      sub: clientId,
      aud: 'logging-service',
      client_id: clientId,
      scope: 'logs:write',
      iat: now - 5,
      nbf: now - 5,
      exp: now + 900,
    });
  });

  for (const scope of [undefined, '']) {
    it(`has no scope claim for the scope ${JSON.stringify(scope)}`, async () => {
      const { token } = await serviceTokens.issue({ clientId, resourceServer: resourceServer('HS256'), scope });
      assert.ok(!('scope' in decodeJwt(token)));
    });
  }

  for (const alg of signingAlgs) {
    it(`is ${alg} for such a resource server, and verifies against the published keys (RFC 9068 §4)`, async () => {
      const { token } = await serviceTokens.issue({ clientId, resourceServer: resourceServer(alg) });
      assert.deepEqual(decodeProtectedHeader(token), { alg, typ: 'at+jwt', kid: kid(alg) });
      await jwtVerify(token, createLocalJWKSet({ keys: keyring.publicJwks.keys }), {
        issuer,
        audience: 'logging-service',
        typ: 'at+jwt',
        currentDate: new Date(now * 1000),
      });
    });
  }

  it('is HS256 under the shared secret’s issuer, over the UTF-8 bytes of the secret, for a legacy one', async () => {
    const { token } = await serviceTokens.issue({ clientId, resourceServer: resourceServer('HS256') });
    const [header, payload, signature] = token.split('.');
    assert.deepEqual(decodeProtectedHeader(token), { alg: 'HS256', typ: 'at+jwt' });
    assert.equal(decodeJwt(token).iss, sharedSecretIssuer);
    const key = Buffer.from(sharedSecret, 'utf8');
    assert.equal(signature, createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url'));
  });

  it('lives as long as the resource server says, else the default', async () => {
    const defaulted = await serviceTokens.issue({ clientId, resourceServer: resourceServer('HS256') });
    assert.equal(defaulted.expiresIn, 900);
    const { token, expiresIn } = await serviceTokens.issue({
      clientId,
      resourceServer: resourceServer('HS256', { expiresIn: 60 }),
    });
    assert.equal(expiresIn, 60);
    assert.equal(decodeJwt(token).exp, now + 60);
  });

  it('never repeats a jti (RFC 7519 §4.1.7)', async () => {
    const issue = () => serviceTokens.issue({ clientId, resourceServer: resourceServer('HS256') });
    const tokens = await Promise.all(Array.from({ length: 100 }, issue));
    assert.equal(new Set(tokens.map(({ token }) => decodeJwt(token).jti)).size, 100);
  });

  for (const alg of [...signingAlgs, 'HS256'] as const) {
    it(`is accepted by our verifier with ${alg}, for a day too`, async () => {
      const verify = verifierWith({ keyring });
      for (const expiresIn of [900, 86_400]) {
        const { token } = await serviceTokens.issue({ clientId, resourceServer: resourceServer(alg, { expiresIn }) });
        assert.equal((await verify(token)).valid, true);
      }
    });
  }
});
