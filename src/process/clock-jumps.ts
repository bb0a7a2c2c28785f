// Notices that the clock of the machine was set: compared with one that only ever runs on.
import type { Clock } from '../store.ts';

/** Smaller ones, in seconds, are what keeping the time takes. */
const JUMP = 60;

/**
 * Answers, each time, by how many seconds the clock jumped since the time before: positive is forward, 0 is not at all.
 * A machine that slept looks like a jump forward.
 * @param steady seconds since some moment
 */
export function watchClock(clock: Clock, steady: () => number = () => performance.now() / 1000): () => number {
  const offset = () => clock() - steady();
  let last = offset();
  return () => {
    const before = last;
    last = offset();
    const jump = Math.round(last - before);
    return Math.abs(jump) > JUMP ? jump : 0;
  };
}
