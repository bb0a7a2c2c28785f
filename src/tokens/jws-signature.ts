// Signatures of compact JWS by keys of ours (RFC 7515 §5, RFC 7518 §3, RFC 8037 §3.1), at the least cost.
import { constants, createHmac, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto';
import { promisify } from 'node:util';
import type { AccessTokenAlg } from '../store.ts';
import { ecdsaToDer, ecdsaToJws } from './ecdsa-signature.ts';

const signInBackground = promisify(sign);

/** What RSA has to be told beside the digest. */
const paddings = {
  RS256: { padding: constants.RSA_PKCS1_PADDING },
  PS256: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
};

/**
 * The JWS of a payload. Signing by an elliptic curve or a secret takes less than handing it to another thread, as Web
 * Crypto does; only RSA, which takes ten times as long, goes there.
 * @param header without `alg`
 */
export async function signCompactJws(
  payload: string,
  { alg, key, header }: { alg: AccessTokenAlg; key: KeyObject; header: object },
): Promise<string> {
  const input = `${encode(JSON.stringify({ alg, ...header }))}.${encode(payload)}`;
  return `${input}.${(await signatureOf(Buffer.from(input), alg, key)).toString('base64url')}`;
}

function signatureOf(input: Buffer, alg: AccessTokenAlg, key: KeyObject): Buffer | Promise<Buffer> {
  switch (alg) {
    case 'HS256':
      return hmac(input, key);
    case 'ES256':
      return ecdsaToJws(sign('sha256', input, key));
    case 'EdDSA':
      return sign(null, input, key);
    default:
      return signInBackground('sha256', input, { key, ...paddings[alg] });
  }
}

/**
 * Whether the key made the signature of these three parts, by this algorithm and no other: the caller says which one
 * belongs to the key, never the token (RFC 8725 §3.1). The spelling of the parts is checked before.
 */
export function hasSignature(token: string, alg: AccessTokenAlg, key: KeyObject): boolean {
  const at = token.lastIndexOf('.');
  const input = Buffer.from(token.slice(0, at));
  const signature = Buffer.from(token.slice(at + 1), 'base64url');
  switch (alg) {
    case 'HS256': {
      const expected = hmac(input, key);
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    }
    case 'ES256': {
      const der = ecdsaToDer(signature);
      return der !== undefined && verify('sha256', input, key, der);
    }
    case 'EdDSA':
      return verify(null, input, key, signature);
    default:
      return verify('sha256', input, { key, ...paddings[alg] }, signature);
  }
}

function hmac(input: Buffer, key: KeyObject): Buffer {
  return createHmac('sha256', key).update(input).digest();
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}
