// The signing keys of this installation, imported once: which key signs, which key verifies, what is published.
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import type { SigningKey } from '../store.ts';
import { type SigningAlg, signingAlgs } from './key-generation.ts';
import { keyState, publishedKeys } from './schedule.ts';

/** A key in use: private where it signs, public where it verifies. It serves its own `alg` only (RFC 8725 §3.1). */
export interface KeyInUse {
  readonly kid: string;
  readonly alg: SigningAlg;
  readonly key: KeyObject;
}

/** The keys in use; `createKeyring` makes an immutable view of one moment, `openLiveKeyring` one that follows the time. */
export interface Keyring {
  /** The keys that sign come first: who takes the first of an algorithm signs with the same key as we do. */
  readonly privateJwks: { readonly keys: JWK[] };
  /** What `/jwks` may show: public members only, in the same order (RFC 7517 §5). */
  readonly publicJwks: { readonly keys: JWK[] };
  /** The key of that algorithm whose turn it is. @throws Error when there is none */
  signingKey(alg: SigningAlg): KeyInUse;
  verificationKey(kid: string): KeyInUse | undefined;
}

/**
 * A keyring over keys as the store lists them, as it is at a moment in epoch seconds.
 * @throws Error when a key's record and its JWK disagree, or a key is of a kind that this program does not know
 */
export async function createKeyring(signingKeys: readonly SigningKey[], now: number): Promise<Keyring> {
  const privateKeys: JWK[] = [];
  const publicKeys: JWK[] = [];
  const signing = new Map<SigningAlg, KeyInUse>();
  const verifying = new Map<string, KeyInUse>();

  for (const signingKey of publishedKeys(signingKeys, now)) {
    const { kid, alg: algName, jwk } = signingKey;
    const alg = signingAlgs.find((known) => known === algName);
    const privateJwk: JWK = JSON.parse(jwk);
    if (alg === undefined || privateJwk.alg !== alg || privateJwk.kid !== kid) {
      throw new Error(`the stored signing key ${kid} (${algName}) is damaged or made by another version`);
    }
    const publicJwk = publicPart(privateJwk);
    privateKeys.push(Object.freeze(privateJwk));
    publicKeys.push(Object.freeze(publicJwk));
    verifying.set(kid, { kid, alg, key: importKey(publicJwk, 'public') });
    const signs = keyState(signingKey, now) === 'signing' && !signing.has(alg);
    if (signs) signing.set(alg, { kid, alg, key: importKey(privateJwk, 'private') });
  }

  return {
    privateJwks: { keys: privateKeys },
    publicJwks: { keys: publicKeys },
    signingKey(alg) {
      const key = signing.get(alg);
      if (key === undefined) throw new Error(`there is no ${alg} signing key`);
      return key;
    },
    verificationKey: (kid) => verifying.get(kid),
  };
}

function importKey(jwk: JWK, type: 'private' | 'public'): KeyObject {
  const input = { key: jwk as JsonWebKey, format: 'jwk' } as const;
  return type === 'private' ? createPrivateKey(input) : createPublicKey(input);
}

/** Names what may leave instead of what may not: a member nobody thought of stays inside. */
function publicPart(jwk: JWK): JWK {
  const published = ['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use'];
  return Object.fromEntries(Object.entries(jwk).filter(([member]) => published.includes(member)));
}
