// Slows down whoever guesses at an account, and never its owner: counts of failed attempts that all processes share.
import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { Clock, RateLimits } from '../store.ts';
import { createDeviceFailures } from './device-failures.ts';
import { type Attempt, type Counter, createFailureCounts, FREE_FAILURES } from './failure-counts.ts';
import { StoredRateLimiter } from './stored-rate-limiter.ts';
import { createTurns } from './turns.ts';

/** Failures in a row after which nothing but a known device, a new password or a passkey helps (SP 800-63B-4 §3.2.2). */
const MAX_FAILURES = 100;
/** The same for one known device; afterwards, or after MAX_FAILURES of all of them, it counts as any other browser. */
const MAX_DEVICE_FAILURES = 20;
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
  /** Forgives the failures at these secrets of the account, or at all: they are new, or its operator says so. */
  forgive(accountId: string, secrets?: readonly GuessedSecret[]): Promise<void>;
  countsOf(accountId: string): Promise<GuessCount[]>;
}

/** @param parts.encryptionKey names the counters: nobody can read logins or addresses in the table */
export function createGuesses(parts: { rateLimits: RateLimits; encryptionKey: string; clock: Clock }): Guesses {
  const { rateLimits, clock } = parts;
  const namingKey = createSecretKey(
    Buffer.from(hkdfSync('sha256', parts.encryptionKey, '', 'identity-backend guesses', 32)),
  );
  const nameOf = (key: string) => createHmac('sha256', namingKey).update(key).digest('base64url');
  const counts = createFailureCounts({ rateLimits, clock, nameOf });
  const turns = createTurns(FREE_FAILURES);
  const devices = createDeviceFailures({ rateLimits, clock, nameOf, max: MAX_FAILURES });
  const addresses = new StoredRateLimiter({
    keyPrefix: 'address',
    points: ADDRESS_FAILURES,
    duration: ADDRESS_PERIOD,
    rateLimits,
    clock,
    nameOf,
  });

  async function refuseBusyAddress(address: string): Promise<void> {
    const counted = await addresses.get(address);
    if (counted && counted.consumedPoints >= ADDRESS_FAILURES) {
      throw new TooManyGuesses(Math.ceil(counted.msBeforeNext / 1000));
    }
  }

  /** The known device whose own count goes on, if there is one; its attempt has begun. */
  async function deviceOf(guess: Guess, account: Counter): Promise<Counter | undefined> {
    const own = deviceCounter(guess, account);
    if (own === undefined || (await counts.countOf(own.key)) >= own.max) return undefined;
    return (await devices.begin(account.key)) ? own : undefined;
  }

  async function forgiveAfterSuccess(account: Counter, device: Counter | undefined): Promise<void> {
    const ofDevice = device ? await counts.countOf(device.key) : 0;
    if (device && ofDevice > 0) await counts.clear(device.key, ofDevice);
    if ((await counts.countOf(account.key)) === 0) return;
    const { count, waits } = await counts.stateOf(account.key);
    // while others are kept waiting, the owner's sign-in gives them no new attempts
    const besieged = device !== undefined && (count >= account.max || waits > 0);
    if (!besieged) await counts.clear(account.key, count);
  }

  return {
    async attempt(guess, check, inVain) {
      const account = accountCounter(guess);
      const address = networkOf(guess.address);
      const device = await deviceOf(guess, account);
      if (!device) await refuseBusyAddress(address);
      // owners sign in from many places at once; those whose outcome is open must not stand in the way of the next one
      return device ? make() : turns(account.key, make);

      async function make() {
        let hasFailed = false;
        try {
          const counter = device ?? account;
          const attempt = await counts.begin(counter);
          const found = attempt ? await ending(attempt, check) : await inVain?.().then(() => undefined);
          if (found !== undefined) {
            await attempt?.end('succeeded');
            await forgiveAfterSuccess(account, device);
            return found;
          }
          hasFailed = attempt !== undefined;
          await Promise.all([
            attempt ? attempt.end('failed') : counts.ignore(counter.key),
            device ? undefined : addresses.penalty(address),
          ]);
          return undefined;
        } finally {
          if (device) await devices.end(account.key, hasFailed ? 'failed' : 'other');
        }
      }
    },

    async forgive(accountId, secrets = SECRETS) {
      const keys = secrets.map((secret) => keyOf(secret, accountId));
      await Promise.all(keys.flatMap((key) => [counts.clear(key, Number.POSITIVE_INFINITY), devices.clear(key)]));
    },

    async countsOf(accountId) {
      const ofSecrets = SECRETS.map(async (secret) => {
        const { count, ignored, waits } = await counts.stateOf(keyOf(secret, accountId));
        return { secret, failures: count, ignored, waits: count >= MAX_FAILURES ? Number.POSITIVE_INFINITY : waits };
      });
      return Promise.all(ofSecrets);
    },
  };
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

/** What an address is counted as: who has one IPv6 address has a whole network of them. */
export function networkOf(address: string): string {
  const parsed = ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
  if (parsed === undefined || parsed.kind() === 'ipv4') return parsed?.toString() ?? address;
  const halves = parsed.toByteArray().slice(0, 8);
  return Buffer.from(halves).toString('hex');
}

/** What `check` finds; when it fails to say, the attempt is none. */
async function ending<Found>(attempt: Attempt, check: () => Promise<Found>): Promise<Found> {
  try {
    return await check();
  } catch (error) {
    await attempt.end('broken');
    throw error;
  }
}
