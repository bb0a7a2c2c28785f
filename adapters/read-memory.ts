// Remembers what was read until something is committed: for the few rows that nearly every request asks for.
import type { Engine } from './engine.ts';

/**
 * The same search, which reads a key once for each version of the database. What it answers is never older than the callback
 * of the event loop that asks: a commit of this process counts at once, one of another process for every request that comes
 * after it.
 * Where the engine knows no versions, every search reads.
 * @param read answers with something that nobody changes
 * @param limit most keys; beyond, it begins anew
 */
export function rememberReads<Found>(
  engine: Pick<Engine, 'version'>,
  read: (key: string) => Promise<Found>,
  limit = 1_000,
): (key: string) => Promise<Found> {
  const answers = new Map<string, Promise<Found>>();
  let answersAreOf: number | undefined;

  return (key) => {
    const version = engine.version();
    if (version === undefined) return read(key);
    if (version !== answersAreOf || answers.size >= limit) answers.clear();
    answersAreOf = version;
    const last = answers.get(key);
    if (last) return last;
    // it may read later than now, and so know more than this version, but never less
    const answer = read(key);
    answers.set(key, answer);
    answer.catch(() => answers.get(key) === answer && answers.delete(key));
    return answer;
  };
}
