// How ids of codes, tokens, sessions and interactions are written down.
import { hash } from 'node:crypto';

/** SHA-256 as base64url: ids are random, so whoever reads a copy of the database cannot find them again. */
export function hashId(id: string): string {
  return hash('sha256', id, 'base64url');
}
