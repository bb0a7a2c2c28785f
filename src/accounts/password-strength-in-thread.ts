// The thread of `password-strength.ts`: zxcvbn with its dictionaries, which weigh 60 MB and take 0.3 s to load.
import { parentPort } from 'node:worker_threads';
import { type Match, ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as commonDictionary } from '@zxcvbn-ts/language-common';
import { dictionary as englishDictionary } from '@zxcvbn-ts/language-en';
import type { PasswordStrength, StrengthAnswer, StrengthQuestion } from './password-strength.ts';

/** Characters that are looked at: the time grows with their square, and so many decide. */
const MAX_LENGTH = 40;

const COMMON = new Set(['topTen', 'topHundred', 'common', 'similarToCommon']);

const estimator = new ZxcvbnFactory({
  dictionary: { ...commonDictionary, ...englishDictionary },
  graphs: adjacencyGraphs,
  maxLength: MAX_LENGTH,
  // each doubles the work, and attackers try few
  l33tMaxSubstitutions: 2,
});

parentPort?.on('message', ({ id, password, words }: StrengthQuestion) => {
  const answer: StrengthAnswer = { id, strength: estimate(password, words) };
  parentPort?.postMessage(answer);
});

function estimate(password: string, words: readonly string[]): PasswordStrength {
  const { score, feedback, sequence } = estimator.check(password.slice(0, MAX_LENGTH), [...words]);
  return {
    score,
    isCommon: COMMON.has(String(feedback.warning)),
    isPersonal: sequence.some(hasOwnWords),
  };
}

/** A repetition holds what is repeated. */
function hasOwnWords(match: Match): boolean {
  const { dictionaryName, baseMatches = [] } = match as { dictionaryName?: string; baseMatches?: Match[] };
  return dictionaryName === 'userInputs' || baseMatches.some(hasOwnWords);
}
