// Estimates how hard a password is to guess, in a thread that comes when it is needed and goes when it is not.
import { Worker } from 'node:worker_threads';

export interface PasswordStrength {
  /** 0 (guessed at once) to 4; 2 takes a million guesses, 3 a hundred million */
  score: 0 | 1 | 2 | 3 | 4;
  /** among those that attackers try first, or like one of them */
  isCommon: boolean;
  /** contains one of the words */
  isPersonal: boolean;
}

export interface StrengthQuestion {
  id: number;
  password: string;
  words: readonly string[];
}

export interface StrengthAnswer {
  id: number;
  strength: PasswordStrength;
}

/**
 * Estimates a password.
 * @param words that whoever guesses at this password would try: names, addresses
 */
export type EstimateStrength = (password: string, words: readonly string[]) => Promise<PasswordStrength>;

/** The dictionaries are let go of after so long without a question. */
const IDLE_MS = 60_000;

/** The thread never keeps the process from ending. */
export function createStrengthEstimate(): EstimateStrength {
  const open = new Map<number, PromiseWithResolvers<PasswordStrength>>();
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let asked = 0;

  function start(): Worker {
    const worker = new Worker(new URL('./password-strength-in-thread.ts', import.meta.url));
    worker.on('message', ({ id, strength }: StrengthAnswer) => {
      open.get(id)?.resolve(strength);
      open.delete(id);
      if (open.size === 0) rest(worker);
    });
    worker.on('error', (error) => {
      for (const { reject } of open.values()) reject(error);
      open.clear();
      thread = undefined;
    });
    return worker;
  }

  function rest(worker: Worker): void {
    worker.unref();
    idle = setTimeout(() => {
      thread = undefined;
      void worker.terminate();
    }, IDLE_MS).unref();
  }

  return (password, words) => {
    clearTimeout(idle);
    thread ??= start();
    thread.ref();
    asked += 1;
    const answer = Promise.withResolvers<PasswordStrength>();
    open.set(asked, answer);
    const question: StrengthQuestion = { id: asked, password, words };
    thread.postMessage(question);
    return answer.promise;
  };
}
