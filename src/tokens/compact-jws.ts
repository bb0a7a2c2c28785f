// Takes a JWS apart, accepting exactly one spelling of it (RFC 7515 §3.1, §7.1); the signature is not checked here.
import { parseStrictObject } from '../strict-json.ts';

const maxLength = 8192;
const maxKidLength = 128;

/** Parameters that change what is signed, or that offer a key of the sender's choice: none of ours has them. */
const refusedParameters = ['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c'];

/** The parameters of a JOSE header that matter here; the rest is ignored (RFC 7515 §4). */
export interface JwsHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
}

/** Header and payload as the token has them: claimed, not yet believed. */
export interface CompactJws {
  readonly header: JwsHeader;
  readonly payload: Record<string, unknown>;
}

/**
 * Undefined for everything but three parts of canonical base64url (no padding, whitespace or spare bits: another
 * spelling would slip past whatever compares token text), of at most 8 KiB, with header and payload strict JSON objects.
 * Length comes first, so that a huge token costs nothing.
 */
export function parseCompactJws(token: string): CompactJws | undefined {
  if (token.length > maxLength) return undefined;
  const parts = token.split('.', 4);
  if (parts.length !== 3) return undefined;
  const [headerBytes, payloadBytes, signature] = parts.map(decodeCanonical);
  if (headerBytes === undefined || payloadBytes === undefined || signature === undefined) return undefined;

  const header = parseStrictObject(headerBytes);
  const payload = parseStrictObject(payloadBytes);
  if (header === undefined || payload === undefined || !isJwsHeader(header)) return undefined;
  return { header, payload };
}

/** The bytes of a non-empty part, when encoding them again gives the same text. */
function decodeCanonical(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.length > 0 && bytes.toString('base64url') === part ? bytes : undefined;
}

function isJwsHeader(header: Record<string, unknown>): header is Record<string, unknown> & JwsHeader {
  const { alg, kid, typ } = header;
  return (
    typeof alg === 'string' &&
    (kid === undefined || (typeof kid === 'string' && kid !== '' && kid.length <= maxKidLength)) &&
    (typ === undefined || typeof typ === 'string') &&
    !refusedParameters.some((name) => Object.hasOwn(header, name))
  );
}
