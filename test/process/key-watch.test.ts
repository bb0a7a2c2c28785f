// The watch over the signing keys of a running process: keeps the schedule, follows changes, outlives outages.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { keyState } from '../../src/keys/schedule.ts';
import { createLogger } from '../../src/logging/logger.ts';
import { startKeyWatch } from '../../src/process/key-watch.ts';
import { type Service, startService } from '../support/service.ts';

const DAY = 86_400;

describe('the watch over the signing keys', () => {
  let now: number;
  let service: Service;
  let log: string[];

  beforeEach(async () => {
    now = 1_800_000_000;
    log = [];
    service = await startService({}, { clock: () => now });
  });
  afterEach(() => service[Symbol.asyncDispose]());

  function watch(changes: Partial<Service['app']['keys']> = {}): Disposable {
    return startKeyWatch({
      keys: { ...service.app.keys, ...changes },
      store: service.store,
      schedule: service.config.keySchedule,
      logger: createLogger({ level: 'info', destination: { write: (line) => void log.push(line) } }),
      clock: () => now,
    });
  }

  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!(await isSo())) {
      assert.ok(performance.now() < deadline, log.join(''));
      await pause(20);
    }
  }

  const published = async () => {
    const { keys } = (await (await fetch(`${service.origin}/jwks`)).json()) as { keys: unknown[] };
    return keys.length;
  };

  it('publishes the next keys when it is time, and the service has them', async () => {
    now += 77 * DAY;
    using _ = watch();
    await until(async () => (await published()) === 8);
    assert.ok(service.log.some((line) => line.includes('"signingKeyPublished"')));
    const states = (await service.store.keys.times()).map((key) => keyState(key, now));
    assert.deepEqual(states.toSorted(), [...Array(4).fill('next'), ...Array(4).fill('signing')]);
  });

  it('leaves the schedule to the process that keeps it, and yet follows', async () => {
    now += 77 * DAY;
    assert.equal(await service.store.takeLease('keys', 'another process', 180), true);
    let refreshed = 0;
    using _ = watch({
      async refresh() {
        refreshed += 1;
      },
    });
    await until(() => refreshed >= 2);
    assert.equal((await service.store.keys.times()).length, 4);
  });

  it('says once that changes cannot be taken up, and goes on trying', async () => {
    let attempts = 0;
    using _ = watch({
      isDue: () => true,
      async refresh() {
        attempts += 1;
        if (attempts < 4) throw new Error('the database is gone');
      },
    });
    await until(() => attempts >= 5);
    assert.equal(log.filter((line) => line.includes('could not be taken up')).length, 1);
  });
});
