// What a token with a good signature must still say: one rule per kind of refusal (RFC 9068 §4, RFC 7519 §4.1).
import { accessTokenType, backdatingSeconds, type Issuers, issuerFor } from './access-token.ts';
import type { CompactJws } from './compact-jws.ts';

/**
 * Why a token is refused. `unverifiable` is all that a stranger learns; the others are told to the holder of a genuine
 * token only.
 */
export type RefusalReason =
  | 'unverifiable'
  | 'type'
  | 'issuer'
  | 'audience'
  | 'algorithm'
  | 'malformed'
  | 'lifetime'
  | 'not_yet_valid'
  | 'expired'
  | 'revoked';

/** A refusal in wire names. `claim` names the claim or header parameter at fault, where there is one. */
export interface Refusal {
  readonly valid: false;
  readonly error: 'invalid_token';
  readonly reason: RefusalReason;
  readonly claim?: string;
  readonly expected?: unknown;
  readonly received?: unknown;
}

/** The claims of an accepted token in wire names, with what the rules guarantee of them. */
export type VerifiedClaims = Record<string, unknown> & {
  iss: string;
  sub: string;
  aud: string | string[];
  exp: number;
};

/** What the claims are measured against. Times are epoch seconds, durations seconds. */
export interface Expectations {
  readonly audience: string;
  readonly issuers: Issuers;
  readonly now: number;
  readonly clockSkew: number;
  readonly maxLifetime: number;
}

/** The first rule that the token breaks, or undefined. Its signature has verified before. */
export function findBrokenRule(jws: CompactJws, expectations: Expectations): Refusal | undefined {
  for (const rule of [checkType, checkIssuer, checkAudience, checkShapes, checkLifetime, checkTimes]) {
    const refusal = rule(jws, expectations);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** Absent values are told as `null`, so that the JSON says that they are absent. */
export function refuse(reason: RefusalReason, claim: string, expected: unknown, received: unknown): Refusal {
  return { valid: false, error: 'invalid_token', reason, claim, expected, received: received ?? null };
}

/**
 * The keys that sign access tokens sign ID tokens and logout tokens too: their `typ` tells them apart (RFC 8725 §3.11).
 * The shared secret signs nothing else, and services sign with it by libraries that write `JWT` or nothing.
 */
function checkType({ header }: CompactJws): Refusal | undefined {
  const types: (string | undefined)[] = [accessTokenType, `application/${accessTokenType}`];
  if (header.alg === 'HS256') types.push('JWT', undefined);
  return types.includes(header.typ) ? undefined : refuse('type', 'typ', accessTokenType, header.typ);
}

function checkIssuer({ header, payload }: CompactJws, { issuers }: Expectations): Refusal | undefined {
  const issuer = issuerFor(header.alg, issuers);
  return payload['iss'] === issuer ? undefined : refuse('issuer', 'iss', issuer, payload['iss']);
}

/** An exact match among at most five (RFC 7519 §4.1.3); no trimming, no case folding. */
function checkAudience({ payload }: CompactJws, { audience }: Expectations): Refusal | undefined {
  const { aud } = payload;
  const audiences = Array.isArray(aud) ? aud : [aud];
  const wellFormed = audiences.length <= 5 && audiences.every((each) => typeof each === 'string' && each !== '');
  return wellFormed && audiences.includes(audience) ? undefined : refuse('audience', 'aud', audience, aud);
}

const isTime = (value: unknown) => Number.isSafeInteger(value) && Number(value) >= 0;
const isName = (value: unknown) =>
  typeof value === 'string' && value.length >= 1 && value.length <= 255 && value.isWellFormed();

/** The shape of each claim that is looked at; RFC 7519 allows fractions of a second, nobody here writes them. */
const shapes: readonly [claim: string, required: boolean, isShape: (value: unknown) => boolean, expected: string][] = [
  ['sub', true, isName, 'a string of 1 to 255 characters'],
  ['exp', true, isTime, 'epoch seconds, an integer'],
  ['iat', false, isTime, 'epoch seconds, an integer'],
  ['nbf', false, isTime, 'epoch seconds, an integer'],
  ['jti', false, isName, 'a string of 1 to 255 characters'],
  ['client_id', false, isName, 'a string of 1 to 255 characters'],
  ['scope', false, (value) => typeof value === 'string', 'a string'],
];

function checkShapes({ payload }: CompactJws): Refusal | undefined {
  for (const [claim, required, isShape, expected] of shapes) {
    const value = payload[claim];
    const absent = !Object.hasOwn(payload, claim);
    if (absent ? required : !isShape(value)) return refuse('malformed', claim, expected, value);
  }
  return undefined;
}

/** No token outlives the longest lifetime, whoever signed it; without `iat` that counts from now. */
function checkLifetime({ payload }: CompactJws, { now, clockSkew, maxLifetime }: Expectations): Refusal | undefined {
  const start = Number(payload['iat'] ?? now + clockSkew);
  const latest = start + maxLifetime + backdatingSeconds;
  return Number(payload['exp']) <= latest ? undefined : refuse('lifetime', 'exp', `at most ${latest}`, payload['exp']);
}

/** One leeway for every time: `exp` may have passed, `nbf` and `iat` may be ahead, by the clock skew. */
function checkTimes({ payload }: CompactJws, { now, clockSkew }: Expectations): Refusal | undefined {
  for (const claim of ['nbf', 'iat']) {
    const latest = now + clockSkew;
    if (Number(payload[claim] ?? 0) > latest) {
      return refuse('not_yet_valid', claim, `at most ${latest}`, payload[claim]);
    }
  }
  const earliest = now - clockSkew;
  return Number(payload['exp']) > earliest ? undefined : refuse('expired', 'exp', `after ${earliest}`, payload['exp']);
}
