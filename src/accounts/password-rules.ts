// What a password must be where we let somebody choose one (SP 800-63B-4 §3.1.1.2).
import type { Account } from '../store.ts';
import { createStrengthEstimate, type EstimateStrength } from './password-strength.ts';
import { isAcceptablePassword } from './passwords.ts';

/** Code points that a password has at least when it is all that somebody signs in with. */
const MINIMUM_ALONE = 15;
/** The same where a second factor stands beside it. */
const MINIMUM_WITH_SECOND_FACTOR = 8;

/** What strength a password must have: few guesses are possible here, many where a database was stolen. */
const SCORE_ALONE = 3;
const SCORE_WITH_SECOND_FACTOR = 2;

/** Shorter pieces of names are in too many words. */
const MIN_WORD = 3;
/** Code points that have to be there besides such words. */
const MIN_OTHERS = 6;

/** `unusable`: with NUL, or no well-formed Unicode; `common` and `personal` say where it would be found. */
export type PasswordFaultReason = 'tooShort' | 'tooLong' | 'unusable' | 'common' | 'personal' | 'guessable';

/** Why a password may not be chosen; the texts of `newPassword` say it to a person. */
export interface PasswordFault {
  reason: PasswordFaultReason;
  /** code points that it must have at least */
  minimum: number;
}

/** Who chooses. */
export interface PasswordChoice {
  /** absent where nothing is known yet */
  account?: Pick<Account, 'username' | 'claims'>;
  /** whether its owner cannot sign in without a second factor */
  hasSecondFactor: boolean;
}

export interface PasswordRules {
  /** Undefined when the password may be chosen. */
  faultOf(password: string, choice: PasswordChoice): Promise<PasswordFault | undefined>;
  /** Code points, to be told before somebody chooses. */
  minimumFor(choice: Pick<PasswordChoice, 'hasSecondFactor'>): number;
}

/** @param options.words that everybody here would think of: the name and the host of the installation */
export function createPasswordRules(options: { words: readonly string[]; estimate?: EstimateStrength }): PasswordRules {
  const estimate = options.estimate ?? createStrengthEstimate();

  function minimumFor({ hasSecondFactor }: Pick<PasswordChoice, 'hasSecondFactor'>): number {
    return hasSecondFactor ? MINIMUM_WITH_SECOND_FACTOR : MINIMUM_ALONE;
  }

  async function reasonFor(password: string, choice: PasswordChoice): Promise<PasswordFaultReason | undefined> {
    const canonical = password.normalize('NFKC');
    if ([...canonical].length < minimumFor(choice)) return 'tooShort';
    if (!isAcceptablePassword(password)) return Buffer.byteLength(password) > 1_024 ? 'tooLong' : 'unusable';
    const words = wordsOf([...options.words, ...namesOf(choice)]);
    if (isMadeOf(words, canonical)) return 'personal';
    const strength = await estimate(canonical, words);
    if (strength.score >= (choice.hasSecondFactor ? SCORE_WITH_SECOND_FACTOR : SCORE_ALONE)) return undefined;
    if (strength.isPersonal) return 'personal';
    return strength.isCommon ? 'common' : 'guessable';
  }

  return {
    minimumFor,
    async faultOf(password, choice) {
      const reason = await reasonFor(password, choice);
      return reason && { reason, minimum: minimumFor(choice) };
    },
  };
}

/** The estimate takes several of these words in a row for many guesses. */
function isMadeOf(words: readonly string[], password: string): boolean {
  const longestFirst = words.toSorted((a, b) => b.length - a.length);
  const rest = longestFirst.reduce((left, word) => left.replaceAll(word, ''), password.toLowerCase());
  return rest.length < password.length && [...rest].length < MIN_OTHERS;
}

function namesOf({ account }: PasswordChoice): string[] {
  const { name, given_name, family_name, nickname, email, phone_number, birthdate } = account?.claims ?? {};
  const names = [account?.username, name, given_name, family_name, nickname, email, phone_number, birthdate];
  return names.filter((one) => one !== undefined);
}

/** Each as it is, and its parts. */
function wordsOf(names: readonly string[]): string[] {
  const parts = names.flatMap((name) => [name, ...name.split(/[^\p{L}\p{N}]+/u)]);
  const words = parts.map((part) => part.normalize('NFKC').toLowerCase()).filter((part) => part.length >= MIN_WORD);
  return [...new Set(words)].slice(0, 50);
}
