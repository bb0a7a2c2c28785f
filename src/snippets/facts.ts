// What a snippet is made from, and how values become literals of its language.
import type { AccessTokenAlg } from '../store.ts';

export interface SnippetFacts {
  /** the `iss` of the tokens */
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly verifyEndpoint: string;
  readonly jwksUri: string;
  readonly audience: string;
  readonly alg: AccessTokenAlg;
  /** leeway in seconds */
  readonly clockSkew: number;
  /** absent: the caller reads it from its environment, like its secret */
  readonly clientId?: string;
}

/** Code for the two ends of a call. */
export interface Snippet {
  /** gets a token and calls with it */
  readonly caller: string;
  /** refuses whatever is not a good token */
  readonly verifier: string;
}

/** A string literal that JavaScript, Python and Go read alike. */
export function literal(text: string): string {
  return JSON.stringify(text).replaceAll(/[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
