// What a password must be where we let somebody choose one.
import { isAcceptablePassword } from './passwords.ts';

/** In code points. */
export const minimumPasswordLength = 8;

/** In code points: what SP 800-63B-4 §3.1.1.2 asks where a password is the only factor. */
export const recommendedPasswordLength = 15;

/** Why this password may not be chosen, as the end of a sentence about it; `undefined` when it may. */
export function passwordProblem(password: string): string | undefined {
  if ([...password].length < minimumPasswordLength) return `must have at least ${minimumPasswordLength} characters`;
  if (!isAcceptablePassword(password)) return 'must have at most 1,024 bytes and no NUL';
  return undefined;
}
