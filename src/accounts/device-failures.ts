// Failures of all known devices of an account together: whoever had its password once may have made many of them.
import type { Clock, RateLimits } from '../store.ts';
import { StoredRateLimiter } from './stored-rate-limiter.ts';

/** seconds */
const PERIOD = 30 * 24 * 60 * 60;

export interface DeviceFailures {
  /** False when known devices have failed too often, and are none any more. What it admits has to be ended. */
  begin(key: string): Promise<boolean>;
  end(key: string, outcome: 'failed' | 'other'): Promise<void>;
  clear(key: string): Promise<void>;
}

/** @param parts.max failures in 30 days, whatever succeeded between them */
export function createDeviceFailures(parts: {
  rateLimits: RateLimits;
  clock: Clock;
  nameOf(key: string): string;
  max: number;
}): DeviceFailures {
  const { max, ...counter } = parts;
  const failures = new StoredRateLimiter({ ...counter, keyPrefix: 'devices', points: max, duration: PERIOD });
  /** Attempts that this process is making: they are written when they have failed. */
  const underWay = new Map<string, number>();

  return {
    async begin(key) {
      const failed = (await failures.get(key))?.consumedPoints ?? 0;
      const others = underWay.get(key) ?? 0;
      if (failed + others >= max) return false;
      underWay.set(key, others + 1);
      return true;
    },
    async end(key, outcome) {
      try {
        if (outcome === 'failed') await failures.penalty(key);
      } finally {
        const others = (underWay.get(key) ?? 0) - 1;
        if (others > 0) underWay.set(key, others);
        else underWay.delete(key);
      }
    },
    async clear(key) {
      await failures.delete(key);
    },
  };
}
