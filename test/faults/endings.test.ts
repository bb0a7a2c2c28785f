// Behaviour of SIGTERM under load: whoever got through to the process gets an answer (R74).
import assert from 'node:assert/strict';
import { endRepeatedly } from './endings.ts';
import { sqlite } from './support/databases.ts';
import { long } from './support/length.ts';

describe('Faults: endings', function () {
  this.timeout(long ? 1_200_000 : 120_000);

  it('drops no request of 16 clients while processes are replaced one after the other', async () => {
    const { dropped, badExits, endings, slowestEndMs } = await endRepeatedly(sqlite, long ? 10_000 : 500);
    assert.deepEqual({ dropped, badExits }, { dropped: [], badExits: [] });
    assert.ok(endings > 0);
    assert.ok(slowestEndMs <= 10_000, `ending took ${slowestEndMs} ms`);
  });
});
