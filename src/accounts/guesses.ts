// Slows down whoever guesses at an account, and never its owner: counts of failed attempts that all processes share.
import { createHmac, hkdfSync } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { RateLimiterRes } from 'rate-limiter-flexible';
import type { Clock, RateLimits } from '../store.ts';
import { StoredRateLimiter } from './stored-rate-limiter.ts';

/** Failures in a row after which nothing but a known device, a new password or a passkey helps (SP 800-63B-4 §3.2.2). */
const MAX_FAILURES = 100;
/** The same for one known device; afterwards it counts as any other browser. */
const MAX_DEVICE_FAILURES = 20;
/** Failures in a row that cost nothing yet: people mistype. */
const FREE_FAILURES = 5;
/** seconds to wait after the next failure; twice as long after each further one */
const FIRST_DELAY = 30;
const LONGEST_DELAY = 60 * 60;

/** Failures of one address in a period (seconds), whatever it guesses at. */
const ADDRESS_FAILURES = 50;
const ADDRESS_PERIOD = 15 * 60;

/** seconds */
const DAY = 24 * 60 * 60;

/** What can be guessed at; each is counted by itself. */
const SECRETS = ['password', 'totp', 'recovery-code'] as const;
export type GuessedSecret = (typeof SECRETS)[number];

/** One attempt at a secret. */
export interface Guess {
  secret: GuessedSecret;
  /** the account; where there is none of that name, the canonical spelling of the name (security.md R50) */
  whose: { readonly accountId: string } | { readonly loginKey: string };
  /** where it comes from */
  address: string;
  /** the browser, when this account has signed in from it before: see `KnownDevices` */
  device?: string | undefined;
}

/** Too many failures from this address. Says nothing about any account: becomes 429. */
export class TooManyGuesses extends Error {
  override name = 'TooManyGuesses';
  /** seconds */
  readonly retryAfter: number;
  constructor(retryAfter: number) {
    super('too many failed attempts from this address');
    this.retryAfter = retryAfter;
  }
}

/** What is counted of one secret of an account. */
export interface GuessCount {
  secret: GuessedSecret;
  /** failures in a row */
  failures: number;
  /** attempts of the last day that were not even considered */
  ignored: number;
  /** for so many seconds attempts from unknown devices are not considered; Infinity: until the password is set anew */
  waits: number;
}

export interface Guesses {
  /**
   * Makes the attempt: what `check` finds, or undefined. It counts as failed from its beginning, so that simultaneous
   * guesses are no way around; finding something forgives the failures before.
   *
   * When the account must wait, `check` is not called and the answer is undefined as well: whoever guesses must not see
   * it. Where the work of `check` can be measured, `inVain` does the same work for nothing (security.md R48).
   * @throws TooManyGuesses before anything is checked; what `check` throws, and then nothing is counted
   */
  attempt<Found>(
    guess: Guess,
    check: () => Promise<Found | undefined>,
    inVain?: () => Promise<unknown>,
  ): Promise<Found | undefined>;
  /** Forgives all failures at this account: its password was set anew, or its operator says so. */
  forgive(accountId: string): Promise<void>;
  countsOf(accountId: string): Promise<GuessCount[]>;
}

