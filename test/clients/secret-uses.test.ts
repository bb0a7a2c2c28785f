// When the uses of client secrets are recorded, and that nobody waits for it.
import assert from 'node:assert/strict';
import { createSecretUses } from '../../src/clients/secret-uses.ts';

describe('uses of client secrets', () => {
  it('are recorded at most once an hour for each secret', () => {
    let now = 1_800_000_000;
    const recorded: unknown[] = [];
    const record = createSecretUses({
      uses: { recordSecret: async (...use) => void recorded.push(use) },
      clock: () => now,
    });
    record('web', 'first');
    record('web', 'second');
    now += 3_599;
    record('web', 'first');
    now += 1;
    record('web', 'first');
    assert.deepEqual(recorded, [
      ['web', 'first', 1_800_000_000],
      ['web', 'second', 1_800_000_000],
      ['web', 'first', 1_800_003_600],
    ]);
  });

  it('are tried again with the next use when the database was out', async () => {
    let out = true;
    let tries = 0;
    const record = createSecretUses({
      uses: {
        async recordSecret() {
          tries += 1;
          if (out) throw new Error('out');
        },
      },
      clock: () => 1,
    });
    record('web', 'first');
    await Promise.resolve();
    out = false;
    record('web', 'first');
    await Promise.resolve();
    record('web', 'first');
    assert.equal(tries, 2);
  });
});
