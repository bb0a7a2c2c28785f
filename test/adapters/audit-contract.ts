// What every engine promises about the audit trail.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { AuditEvent, AuditFilter, Store } from '../../src/store.ts';
import { box, createManualClock, type TestDatabase, type TestEngine } from './fixtures/temporary-database.ts';

const DAY = 24 * 60 * 60;

export function describeAuditContract(engine: TestEngine): void {
  describe(`the audit trail in ${engine.name}`, () => {
    const clock = createManualClock();
    let database: TestDatabase;
    let store: Store;

    beforeEach(async () => {
      database = await engine.createDatabase();
      store = await database.open({ clock: clock.read, box });
      await store.migrate();
    });

    afterEach(async () => {
      await store[Symbol.asyncDispose]();
      await database.drop();
    });

    const eventAt = (at: number, id: string, more: Partial<AuditEvent> = {}): AuditEvent => {
      return { id, at, event: 'tokenIssued', facts: {}, ...more };
    };
    const idsOf = async (filter: Partial<AuditFilter> = {}) =>
      (await store.auditEvents.list({ limit: 1000, ...filter })).map(({ id }) => id);

    it('lists what was appended, oldest first, with every fact', async () => {
      const facts = { ip: '192.0.2.1', requestId: 'r', scope: "a 'b' ü %", nested: [1, null] };
      const full = eventAt(2, 'b', { clientId: 'web', accountId: 'a1', facts });
      await store.auditEvents.append([full, eventAt(1, 'z')]);
      await store.auditEvents.append([eventAt(2, 'a')]);
      await store.auditEvents.append([]);
      assert.deepEqual(await store.auditEvents.list({ limit: 10 }), [eventAt(1, 'z'), eventAt(2, 'a'), full]);
    });

    it('appends a batch of any size, and an event that is there already only once', async () => {
      const events = Array.from({ length: 141 }, (_, n) => eventAt(n, `e${n}`));
      await store.auditEvents.append(events.slice(0, 9));
      await store.auditEvents.append(events);
      assert.deepEqual(
        await idsOf(),
        events.map(({ id }) => id),
      );
    });

    it('lists the newest that meet every condition', async () => {
      await store.auditEvents.append([
        eventAt(1, 'old', { clientId: 'web', accountId: 'alice' }),
        eventAt(2, 'web', { clientId: 'web' }),
        eventAt(3, 'both', { clientId: 'web', accountId: 'alice', event: 'loginFailed' }),
        eventAt(4, 'alice', { accountId: 'alice' }),
        eventAt(5, 'other', { clientId: 'other' }),
      ]);
      assert.deepEqual(await idsOf({ clientId: 'web' }), ['old', 'web', 'both']);
      assert.deepEqual(await idsOf({ accountId: 'alice' }), ['old', 'both', 'alice']);
      assert.deepEqual(await idsOf({ clientId: 'web', accountId: 'alice', since: 2 }), ['both']);
      assert.deepEqual(await idsOf({ event: 'loginFailed' }), ['both']);
      assert.deepEqual(await idsOf({ event: ['loginFailed', 'logoutSucceeded'] }), ['both']);
      assert.deepEqual(await idsOf({ event: ['tokenIssued', 'loginFailed'], limit: 3 }), ['both', 'alice', 'other']);
      assert.deepEqual(await idsOf({ since: 3 }), ['both', 'alice', 'other']);
      assert.deepEqual(await idsOf({ limit: 2 }), ['alice', 'other']);
      for (const clientId of ['%', "' or 1=1 --", '']) assert.deepEqual(await idsOf({ clientId }), []);
    });

    it('is swept after 90 days, at most so many events at a time', async () => {
      const old = clock.now - 90 * DAY - 61; // a minute of tolerance, as for everything that is swept
      await store.auditEvents.append([eventAt(old, 'a'), eventAt(old, 'b'), eventAt(old - 1, 'c')]);
      await store.auditEvents.append([eventAt(old + 1, 'kept'), eventAt(clock.now, 'new')]);
      assert.deepEqual(await store.sweep(1), { rows: 1, more: true });
      let [rows, more] = [0, true];
      while (more) {
        const swept = await store.sweep(2); // on a busy machine its time is up before it has reached the end
        rows += swept.rows;
        more = swept.more;
      }
      assert.equal(rows, 2);
      assert.deepEqual(await idsOf(), ['kept', 'new']);
    });
  });
}
