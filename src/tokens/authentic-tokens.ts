// Tells tokens that a key of ours signed from all others, at once where it was found out before: services ask again and again.
import type { KeyObject } from 'node:crypto';
import type { AccessTokenAlg } from '../store.ts';
import { type CompactJws, type JwsHeader, parseCompactJws } from './compact-jws.ts';
import { hasSignature } from './jws-signature.ts';

/** A key that verifies tokens of its own algorithm only. */
export interface VerificationKey {
  readonly alg: AccessTokenAlg;
  readonly key: KeyObject;
}

export interface AuthenticTokensOptions {
  /** the keys that a token of this header may be signed with, as of now */
  keysFor(header: JwsHeader): readonly VerificationKey[];
  hasSignature?: typeof hasSignature;
  /** most tokens that are remembered, of up to 8 KiB each; the oldest makes room */
  limit?: number;
}

/**
 * Takes a token apart when one of those keys has signed it; undefined for every other. Whether the token is still wanted
 * is another question.
 *
 * The same bytes by the same key stay authentic, so what was found is remembered until its key is none of those keys any
 * more: a key that was read anew verifies anew. Only authentic tokens are remembered, by their whole text: nobody fills
 * the memory with others or finds one respelled.
 */
export function createAuthenticTokens(options: AuthenticTokensOptions): (token: string) => CompactJws | undefined {
  const { keysFor, limit = 1_000 } = options;
  const isSignedBy = options.hasSignature ?? hasSignature;
  const known = new Map<string, { jws: CompactJws; key: KeyObject }>();

  return function readAuthentic(token) {
    const last = known.get(token);
    if (last && keysFor(last.jws.header).some(({ key }) => key === last.key)) return last.jws;
    const jws = parseCompactJws(token);
    const signer = jws && keysFor(jws.header).find(({ alg, key }) => isSignedBy(token, alg, key));
    if (!jws || !signer) return undefined;
    if (known.size >= limit) known.delete(String(known.keys().next().value));
    known.set(token, { jws: freeze(jws), key: signer.key });
    return jws;
  };
}

/** What several callers are given is nobody's to change. */
function freeze(jws: CompactJws): CompactJws {
  Object.freeze(jws.header);
  Object.freeze(jws.payload);
  return Object.freeze(jws);
}
