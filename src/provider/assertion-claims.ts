// What an assertion must say before it authenticates a client (RFC 7523 §3, RFC 7519 §4.1).
import type { CompactJws } from '../tokens/compact-jws.ts';

type Payload = CompactJws['payload'];

/** What the claims are measured against; times in epoch seconds, durations in seconds. */
export interface AssertionExpectations {
  readonly issuer: string;
  /** absent: any */
  readonly subject?: string;
  /** any of these */
  readonly audiences: readonly string[];
  readonly now: number;
  readonly clockSkew: number;
  /** from `iat`, or from now when there is none */
  readonly maxLifetime: number;
}

/** Why the assertion is refused, for the operator's eyes; undefined when nothing is wrong with its claims. */
export function findAssertionFault(claims: Payload, expected: AssertionExpectations): string | undefined {
  const { iss, sub, aud, exp, iat = expected.now, nbf = 0, jti } = claims;
  const { now, clockSkew } = expected;
  if (iss !== expected.issuer) return 'iss is another';
  if (!isName(sub) || (expected.subject !== undefined && sub !== expected.subject)) return 'sub is another';
  if (!isAudience(aud, expected.audiences)) return 'aud is another';
  if (!isTime(exp) || !isTime(iat) || !isTime(nbf)) return 'exp, iat or nbf is missing or no time';
  if (jti !== undefined && !isName(jti)) return 'jti is malformed';
  if (exp <= now - clockSkew) return 'it has expired';
  if (iat > now + clockSkew || nbf > now + clockSkew) return 'it is not valid yet';
  if (exp > iat + expected.maxLifetime + clockSkew) return 'it lives too long';
  return undefined;
}

function isAudience(aud: unknown, audiences: readonly string[]): boolean {
  const listed = Array.isArray(aud) ? aud : [aud];
  return listed.length <= 5 && listed.every(isName) && listed.some((one) => audiences.includes(one));
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= 1_024;
}
