// Remembers which tokens had a good signature: the same bytes by the same key stay good, and services ask again and again.
import type { KeyObject } from 'node:crypto';
import type { AccessTokenAlg } from '../store.ts';

/** Whether the key made the token's signature; whether the token is still wanted is another question. */
export type SignatureCheck = (token: string, alg: AccessTokenAlg, key: KeyObject) => boolean;

/**
 * The same check, which does the work once for each token. Only tokens that this very key signed are remembered, by
 * their whole text, so that nobody fills the memory with others or finds one respelled; a key that was read anew
 * verifies anew.
 * @param check of public keys, each of which belongs to one algorithm
 * @param limit most tokens, of up to 8 KiB each; the oldest makes room
 */
export function rememberSignatures(check: SignatureCheck, limit = 1_000): SignatureCheck {
  const signedBy = new Map<string, KeyObject>();
  return function isSignedBy(token, alg, key) {
    if (signedBy.get(token) === key) return true;
    if (!check(token, alg, key)) return false;
    if (signedBy.size >= limit) signedBy.delete(String(signedBy.keys().next().value));
    signedBy.set(token, key);
    return true;
  };
}
