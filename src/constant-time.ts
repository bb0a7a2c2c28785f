// Compares what somebody presents with what only we can make.
import { timingSafeEqual } from 'node:crypto';

/** Whether both are the same; how long it takes tells nothing but their lengths. */
export function isSameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
