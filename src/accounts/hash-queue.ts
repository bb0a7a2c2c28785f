// Lets a few expensive jobs run at once, a few more wait for a moment, and refuses the rest.

/** Too many passwords wait to be hashed: becomes 503 with `Retry-After` (security.md R51). */
export class PasswordQueueFull extends Error {
  override name = 'PasswordQueueFull';
}

/**
 * Runs a job as soon as a place is free, in the order of arrival, but urgent ones before all others.
 * @throws PasswordQueueFull at once, without running the job, when too many wait already
 */
export interface HashQueue {
  <T>(job: () => Promise<T>, urgency?: Urgency): Promise<T>;
  /** How many jobs are done in that time, going by how long they took lately. */
  within(ms: number): number;
}

export interface Urgency {
  /** Waits for other urgent ones only. */
  urgent: boolean;
}

/** How much the latest job says about the next one's time. */
const WEIGHT = 0.2;

/**
 * A queue for at most `concurrency` running and `maxQueue` waiting jobs, none of which would wait for longer than
 * `maxWaitMs`, going by how long jobs took lately.
 */
export function createHashQueue(concurrency: number, maxQueue: number, maxWaitMs = 2_000): HashQueue {
  const urgent: (() => void)[] = [];
  const ordinary: (() => void)[] = [];
  let running = 0;
  let usualMs = 0;

  function leave(): void {
    const next = urgent.shift() ?? ordinary.shift();
    if (next) next();
    else running -= 1;
  }

  async function enter(queue: (() => void)[]): Promise<void> {
    if (running < concurrency) {
      running += 1;
      return;
    }
    const before = queue === urgent ? urgent.length : urgent.length + ordinary.length;
    const waitMs = (Math.floor(before / concurrency) + 1) * usualMs;
    if (before >= maxQueue || (before > 0 && waitMs > maxWaitMs)) {
      throw new PasswordQueueFull('too many passwords are being checked');
    }
    await new Promise<void>((resolve) => {
      queue.push(resolve);
    });
  }

  async function run<T>(job: () => Promise<T>, urgency?: Urgency): Promise<T> {
    await enter(urgency?.urgent ? urgent : ordinary);
    const startedAt = performance.now();
    try {
      return await job();
    } finally {
      usualMs += WEIGHT * (performance.now() - startedAt - usualMs);
      leave();
    }
  }

  return Object.assign(run, { within: (ms: number) => Math.floor((ms / usualMs) * concurrency) });
}
