// Behaviour of the signing keys: first boot, reload, publication, choice of the key that signs.
import assert from 'node:assert/strict';
import { CompactSign, calculateJwkThumbprint, compactVerify, decodeProtectedHeader } from 'jose';
import { describe, it } from 'mocha';
import { generateSigningKey, signingAlgs } from '../../src/keys/key-generation.ts';
import { createKeyring } from '../../src/keys/keyring.ts';
import { createSecretBox, UnsealFailed } from '../../src/keys/secret-box.ts';
import { openKeyring } from '../../src/keys/signing-keys.ts';
import type { SigningKey } from '../../src/store.ts';
import { createMemoryKeys } from './memory-keys.ts';

const now = 1_800_000_000;
const clock = () => now;
const box = createSecretBox(['an encryption key of 32 bytes and more']);
const kidsOf = (jwks: { keys: { kid?: string }[] }) => jwks.keys.map(({ kid }) => kid);

describe('signing keys', () => {
  it('are made at first boot: one RS256, PS256, ES256 and EdDSA key', async () => {
    const { publicJwks } = await openKeyring({ keys: createMemoryKeys(box), clock });
    const shapes = publicJwks.keys.map(({ alg, kty, crv, use }) => `${alg} ${kty} ${crv ?? ''} ${use}`);
    assert.deepEqual(shapes.toSorted(), [
      'ES256 EC P-256 sig',
      'EdDSA OKP Ed25519 sig',
      'PS256 RSA  sig',
      'RS256 RSA  sig',
    ]);
    for (const { n } of publicJwks.keys.filter(({ kty }) => kty === 'RSA')) {
      assert.equal(Buffer.from(n ?? '', 'base64url').length * 8, 2048);
    }
  });

  it('are kept: the second boot has the same', async () => {
    const keys = createMemoryKeys(box);
    const first = await openKeyring({ keys, clock });
    const second = await openKeyring({ keys, clock });
    assert.deepEqual(second.privateJwks, first.privateJwks);
  });

  it('are one set when two processes boot at once on an empty store', async () => {
    const rows: SigningKey[] = [];
    const open = () => openKeyring({ keys: createMemoryKeys(box, rows), clock });
    const [first, second] = await Promise.all([open(), open()]);
    assert.deepEqual(second.privateJwks, first.privateJwks);
    assert.equal(rows.length, signingAlgs.length);
  });

  it('are completed when the store lacks an algorithm, the others staying', async () => {
    const rows: SigningKey[] = [];
    const keys = createMemoryKeys(box, rows);
    const kept = await generateSigningKey('ES256', now - 10);
    await keys.insertMissing([kept]);
    const keyring = await openKeyring({ keys, clock });
    assert.equal(keyring.signingKey('ES256').kid, kept.kid);
    assert.equal(keyring.publicJwks.keys.length, signingAlgs.length);
  });

  it('stay as they are, and the boot fails naming ENCRYPTION_KEY, when they do not unseal', async () => {
    const rows: SigningKey[] = [];
    await openKeyring({ keys: createMemoryKeys(box, rows), clock });
    const before = structuredClone(rows);
    const otherBox = createSecretBox(['another encryption key of 32 bytes']);
    await assert.rejects(
      openKeyring({ keys: createMemoryKeys(otherBox, rows), clock }),
      (error: Error) => error instanceof UnsealFailed && error.message.includes('ENCRYPTION_KEY'),
    );
    assert.deepEqual(rows, before);
  });

  it('are named by the thumbprint of their public part, all different (RFC 7638 §3)', async () => {
    const { publicJwks } = await openKeyring({ keys: createMemoryKeys(box), clock });
    for (const jwk of publicJwks.keys) assert.equal(jwk.kid, await calculateJwkThumbprint(jwk));
    assert.equal(new Set(kidsOf(publicJwks)).size, signingAlgs.length);
  });

  it('are published without a private member (RFC 7517 §9.2)', async () => {
    const { publicJwks, privateJwks } = await openKeyring({ keys: createMemoryKeys(box), clock });
    for (const jwk of privateJwks.keys) assert.equal(typeof jwk.d, 'string');
    const members = new Set(publicJwks.keys.flatMap((jwk) => Object.keys(jwk)));
    assert.deepEqual([...members].toSorted(), ['alg', 'crv', 'e', 'kid', 'kty', 'n', 'use', 'x', 'y']);
    assert.deepEqual(kidsOf(publicJwks), kidsOf(privateJwks));
  });
});

describe('keyring', () => {
  for (const alg of signingAlgs) {
    it(`signs with ${alg} what its verification key of that kid verifies`, async () => {
      const keyring = await createKeyring([await generateSigningKey(alg, now)], now);
      const { kid, key } = keyring.signingKey(alg);
      const jws = await new CompactSign(Buffer.from('{}')).setProtectedHeader({ alg, kid }).sign(key);
      const named = keyring.verificationKey(String(decodeProtectedHeader(jws).kid));
      assert.ok(named);
      assert.equal(named.alg, alg);
      assert.equal((await compactVerify(jws, named.key)).protectedHeader.alg, alg);
    });
  }

  it('signs with the newest key of an algorithm, lists it first and verifies with both', async () => {
    const older = await generateSigningKey('ES256', now - 1);
    const newer = await generateSigningKey('ES256', now);
    const keyring = await createKeyring([older, newer], now);
    assert.equal(keyring.signingKey('ES256').kid, newer.kid);
    assert.deepEqual(kidsOf(keyring.privateJwks), [newer.kid, older.kid]);
    assert.equal(keyring.verificationKey(older.kid)?.kid, older.kid);
    assert.equal(keyring.verificationKey(newer.kid)?.kid, newer.kid);
  });

  it('knows no key by any other name', async () => {
    const keyring = await createKeyring([await generateSigningKey('EdDSA', now)], now);
    for (const kid of ['', '__proto__', 'constructor', 'toString', '../../etc/passwd']) {
      assert.equal(keyring.verificationKey(kid), undefined);
    }
  });

  it('throws for an algorithm of which it has no key', async () => {
    const keyring = await createKeyring([], now);
    assert.throws(() => keyring.signingKey('RS256'), /RS256/);
  });

  const damaged: [string, (key: SigningKey) => SigningKey][] = [
    ['whose kid is not that of its JWK', (key) => ({ ...key, kid: 'other' })],
    ['whose alg is not that of its JWK', (key) => ({ ...key, alg: 'EdDSA' })],
    ['of an algorithm that it does not know', (key) => replaceMember({ ...key, alg: 'ES384' }, 'alg', 'ES384')],
    ['that is symmetric', (key) => ({ ...key, jwk: `{"kty":"oct","k":"AAAA","kid":"${key.kid}","alg":"ES256"}` })],
    ['without its private part', (key) => replaceMember(key, 'd', undefined)],
    ['that is not JSON', (key) => ({ ...key, jwk: key.jwk.slice(1) })],
  ];
  for (const [name, damage] of damaged) {
    it(`refuses a stored key ${name}`, async () => {
      const key = await generateSigningKey('ES256', now);
      await assert.rejects(createKeyring([damage(key)], now));
    });
  }
});

function replaceMember(key: SigningKey, member: string, value: unknown): SigningKey {
  return { ...key, jwk: JSON.stringify({ ...JSON.parse(key.jwk), [member]: value }) };
}
