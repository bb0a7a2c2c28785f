// Makes what is logged harmless: secrets masked, control characters made visible, every value and the whole line bounded.

/** No string leaves longer than this, counted as the bytes of its JSON form. */
const maxTextBytes = 1024;

/** What is looked at of a longer string: enough to mask what is cut off, too little to make the masking slow. */
const maxScannedLength = 4096;

/** With `maxTextBytes` these keep a whole line under 64 KiB, which is what a log service must be able to take. */
const maxMembers = 40;
const maxNameLength = 64;
const maxDepth = 5;

const masked = '[redacted]';

const secretNames = new Set([
  'apikey',
  'authreqid',
  'code',
  'csrf',
  'devicecode',
  'dpop',
  'jwk',
  'otp',
  'request',
  'sessionid',
  'usercode',
  'xsrf',
]);

const secretWords =
  /password|passwd|secret|(?:authorization|cookie|token|tokenhint|assertion|verifier|jwt|credential|privatekey|encryptionkey)s?$/;

/** What was found of names that were asked before: ours are few. Names that strangers choose do not fill it. */
const knownNames = new Map<string, boolean>();
const maxKnownNames = 256;

/** Whether a member, parameter or header of this name carries a secret, however it is cased and separated. */
export function isSecretName(name: string): boolean {
  let secret = knownNames.get(name);
  if (secret === undefined) {
    secret = soundsSecret(name);
    if (knownNames.size < maxKnownNames && name.length <= maxNameLength) knownNames.set(name, secret);
  }
  return secret;
}

function soundsSecret(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[^a-z]/g, '');
  return secretNames.has(plain) || secretWords.test(plain);
}

// A header alone counts: what is left of a truncated JWT must not be readable either.
const jwt = /eyJ[\w-]{10,}(?:\.[\w-]*){0,4}/g;
/** The links of letters: what follows the path opens an account. */
const linkTokens = /\/(reset-password|invitation|verify-email|sign-up)\/[\w-]{16,}/g;
const httpCredentials = /\b([Bb]earer|[Bb]asic|DPoP)\s{1,4}(?=[\w.~+/-]*[A-Z0-9+/=])[\w.~+/-]{4,}=*/g;

/** How text names a value, and how far the value then reaches: `a=b`, `"a":"b"`, and the latter inside a string. */
const namedValues: readonly { name: RegExp; value: RegExp }[] = [
  { name: /(?<![\w-])([\w-]{1,40})=/g, value: /[^&\s"',;<>]*/y },
  { name: /(?<![\w-])([\w-]{1,40})"\s{0,4}:\s{0,4}"/g, value: /(?:[^"\\]|\\.)*/y },
  { name: /(?<![\w-])([\w-]{1,40})\\"\s{0,4}:\s{0,4}\\"/g, value: /[^"\\]*/y },
];

// Only names are matched one after the other: a harmless value must not swallow a secret one that stands inside it.
function maskNamedValues(text: string, name: RegExp, value: RegExp): string {
  let cleaned = '';
  let done = 0;
  for (const match of text.matchAll(name)) {
    const start = match.index + match[0].length;
    if (start < done || !isSecretName(match[1] ?? '')) continue;
    value.lastIndex = start;
    const length = value.exec(text)?.[0].length ?? 0;
    if (length === 0) continue;
    cleaned += text.slice(done, start) + masked;
    done = start + length;
  }
  return cleaned + text.slice(done);
}

function maskSecrets(text: string): string {
  const masking = text
    .replaceAll(jwt, '[jwt]')
    .replaceAll(httpCredentials, `$1 ${masked}`)
    .replaceAll(linkTokens, `/$1/${masked}`);
  return namedValues.reduce((rest, { name, value }) => maskNamedValues(rest, name, value), masking);
}

const invisible = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function makeVisible(text: string): string {
  return text.replaceAll(invisible, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '\u2421' : '\ufffd';
  });
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

function truncate(text: string): string {
  if (jsonBytes(text) <= maxTextBytes) return text;
  const ellipsis = '…';
  let end = Math.min(text.length, maxTextBytes);
  while (jsonBytes(text.slice(0, end)) > maxTextBytes - Buffer.byteLength(ellipsis)) end = Math.floor(end * 0.9);
  return text.slice(0, end).toWellFormed() + ellipsis;
}

// Ids, addresses, times and names of members: most of what is logged, and nothing in them to clean.
const plainText = /^[\w.:-]{0,64}$/;

// Our own sentences: credentials have a capital letter or a digit, and named values a sign before them.
const plainSentence = /^[a-z ,'-]{0,100}$/;

/**
 * One line of printable text of at most 1 KiB (as JSON) from any text.
 * JWTs, HTTP credentials and the values of secret parameters are masked; C0 controls become their Unicode pictures
 * (`\n` is `␊`), other controls, line separators and bidirectional overrides become U+FFFD.
 */
export function cleanText(text: string): string {
  if (plainText.test(text) && !text.includes('eyJ')) return text;
  if (plainSentence.test(text)) return text;
  return truncate(makeVisible(maskSecrets(text.slice(0, maxScannedLength))).toWellFormed());
}

// The message stands beside the stack already; a long one would leave no room for the frames.
function framesOf(stack: string): string {
  const frames = stack.split('\n').filter((line) => /^\s+at |^caused by: /.test(line));
  return frames.map((line) => line.trim()).join(' | ');
}

const errorCode = /^\w{1,40}$/;

type Budget = { members: number };

function cleanMember(name: string, value: unknown, isError: boolean, depth: number, budget: Budget): unknown {
  if (isError && name === 'stack') return cleanText(framesOf(String(value)));
  if (isError && name === 'code' && errorCode.test(String(value))) return value;
  if (isSecretName(name) && value !== null && typeof value !== 'boolean') return masked;
  return cleanValue(value, depth, budget);
}

function cleanValue(value: unknown, depth: number, budget: Budget): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '[too deep]';
  if (!Array.isArray(value)) return cleanObject(value, depth, budget);
  return value.slice(0, takeMembers(value.length, budget)).map((item) => cleanValue(item, depth + 1, budget));
}

function takeMembers(wanted: number, budget: Budget): number {
  const taken = Math.min(wanted, budget.members);
  budget.members -= taken;
  return taken;
}

function cleanObject(value: object, depth: number, budget: Budget): Record<string, unknown> {
  const members = value as Record<string, unknown>;
  const isError = 'stack' in members && typeof members['stack'] === 'string';
  const names = Object.keys(members);
  names.length = takeMembers(names.length, budget);
  const cleaned: Record<string, unknown> = {};
  for (const name of names) {
    const member = cleanMember(name, members[name], isError, depth + 1, budget);
    setMember(cleaned, cleanText(name.slice(0, maxNameLength)), member);
  }
  return cleaned;
}

/** Also a member named `__proto__`, which is nothing but a name in JSON. */
function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/**
 * A copy of plain JSON with every string cleaned, secrets masked by the names of their members at any depth, and at
 * most 40 members in all. An object with a `stack` is an error: its `code` is an error code, and its frames are kept.
 */
export function cleanFields(fields: Record<string, unknown>): Record<string, unknown> {
  return cleanObject(fields, 0, { members: maxMembers });
}
