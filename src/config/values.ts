// How one value of the environment becomes typed, or a problem that may be printed.
import { z } from 'zod';

/**
 * A value that `parse` understands; `undefined` from it is the problem `must be EXPECTED, got "…"`. Not for secrets:
 * the problem quotes the value.
 */
export function reading<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue(`must be ${expected}, got ${shown(text)}`);
    return z.NEVER;
  });
}

/** A value quoted for a message: cut to a line, without the user name and password that stand before an `@`. */
export function shown(text: string): string {
  const safe = text.replace(/^.*@/s, '…@');
  return JSON.stringify(safe.length > 80 ? `${safe.slice(0, 80)}…` : safe);
}
