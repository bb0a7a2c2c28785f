// rate-limiter-flexible over the counters of our store, on our clock.
import { type IRateLimiterOptions, RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterStoreAbstract from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import type { Attempts, Clock, RateLimits } from '../store.ts';

/** In the library's words a count without an end: longer than any database lasts. */
const NEVER_MS = 100 * 365 * 24 * 60 * 60 * 1000;

/** With the moment of the answer. */
interface Counted extends Attempts {
  nowMs: number;
}

export interface StoredRateLimiterOptions extends IRateLimiterOptions {
  rateLimits: RateLimits;
  clock: Clock;
  /** what a key is called in the table */
  nameOf(key: string): string;
}

/** The operations are those of the library (`consume`, `penalty`, `reward`, `get`, `delete`); each is one statement. */
export class StoredRateLimiter extends RateLimiterStoreAbstract {
  readonly #rateLimits: RateLimits;
  readonly #nowMs: () => number;
  readonly #nameOf: (key: string) => string;

  constructor({ rateLimits, clock, nameOf, ...options }: StoredRateLimiterOptions) {
    super({ ...options, storeClient: rateLimits });
    this.#rateLimits = rateLimits;
    this.#nowMs = () => clock() * 1000;
    this.#nameOf = nameOf;
  }

  async _get(key: string): Promise<Counted | null> {
    const nowMs = this.#nowMs();
    const attempts = await this.#rateLimits.find(this.#nameOf(key), nowMs);
    return attempts ? { ...attempts, nowMs } : null;
  }

  /** @param durationMs 0 for a count that never ends */
  async _upsert(key: string, points: number, durationMs: number, anew = false): Promise<Counted> {
    const nowMs = this.#nowMs();
    const expiresAtMs = nowMs + (durationMs > 0 ? durationMs : NEVER_MS);
    return { ...(await this.#rateLimits.add(this.#nameOf(key), points, { nowMs, expiresAtMs, anew })), nowMs };
  }

  async _delete(key: string): Promise<boolean> {
    return this.#rateLimits.remove(this.#nameOf(key));
  }

  _getRateLimiterRes(_key: string, changed: number, { points, expiresAtMs, nowMs }: Counted): RateLimiterRes {
    return new RateLimiterRes(Math.max(this.points - points, 0), expiresAtMs - nowMs, points, points === changed);
  }
}

/** Whether a point could be consumed; the first one in it begins a period of so many seconds. */
export async function consumes(limiter: StoredRateLimiter, key: string, duration: number): Promise<boolean> {
  try {
    await limiter.consume(key, 1, { customDuration: duration });
    return true;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return false;
    throw refusal;
  }
}
