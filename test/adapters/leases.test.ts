// Leases: two processes on one database, and who of them may do the work, on each engine.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { Store } from '../../src/store.ts';
import { box, createManualClock, postgres, sqlite, type TestDatabase } from './fixtures/temporary-database.ts';

for (const engine of [sqlite, postgres]) {
  describe(`a lease in ${engine.name}`, () => {
    let database: TestDatabase;
    let one: Store;
    let other: Store;
    let clock: ReturnType<typeof createManualClock>;
    /** Names do not meet those of the tests before: not everything is emptied between them. */
    let name: string;
    let tests = 0;

    beforeEach(async function () {
      this.timeout(60_000);
      tests += 1;
      name = `work ${tests}`;
      clock = createManualClock();
      database = await engine.createDatabase();
      one = await database.open({ clock: clock.read, box });
      other = await database.open({ clock: clock.read, box });
      await one.migrate();
    });
    afterEach(async () => {
      await one[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
      await database.drop();
    });

    it('belongs to who takes it first, who renews it, until it is over', async () => {
      assert.equal(await one.takeLease(name, 'one', 60), true);
      assert.equal(await other.takeLease(name, 'other', 60), false);
      clock.now += 59;
      assert.equal(await one.takeLease(name, 'one', 60), true);
      clock.now += 59;
      assert.equal(await other.takeLease(name, 'other', 60), false);
      clock.now += 1;
      assert.equal(await other.takeLease(name, 'other', 60), true);
      assert.equal(await one.takeLease(name, 'one', 60), false);
    });

    it('belongs to one of those who find it free at once, new or over', async () => {
      for (let round = 0; round < 10; round += 1) {
        const holders = ['a', 'b', 'c', 'd', 'e', 'f'].map((holder) => `${holder}${round}`);
        const taken = await Promise.all(
          holders.map((holder, index) => (index % 2 === 0 ? one : other).takeLease(name, holder, 60)),
        );
        assert.equal(taken.filter(Boolean).length, 1, `round ${round}`);
        const winner = holders[taken.indexOf(true)] as string;
        assert.equal(await other.takeLease(name, winner, 60), true, 'the one who was told so');
        clock.now += 60;
      }
    });

    it('is one of many: those of other names are free', async () => {
      assert.equal(await one.takeLease(name, 'one', 60), true);
      assert.equal(await other.takeLease(`${name} of another kind`, 'other', 60), true);
    });

    it('holds nobody up when the clock that it was taken by is set back an hour', async () => {
      assert.equal(await one.takeLease(name, 'one', 60), true);
      clock.now -= 3_600;
      assert.equal(await other.takeLease(name, 'other', 60), true);
    });
  });
}
