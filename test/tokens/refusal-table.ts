// One table of refusals: every token in it gets the same bytes, so that nobody learns the cause from them.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Verification } from '../../src/tokens/verification.ts';

/** Passes when the answer is, byte for byte, the one given to whoever does not hold a genuine token. */
export function assertUnverifiable(verification: Verification) {
  assert.equal(JSON.stringify(verification), '{"valid":false,"error":"invalid_token","reason":"unverifiable"}');
}

/** A story per case of name and token. */
export function refuses(
  title: string,
  verify: (token: string) => Promise<Verification>,
  cases: Iterable<readonly [string, string]>,
) {
  describe(title, () => {
    for (const [name, token] of cases) it(`refuses ${name}`, async () => assertUnverifiable(await verify(token)));
  });
}
