// Recovery codes: what opens an account once each when its authenticator app or passkey is lost.
import { hash, randomBytes } from 'node:crypto';

/** How many an account gets at a time. */
export const recoveryCodeCount = 10;

/** Crockford's base32: no letter that could be another one, or a digit, in some handwriting. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Five bits each: 80 bits are too many to be tried out against a stolen digest. */
const CHARACTERS = 16;
const GROUP = /.{4}(?=.)/g;

/** New ones, grouped for reading: `k7mq-2xv9-h4td-8wz3`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: recoveryCodeCount }, () => {
    const characters = Array.from(randomBytes(CHARACTERS), (byte) => ALPHABET[byte % ALPHABET.length]);
    return characters.join('').replaceAll(GROUP, '$&-');
  });
}

/** Whether somebody typed what has the form of a code. */
export function isRecoveryCode(typed: unknown): typed is string {
  return typeof typed === 'string' && plainCode(typed) !== undefined;
}

/**
 * What is kept of a code of this account: so many random bits need no slow hash. The same for every spelling: capitals,
 * spaces or dashes anywhere, `o` for `0`, `i` or `l` for `1`. Undefined when it has not the form of a code.
 */
export function recoveryCodeDigest(accountId: string, code: string): string | undefined {
  const plain = plainCode(code);
  return plain && hash('sha256', `recovery code of ${accountId}: ${plain}`, 'base64url');
}

function plainCode(code: string): string | undefined {
  if (code.length > 128) return undefined;
  const plain = code
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s\p{Pd}]/gu, '')
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1');
  return plain.length === CHARACTERS && [...plain].every((character) => ALPHABET.includes(character))
    ? plain
    : undefined;
}
