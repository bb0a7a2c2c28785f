// Behaviour after SIGKILL: what was acknowledged holds, and what was in flight happened wholly or not at all (R75).
import assert from 'node:assert/strict';
import { killRepeatedly } from './kills.ts';
import { postgres, sqlite } from './support/databases.ts';
import { long } from './support/length.ts';

/**
 * Twenty take a minute, most of it for starting processes; `FAULTS=long` has two hundred.
 */
const KILLS = long ? 200 : 20;

/**
 * How long a process may take until it is ready, in milliseconds; where the machine is so busy that even a start without
 * anything to recover takes longer, no more than twice that.
 */
const READY_MS = 3_000;

describe('Faults: kills', function () {
  this.timeout(long ? 2_400_000 : 300_000);

  for (const [engine, kills] of [
    [sqlite, KILLS],
    [postgres, long ? 50 : 2],
  ] as const) {
    it(`loses nothing acknowledged on ${engine.name} in ${kills} kills under load, and lets nothing be used twice`, async () => {
      const { violations, acknowledged, firstReadyMs, readyMs } = await killRepeatedly(engine, kills);
      assert.deepEqual(violations.slice(0, 5), []);
      assert.ok(acknowledged > kills, `only ${acknowledged} requests were acknowledged`);
      const median = readyMs.toSorted((a, b) => a - b)[Math.floor(readyMs.length / 2)] ?? Number.NaN;
      const allowed = Math.max(READY_MS, 2 * firstReadyMs);
      assert.ok(median <= allowed, `ready after ${median} ms, the first time after ${firstReadyMs} ms`);
    });
  }
});
