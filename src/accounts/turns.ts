// Lets jobs about the same thing wait for each other within this process.

/** Runs a job when fewer than so many of the same name are running, in the order of arrival. */
export type Turns = <T>(name: string, job: () => Promise<T>) => Promise<T>;

/** @param most how many of one name run at once */
export function createTurns(most: number): Turns {
  const byName = new Map<string, { running: number; waiting: (() => void)[] }>();

  return async (name, job) => {
    const jobs = byName.get(name) ?? { running: 0, waiting: [] };
    byName.set(name, jobs);
    if (jobs.running < most) jobs.running += 1;
    else await new Promise<void>((go) => void jobs.waiting.push(go));
    try {
      return await job();
    } finally {
      const next = jobs.waiting.shift();
      if (next) next();
      else jobs.running -= 1;
      if (jobs.running === 0) byName.delete(name);
    }
  };
}
