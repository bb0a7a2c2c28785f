// Tests that audit events reach the store in order, off the request path, and that none is lost silently.
import assert from 'node:assert/strict';
import { createAuditTrail } from '../../src/logging/audit-trail.ts';
import {
  cleanFacts,
  createEventFactory,
  type EventFacts,
  type EventName,
  tokenHash,
} from '../../src/logging/events.ts';
import { createLogger } from '../../src/logging/logger.ts';
import { type AuditEvent, StoreUnavailable } from '../../src/store.ts';
import { createRecording } from './recording.ts';

const event = (id: string): AuditEvent => ({ id, at: 1, event: 'tokenIssued', facts: {} });

/** A store whose every write waits until the test lets it go on, or fail. */
function createHeldStore() {
  const kept: string[][] = [];
  const asked: (() => void)[] = [];
  let down = false;
  return {
    kept,
    setDown(value: boolean) {
      down = value;
    },
    /** Resolves at the next write. */
    nextWrite: () => new Promise<void>((resolve) => asked.push(resolve)),
    async append(events: readonly AuditEvent[]): Promise<void> {
      const failing = down;
      asked.shift()?.();
      if (failing) throw new StoreUnavailable('gone');
      kept.push(events.map(({ id }) => id));
    },
  };
}

describe('audit trail', () => {
  const start = (options: { queueLimit?: number; batch?: number } = {}) => {
    const store = createHeldStore();
    const recording = createRecording();
    const trail = createAuditTrail({
      append: store.append,
      lossOf: (lost) => event(`lost ${lost}`),
      logger: createLogger({ level: 'info', destination: recording }),
      gatherMs: 1,
      retryMs: 1,
      ...options,
    });
    return { store, recording, trail };
  };

  it('writes what comes together in one batch, in order, and not before the caller goes on', async () => {
    const { store, trail, recording } = start();
    for (const id of ['a', 'b', 'c']) trail.record(event(id));
    assert.deepEqual(store.kept, []);
    await store.nextWrite();
    await trail[Symbol.asyncDispose]();
    assert.deepEqual(store.kept, [['a', 'b', 'c']]);
    assert.deepEqual(recording.lines, []);
  });

  it('writes no more than a batch at a time', async () => {
    const { store, trail } = start({ batch: 2 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) trail.record(event(id));
    await trail[Symbol.asyncDispose]();
    assert.deepEqual(store.kept, [['a', 'b'], ['c', 'd'], ['e']]);
  });

  it('keeps events while the store is down, and says so once', async () => {
    const { store, trail, recording } = start();
    store.setDown(true);
    trail.record(event('a'));
    await store.nextWrite();
    trail.record(event('b'));
    await store.nextWrite();
    store.setDown(false);
    await store.nextWrite();
    await trail[Symbol.asyncDispose]();
    assert.deepEqual(store.kept, [['a', 'b']]);
    assert.deepEqual(
      recording.lines.map(({ msg }) => msg),
      ['audit events cannot be kept now: they wait in memory', 'audit events are kept again'],
    );
  });

  it('counts what a full queue does not take, and records the number once the store is back', async () => {
    const { store, trail, recording } = start({ queueLimit: 2 });
    store.setDown(true);
    for (const id of ['a', 'b', 'c', 'd', 'e']) trail.record(event(id));
    await store.nextWrite();
    store.setDown(false);
    await store.nextWrite();
    await trail[Symbol.asyncDispose]();
    assert.deepEqual(store.kept, [['a', 'b', 'lost 3']]);
    assert.equal(recording.lines.at(-1)?.['lost'], 3);
  });

  it('says at the end how many could not be written', async () => {
    const { store, trail, recording } = start();
    store.setDown(true);
    trail.record(event('a'));
    trail.record(event('b'));
    await trail[Symbol.asyncDispose]();
    assert.equal(recording.lines.at(-1)?.['lost'], 2);
    assert.equal(recording.lines.at(-1)?.['level'], 50);
  });
});

describe('audit events', () => {
  const make = createEventFactory(() => 1_800_000_000);
  const newEvent = (event: EventName, facts: EventFacts) => make(event, cleanFacts(facts));

  it('have the time, the names and the facts that are known', () => {
    const facts = { clientId: 'web', accountId: undefined, ip: '192.0.2.1', requestId: 'r', reason: '' };
    const { id, ...made } = newEvent('loginFailed', facts);
    assert.ok(id);
    assert.deepEqual(made, {
      at: 1_800_000_000,
      event: 'loginFailed',
      clientId: 'web',
      facts: { ip: '192.0.2.1', requestId: 'r' },
    });
  });

  it('have ids that differ and sort in the order in which they were made', () => {
    const ids = Array.from({ length: 100 }, () => newEvent('tokenIssued', {}).id);
    assert.equal(new Set(ids).size, 100);
    assert.deepEqual(ids.toSorted(), ids);
    assert.notEqual(createEventFactory(() => 1)('tokenIssued', cleanFacts({})).id, ids[0]);
  });

  it('hold neither a token nor a control character', () => {
    const jwt = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.c`;
    const made = newEvent('tokenIssued', { tokenId: jwt, clientId: 'a\nb', reason: `\u001b[31m ${jwt} password=x` });
    assert.equal(made.facts['tokenHash'], tokenHash(jwt));
    assert.equal(made.clientId, 'a␊b');
    assert.ok(!/eyJ|password=x|\p{Cc}/u.test(JSON.stringify(made)), JSON.stringify(made));
  });
});
