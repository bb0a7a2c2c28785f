// Makes tokens of any shape with nothing but node:crypto, so that no library stands between a test and its forgery.
import { constants, createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { generateSigningKey, type SigningAlg, signingAlgs } from '../../src/keys/key-generation.ts';
import { createKeyring } from '../../src/keys/keyring.ts';
import type { ResourceServer } from '../../src/store.ts';
import { createVerifier, type Verification, type VerifierOptions } from '../../src/tokens/verification.ts';

/** The moment at which every test of this folder happens, in epoch seconds. */
export const now = 1_800_000_000;
export const issuer = 'https://id.example.com/sso';
export const sharedSecretIssuer = 'identity-backend';
export const sharedSecret = 'shared secret of 32 bytes or more: ä';

/** Signs the bytes before the last dot. */
export type Signer = (signingInput: string) => Buffer;

const encode = (value: unknown): string =>
  Buffer.from(value instanceof Uint8Array || typeof value === 'string' ? value : JSON.stringify(value)).toString(
    'base64url',
  );

/** A compact JWS over a header and a payload that are objects, JSON as text, or bytes. */
export function forge(header: unknown, payload: unknown, signer: Signer): string {
  const signingInput = `${encode(header)}.${encode(payload)}`;
  return `${signingInput}.${signer(signingInput).toString('base64url')}`;
}

/** HMAC over any bytes as key: a secret, or an encoding of a public key. */
export function hmacSigner(key: string | Uint8Array, hash = 'sha256'): Signer {
  return (signingInput) => createHmac(hash, key).update(signingInput).digest();
}

/** What that algorithm makes of that key, whether or not the key is meant for it. */
export function keySigner(alg: string, key: KeyObject): Signer {
  const hash = alg === 'EdDSA' ? null : `sha${alg.slice(2, 5)}`;
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const options = alg.startsWith('PS') ? pss : alg.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {};
  return (signingInput) => sign(hash, Buffer.from(signingInput), { key, ...options });
}

/** One key of each algorithm in use, as a thief who had broken in would hold them. */
export async function createKeySet() {
  const keyring = await createKeyring(await Promise.all(signingAlgs.map((alg) => generateSigningKey(alg, now))), now);
  const kid = (alg: SigningAlg) => keyring.signingKey(alg).kid;
  const privateKey = (alg: SigningAlg) => {
    const key = keyring.privateJwks.keys.find((jwk) => jwk.alg === alg);
    if (key === undefined) throw new Error(`no ${alg} key`);
    return createPrivateKey({ key: { ...key }, format: 'jwk' });
  };
  return {
    keyring,
    kid,
    privateKey,
    publicKey: (alg: SigningAlg) => createPublicKey(privateKey(alg)),
    /** the header that we would write */
    header: (alg: SigningAlg) => ({ alg, typ: 'at+jwt', kid: kid(alg) }),
    signer: (alg: SigningAlg) => keySigner(alg, privateKey(alg)),
  };
}

/** Claims that are good for `logging-service` in every respect. */
export function goodClaims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: issuer,
    sub: 'careergpt-backend',
    aud: 'logging-service',
    client_id: 'careergpt-backend',
    jti: '5f0d9a1e',
    iat: now - 5,
    nbf: now - 5,
    exp: now + 900,
    ...changes,
  };
}

const resourceServers: readonly ResourceServer[] = [
  { audience: 'logging-service', scope: 'logs:write logs:read', alg: 'HS256', createdAt: 0 },
  { audience: 'modern-service', scope: '', alg: 'ES256', createdAt: 0 },
];

/** A verifier at `now`, knowing `logging-service` (HS256) and `modern-service` (ES256). */
export function verifierWith(
  options: Pick<VerifierOptions, 'keyring'> & Partial<VerifierOptions>,
): (token: string, audience?: string) => Promise<Verification> {
  const verifier = createVerifier({
    sharedSecrets: [sharedSecret],
    issuer,
    sharedSecretIssuer,
    clockSkew: 15,
    clock: () => now,
    isRevoked: async () => false,
    findResourceServer: async (audience) => resourceServers.find((each) => each.audience === audience),
    ...options,
  });
  return (token, audience = 'logging-service') => verifier.verify(token, audience);
}
