// How many letters there may be: so few that nobody's mailbox is flooded, and that no stranger makes us a mail cannon.
import { createHmac, hkdfSync } from 'node:crypto';
import type { Clock, RateLimits } from '../store.ts';
import { networkOf, TooManyGuesses } from './guesses.ts';
import { StoredRateLimiter } from './stored-rate-limiter.ts';

/** seconds */
const PERIOD = 60 * 60;
const LETTERS_PER_MAILBOX = 3;
/** More, since each tells of something else. */
const NOTICES_PER_ACCOUNT = 10;
const REQUESTS_PER_ADDRESS = 20;

/** Too many requests from this address. Says nothing about any account: becomes 429. */
export class TooManyLetters extends TooManyGuesses {
  override name = 'TooManyLetters';
  override message = 'too many letters were asked for from this address';
}

export interface LetterLimits {
  /** Counts one request. @param address that it comes from @throws TooManyLetters */
  admit(address: string): Promise<void>;
  /** Counts one letter of a kind; false: this account or mailbox has had its letters of this hour. */
  allows(kind: string, owner: string): Promise<boolean>;
  /** The same for a letter that nobody asked for. */
  allowsNotice(kind: string, accountId: string): Promise<boolean>;
}

/** @param parts.encryptionKey names the counters: nobody can read addresses in the table */
export function createLetterLimits(parts: {
  rateLimits: RateLimits;
  encryptionKey: string;
  clock: Clock;
}): LetterLimits {
  const { rateLimits, clock } = parts;
  const namingKey = Buffer.from(hkdfSync('sha256', parts.encryptionKey, '', 'identity-backend letters', 32));
  const nameOf = (key: string) => createHmac('sha256', namingKey).update(key).digest('base64url');
  const shared = { duration: PERIOD, rateLimits, clock, nameOf };
  const requests = new StoredRateLimiter({ ...shared, keyPrefix: 'letter-requests', points: REQUESTS_PER_ADDRESS });
  const letters = new StoredRateLimiter({ ...shared, keyPrefix: 'letters', points: LETTERS_PER_MAILBOX });
  const notices = new StoredRateLimiter({ ...shared, keyPrefix: 'notices', points: NOTICES_PER_ACCOUNT });
  return {
    async admit(address) {
      const { consumedPoints, msBeforeNext } = await requests.penalty(networkOf(address));
      if (consumedPoints > REQUESTS_PER_ADDRESS) throw new TooManyLetters(Math.ceil(msBeforeNext / 1000));
    },
    async allows(kind, owner) {
      const { consumedPoints } = await letters.penalty(`${kind} ${owner}`);
      return consumedPoints <= LETTERS_PER_MAILBOX;
    },
    async allowsNotice(kind, accountId) {
      const { consumedPoints } = await notices.penalty(`${kind} ${accountId}`);
      return consumedPoints <= NOTICES_PER_ACCOUNT;
    },
  };
}