/** @param parts.encryptionKey names the counters: nobody can read logins or addresses in the table */
export function createGuesses(parts: { rateLimits: RateLimits; encryptionKey: string; clock: Clock }): Guesses {
  const namingKey = Buffer.from(hkdfSync('sha256', parts.encryptionKey, '', 'identity-backend guesses', 32));
  const limiter = (keyPrefix: string, points: number, duration: number) =>
    new StoredRateLimiter({
      keyPrefix,
      points,
      duration,
      rateLimits: parts.rateLimits,
      clock: parts.clock,
      nameOf: (key) => createHmac('sha256', namingKey).update(key).digest('base64url'),
    });
  const failures = limiter('failures', MAX_FAILURES, 0);
  const ignored = limiter('ignored', 0, DAY);
  /** Open, one attempt passes it and closes it for the delay. */
  const gates = limiter('gate', 1, FIRST_DELAY);
  const addresses = limiter('address', ADDRESS_FAILURES, ADDRESS_PERIOD);

  async function countOf(key: string): Promise<number> {
    return (await failures.get(key))?.consumedPoints ?? 0;
  }

  async function stateOf(key: string): Promise<{ count: number; waitMs: number }> {
    const [count, closed] = await Promise.all([countOf(key), gates.get(key)]);
    return { count, waitMs: closed?.msBeforeNext ?? 0 };
  }

  /** Counts the attempt as a failure, when it may be made. Answers how to take that back. */
  async function admit({ key, max, duration }: Counter): Promise<(() => Promise<void>) | undefined> {
    const { count: before, waitMs } = await stateOf(key);
    if (before >= max || waitMs > 0) {
      // as much work as counting the others is
      await ignored.penalty(key);
      return undefined;
    }
    const { consumedPoints: count } = await failures.penalty(key, 1, { customDuration: duration });
    const takeBack = () => failures.reward(key, 1, { customDuration: duration }).then(() => {});
    if (count <= FREE_FAILURES) return takeBack;
    // simultaneous attempts must not lengthen the delay by their number
    const failed = Math.min(count, Math.max(before, FREE_FAILURES) + 1);
    if (count <= max && (await consumes(gates, key, delayAfter(failed)))) {
      return async () => {
        await Promise.all([takeBack(), gates.delete(key)]);
      };
    }
    await takeBack();
    return undefined;
  }

  /** @param count of failures, this attempt included: without many of them there is no gate */
  async function clear(key: string, count: number): Promise<void> {
    await failures.delete(key);
    if (count > FREE_FAILURES) await gates.delete(key);
  }

  async function refuseBusyAddress(address: string): Promise<void> {
    const counted = await addresses.get(address);
    if (counted && counted.consumedPoints >= ADDRESS_FAILURES) {
      throw new TooManyGuesses(Math.ceil(counted.msBeforeNext / 1000));
    }
  }

  return {
    async attempt(guess, check, inVain) {
      const account = accountCounter(guess);
      const own = deviceCounter(guess, account);
      const device = own && (await countOf(own.key)) < own.max ? own : undefined;
      const address = networkOf(guess.address);
      if (!device) await refuseBusyAddress(address);

      const takeBack = await admit(device ?? account);
      const found = takeBack ? await orElse(check, takeBack) : await inVain?.().then(() => undefined);
      if (found === undefined) {
        if (!device) await addresses.penalty(address);
        return undefined;
      }
      const { count, waitMs } = await stateOf(account.key);
      if (device) await clear(device.key, await countOf(device.key));
      // while others are kept waiting, the owner's sign-in gives them no new attempts
      const besieged = device !== undefined && (count >= account.max || waitMs > 0);
      if (count > 0 && !besieged) await clear(account.key, count);
      return found;
    },

    async forgive(accountId) {
      const keys = SECRETS.map((secret) => keyOf(secret, accountId));
      await Promise.all(keys.flatMap((key) => [failures, gates, ignored].map((counts) => counts.delete(key))));
    },

    async countsOf(accountId) {
      const counts = SECRETS.map(async (secret) => {
        const key = keyOf(secret, accountId);
        const [{ count, waitMs }, inVain] = await Promise.all([stateOf(key), ignored.get(key)]);
        const waits = count >= MAX_FAILURES ? Number.POSITIVE_INFINITY : Math.ceil(waitMs / 1000);
        return { secret, failures: Math.max(count, 0), ignored: inVain?.consumedPoints ?? 0, waits };
      });
      return Promise.all(counts);
    },
  };
}

interface Counter {
  key: string;
  max: number;
  /** seconds after which the count begins anew; 0: never */
  duration: number;
}

function accountCounter({ secret, whose }: Guess): Counter {
  return 'accountId' in whose
    ? { key: keyOf(secret, whose.accountId), max: MAX_FAILURES, duration: 0 }
    : // names are invented faster than accounts, and nobody can see that they are forgotten
      { key: `${secret} of nobody called ${whose.loginKey}`, max: MAX_FAILURES, duration: DAY };
}

function deviceCounter({ device }: Guess, { key }: Counter): Counter | undefined {
  return device === undefined
    ? undefined
    : { key: `${key} from ${device}`, max: MAX_DEVICE_FAILURES, duration: 365 * DAY };
}

function keyOf(secret: GuessedSecret, accountId: string): string {
  return `${secret} of account ${accountId}`;
}

function delayAfter(failed: number): number {
  return Math.min(FIRST_DELAY * 2 ** (failed - FREE_FAILURES - 1), LONGEST_DELAY);
}

/** What an address is counted as: who has one IPv6 address has a whole network of them. */
export function networkOf(address: string): string {
  const parsed = ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
  if (parsed === undefined || parsed.kind() === 'ipv4') return parsed?.toString() ?? address;
  const halves = parsed.toByteArray().slice(0, 8);
  return Buffer.from(halves).toString('hex');
}

async function consumes(limiter: StoredRateLimiter, key: string, duration: number): Promise<boolean> {
  try {
    await limiter.consume(key, 1, { customDuration: duration });
    return true;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return false;
    throw refusal;
  }
}

async function orElse<Found>(check: () => Promise<Found>, takeBack: () => Promise<void>): Promise<Found> {
  try {
    return await check();
  } catch (error) {
    await takeBack();
    throw error;
  }
}
