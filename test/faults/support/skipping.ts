// Leaves a story out where the machine lacks what it needs, and says so in the report.

/** Ends the test as pending, with the reason behind its name. */
export function skipBecause(context: Mocha.Context, reason: string): never {
  if (context.test) context.test.title += ` (skipped: ${reason})`;
  return context.skip();
}
