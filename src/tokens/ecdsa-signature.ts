// The two spellings of an ES256 signature: r and s side by side as JWS has them (RFC 7518 §3.4), and ASN.1 DER.

/** Bytes of r and of s, and of the two together. */
const HALF = 32;
const WHOLE = 2 * HALF;

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * What is slow in `node:crypto` is to be told of JWS's own form with each signature; DER is what it takes and makes
 * without being told. On P-256 every length in it fits in one byte.
 * @param der as `node:crypto` makes it
 */
export function ecdsaToJws(der: Buffer): Buffer {
  const signature = Buffer.alloc(WHOLE);
  let at = 2; // behind the tag and length of the sequence
  for (const end of [HALF, WHOLE]) {
    const length = der.readUInt8(at + 1);
    const next = at + 2 + length;
    // a leading zero keeps the number from being negative; without one it may be shorter than its half
    const digits = Math.min(length, HALF);
    der.copy(signature, end - digits, next - digits, next);
    at = next;
  }
  return signature;
}

/** Undefined when it has not the length of a signature. */
export function ecdsaToDer(signature: Buffer): Buffer | undefined {
  if (signature.length !== WHOLE) return undefined;
  const integers = [signature.subarray(0, HALF), signature.subarray(HALF)].map(toInteger);
  const length = integers.reduce((sum, integer) => sum + integer.length, 0);
  return Buffer.concat([Buffer.from([SEQUENCE, length]), ...integers]);
}

/** The shortest two's complement of a positive number (X.690 §8.3). */
function toInteger(number: Buffer): Buffer {
  let start = 0;
  while (start < number.length - 1 && number[start] === 0) start += 1;
  const digits = number.subarray(start);
  const sign = (digits[0] ?? 0) & 0x80 ? [0] : [];
  return Buffer.from([INTEGER, sign.length + digits.length, ...sign, ...digits]);
}
