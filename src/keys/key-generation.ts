// Makes new signing keys: which algorithms there are, how strong, and what a key is called.
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { AccessTokenAlg, SigningKey } from '../store.ts';

/** A signature algorithm with a key pair of ours (RFC 7518 §3.1, RFC 8037): every one but the shared secret's. */
export type SigningAlg = Exclude<AccessTokenAlg, 'HS256'>;

/** Every algorithm of which a keyring holds a key; RS256 signs ID tokens, so it is never left out. */
export const signingAlgs: readonly SigningAlg[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/**
 * A new private key as a JWK for that algorithm alone: RSA of 2048 bits, P-256 or Ed25519. An RSA key takes a tenth of
 * a second and more, off the event loop. Its `kid` is the thumbprint of its public part (RFC 7638).
 * @param createdAt epoch seconds
 * @param signsAt epoch seconds; at once, unless others are to learn of it first
 */
export async function generateSigningKey(
  alg: SigningAlg,
  createdAt: number,
  signsAt: number = createdAt,
): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, alg, jwk: JSON.stringify({ ...jwk, kid, alg, use: 'sig' }), createdAt, signsAt };
}
