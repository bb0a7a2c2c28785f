// Checks the values of standard claims before they are stored on an account (OpenID Connect Core §5.1).
import type { StandardClaims } from '../store.ts';

/** A claim that does not exist or a value that it cannot have; the message says what it must be. */
export class InvalidClaim extends Error {
  override name = 'InvalidClaim';
}

type Check = (value: unknown) => boolean;
type Rule = { readonly mustBe: string; readonly holds: Check };

const addressMembers = new Set(['formatted', 'street_address', 'locality', 'region', 'postal_code', 'country']);
const earliestUpdate = Date.UTC(1990, 0, 1) / 1000;

const text: Rule = { mustBe: 'a text of 1 to 1,000 characters without control characters', holds: isText };
const webPage: Rule = { mustBe: 'an http or https URL', holds: isWebPage };
const flag: Rule = { mustBe: 'true or false', holds: (value) => typeof value === 'boolean' };

const rules: Readonly<Record<keyof StandardClaims, Rule>> = {
  name: text,
  given_name: text,
  family_name: text,
  middle_name: text,
  nickname: text,
  preferred_username: text,
  profile: webPage,
  picture: webPage,
  website: webPage,
  email: { mustBe: 'an e-mail address', holds: isEmail },
  email_verified: flag,
  gender: text,
  birthdate: { mustBe: 'YYYY-MM-DD, 0000-MM-DD or YYYY', holds: isBirthdate },
  zoneinfo: { mustBe: 'a time zone such as Europe/Paris', holds: isTimeZone },
  locale: { mustBe: 'a language tag such as en-US', holds: isLocale },
  phone_number: text,
  phone_number_verified: flag,
  address: { mustBe: `an object with texts among ${[...addressMembers].join(', ')}`, holds: isAddress },
  updated_at: { mustBe: 'a whole number of seconds since 1970', holds: isTimestamp },
};

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 1_000 && value.trim() !== '' && !/\p{Cc}|\p{Cs}/u.test(value);
}

function isWebPage(value: unknown): boolean {
  return isText(value) && /^https?:\/\//i.test(value) && URL.canParse(value);
}

/** Without what nobody sees: an address can be a username, and no letter is sent to such a one (src/mail/delivery.ts). */
function isEmail(value: unknown): boolean {
  return isText(value) && value.length <= 254 && /^[^\s@<>(),;:\\"[\]\p{C}]+@[^\s@<>(),;:\\"\p{C}]+$/u.test(value);
}

function isBirthdate(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (/^\d{4}$/.test(value)) return value >= '1850';
  if (!/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  const year = value.slice(0, 4);
  if (year !== '0000' && year < '1850') return false;
  // Year 0000 hides the year, not the day: read it as a leap year.
  const date = new Date(`${year === '0000' ? '2000' : year}${value.slice(4)}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(4, 10) === value.slice(4);
}

function isTimeZone(value: unknown): boolean {
  if (!isText(value)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function isLocale(value: unknown): boolean {
  if (!isText(value)) return false;
  try {
    // Some implementations write an underscore, which the specification tolerates.
    return Intl.getCanonicalLocales(value.replaceAll('_', '-')).length === 1;
  } catch {
    return false;
  }
}

function isAddress(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const members = Object.entries(value);
  // A street address may have several lines (OpenID Connect Core §5.1.1).
  return (
    members.length > 0 &&
    members.every(([name, line]) => {
      return addressMembers.has(name) && typeof line === 'string' && isText(line.replace(/\r?\n/g, ' '));
    })
  );
}

function isTimestamp(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= earliestUpdate;
}

/** Whether a claim that is a text can have the value. */
export function isClaim(name: 'email' | 'name', value: unknown): value is string {
  return rules[name].holds(value);
}

/** Nobody tells two names apart by what cannot be seen. */
export function isVisible(text: string): boolean {
  return !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);
}

/**
 * The same claims, once each is known to be a standard one with a value of its type.
 * @throws InvalidClaim naming the first that is not
 */
export function parseClaims(claims: object): StandardClaims {
  for (const [name, value] of Object.entries(claims)) {
    if (!Object.hasOwn(rules, name)) throw new InvalidClaim(`${name} is not a standard claim`);
    const rule = rules[name as keyof StandardClaims];
    if (!rule.holds(value)) throw new InvalidClaim(`${name} must be ${rule.mustBe}`);
  }
  return { ...claims };
}

/**
 * Reads the value of a claim from a command line: text as it stands, or JSON where the claim is no text
 * or the text is a JSON string. Checks nothing; `parseClaims` does.
 */
export function claimValue(name: string, written: string): unknown {
  const rule = Object.hasOwn(rules, name) ? rules[name as keyof StandardClaims] : text;
  const isJson = rule === flag || rule === rules.address || rule === rules.updated_at || /^".*"$/s.test(written);
  if (!isJson) return written;
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
}
