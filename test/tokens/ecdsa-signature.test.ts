// The two spellings of ES256 signatures, held against those of Node itself.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, it } from 'mocha';
import { ecdsaToDer, ecdsaToJws } from '../../src/tokens/ecdsa-signature.ts';

/** r and s of a number of bytes each, as 64 bytes in all. */
const numbers: readonly [name: string, r: string, s: string][] = [
  ['two long numbers', '7f'.repeat(32), '01'.repeat(32)],
  ['numbers that would be negative', 'ff'.repeat(32), '80'.padEnd(64, '0')],
  ['short numbers', '00'.repeat(3) + '7f'.repeat(29), `${'00'.repeat(31)}01`],
  ['short numbers that would be negative', '00'.repeat(2) + '80'.repeat(30), `${'00'.repeat(31)}ff`],
];

describe('ES256 signatures', () => {
  for (const [name, r, s] of numbers) {
    it(`are spelled in both ways: ${name}`, () => {
      const signature = Buffer.from(r + s, 'hex');
      const der = ecdsaToDer(signature);
      assert.ok(der);
      assert.equal(der.readUInt8(1), der.length - 2);
      assert.deepEqual(ecdsaToJws(der), signature);
    });
  }

  it('that Node made in one spelling verify there in the other (RFC 7518 §3.4)', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const asJws = { dsaEncoding: 'ieee-p1363' } as const;
    // enough that r or s is short, or begins with a set bit, in some of them
    for (let count = 0; count < 600; count += 1) {
      const data = Buffer.from(String(count));
      const jws = ecdsaToJws(sign('sha256', data, privateKey));
      assert.equal(verify('sha256', data, { key: publicKey, ...asJws }, jws), true, jws.toString('hex'));
      const der = ecdsaToDer(sign('sha256', data, { key: privateKey, ...asJws }));
      assert.ok(der && verify('sha256', data, publicKey, der), der?.toString('hex'));
    }
  });

  it('of another length are none', () => {
    for (const length of [0, 1, 63, 65, 72]) assert.equal(ecdsaToDer(Buffer.alloc(length, 1)), undefined);
  });
});
