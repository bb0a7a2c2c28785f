// Verification of genuine tokens: every key that counts as ours.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { signingAlgs } from '../../src/keys/key-generation.ts';
import {
  createKeySet,
  forge,
  goodClaims,
  hmacSigner,
  now,
  sharedSecret,
  sharedSecretIssuer,
  verifierWith,
} from './forgery.ts';
import { assertUnverifiable } from './refusal-table.ts';

const { keyring, header: headerOf, signer } = await createKeySet();
const verify = verifierWith({ keyring });

const hs256Claims = goodClaims({ iss: sharedSecretIssuer });

describe('verification of genuine tokens', () => {
  for (const alg of signingAlgs) {
    it(`accepts ${alg} by our key`, async () => {
      const token = forge(headerOf(alg), goodClaims(), signer(alg));
      assert.deepEqual(await verify(token), { valid: true, claims: goodClaims() });
    });
  }

  it('accepts HS256 by the shared secret', async () => {
    const token = forge({ alg: 'HS256', typ: 'at+jwt' }, hs256Claims, hmacSigner(sharedSecret));
    assert.deepEqual(await verify(token), { valid: true, claims: hs256Claims });
  });

  it('accepts what PyJWT makes of the same secret: typ JWT, few claims, spaces in the JSON', async () => {
    const payload = `{"iss": "${sharedSecretIssuer}", "sub": "careergpt-backend", "aud": "logging-service", "iat": ${now}, "exp": ${now + 900}}`;
    const token = forge('{"alg": "HS256", "typ": "JWT"}', payload, hmacSigner(Buffer.from(sharedSecret, 'utf8')));
    assert.deepEqual(await verify(token), { valid: true, claims: JSON.parse(payload) });
  });

  it('accepts every listed shared secret, and the former no more once it is off the list (security.md R61)', async () => {
    const former = 'former shared secret of 32 bytes or more';
    const signedBefore = forge({ alg: 'HS256' }, hs256Claims, hmacSigner(former));
    const overlapping = verifierWith({ keyring, sharedSecrets: [sharedSecret, former] });
    assert.equal((await overlapping(signedBefore)).valid, true);
    assert.equal((await overlapping(forge({ alg: 'HS256' }, hs256Claims, hmacSigner(sharedSecret)))).valid, true);
    assertUnverifiable(await verify(signedBefore));
  });

  it('ignores a kid beside HS256 that names no key of ours', async () => {
    const token = forge({ alg: 'HS256', kid: 'k1' }, hs256Claims, hmacSigner(sharedSecret));
    assert.equal((await verify(token)).valid, true);
  });
});
