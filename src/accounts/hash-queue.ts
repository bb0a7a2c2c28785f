// Lets a few expensive jobs run at once, a few more wait, and refuses the rest.

/** Too many passwords wait to be hashed: becomes 503 with `Retry-After` (security.md R51). */
export class PasswordQueueFull extends Error {
  override name = 'PasswordQueueFull';
}

/**
 * Runs a job as soon as a place is free, in the order of arrival.
 * @throws PasswordQueueFull at once, without running the job, when `maxQueue` jobs wait already
 */
export type HashQueue = <T>(job: () => Promise<T>) => Promise<T>;

/** A queue for at most `concurrency` running and `maxQueue` waiting jobs. */
export function createHashQueue(concurrency: number, maxQueue: number): HashQueue {
  const waiting: (() => void)[] = [];
  let running = 0;

  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }

  async function enter(): Promise<void> {
    if (running < concurrency) {
      running += 1;
      return;
    }
    if (waiting.length >= maxQueue) throw new PasswordQueueFull('too many passwords are being checked');
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  }

  return async (job) => {
    await enter();
    try {
      return await job();
    } finally {
      leave();
    }
  };
}
