// Codes of authenticator apps: time-based one-time passwords (RFC 6238), with the settings that every app can do.
import { Secret, TOTP } from 'otpauth';

/** Seconds that a code is shown for. */
const PERIOD = 30;
/** How many steps a clock may be off, before or after (RFC 6238 §5.2). */
const WINDOW = 1;
/** RFC 4226 §4 R6 recommends 160 bits. */
const SECRET_BYTES = 20;
const SETTINGS = { algorithm: 'SHA1', digits: 6, period: PERIOD } as const;

/** A new shared secret, random, in base32. */
export function newTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/**
 * The time step that this code belongs to, when it is one of now or of one step before or after. Whether it was used
 * before is not asked here.
 * @param code six digits, however they are grouped
 * @param now epoch seconds
 */
export function totpStepOf(secret: string, code: string, now: number): number | undefined {
  const token = digitsOf(code);
  if (token === undefined) return undefined;
  const delta = new TOTP({ ...SETTINGS, secret }).validate({ token, timestamp: now * 1000, window: WINDOW });
  return delta === null ? undefined : Math.floor(now / PERIOD) + delta;
}

/** What authenticator apps read from a QR code (https://github.com/google/google-authenticator/wiki/Key-Uri-Format). */
export function totpUri({ secret, issuer, username }: { secret: string; issuer: string; username: string }): string {
  return new TOTP({ ...SETTINGS, secret, issuer, label: username }).toString();
}

/** People group digits, and some keyboards have other ones than ASCII. */
function digitsOf(code: string): string | undefined {
  if (code.length > 64) return undefined;
  const digits = code.normalize('NFKC').replaceAll(/[\s\p{Pd}]/gu, '');
  return /^[0-9]{6}$/.test(digits) ? digits : undefined;
}
