// What the tests of the log delivery share: a log service and deliveries to it that end with each test.
import assert from 'node:assert/strict';
import { UnsecuredJWT } from 'jose';
import { createLogDelivery, type LogDelivery, type LogDeliveryOptions } from '../../src/logging/delivery.ts';
import { createLogger, type LogEntry } from '../../src/logging/logger.ts';
import { LogService } from './log-service.ts';
import { createRecording } from './recording.ts';

/** A line that says this. */
export const entry = (message: string): LogEntry => ({ level: 'INFO', message, context: { user: 'alice' } });

/** `line 1`, `line 2` and so on. */
export const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);

/** Pushes one line per message. */
export function pushAll(delivery: LogDelivery, messages: string[]): void {
  for (const message of messages) delivery.push(entry(message));
}

/** Unless told otherwise one request at a time, and next to no pauses. */
function setUp(url: string, options: Partial<LogDeliveryOptions> = {}) {
  const local = createRecording();
  const state = { now: 1_000_000, drops: 0, tokens: [] as string[] };
  const delivery = createLogDelivery({
    url,
    service: 'identity-backend',
    token: async () => {
      const token = new UnsecuredJWT({ n: state.tokens.length, exp: state.now + 900 }).encode();
      state.tokens.push(token);
      return token;
    },
    clock: () => state.now,
    logger: createLogger({ level: 'info', destination: local }),
    onDrop: () => {
      state.drops += 1;
    },
    concurrency: 1,
    pause: { firstMs: 1, longestMs: 4 },
    ...options,
  });
  return { delivery, local, state };
}

/**
 * Registers hooks that start a log service before each test of the suite and end it afterwards, with every delivery
 * that the test opened; then no token may stand in any local log, and every drop must have been told.
 */
export function useLogService(): { readonly service: LogService; open: typeof setUp } {
  let service: LogService;
  const running: ReturnType<typeof setUp>[] = [];
  beforeEach(async () => {
    service = await LogService.start();
  });
  afterEach(async () => {
    for (const { delivery, local, state } of running.splice(0)) {
      await end(delivery);
      for (const token of state.tokens) assert.ok(!local.text.includes(token), 'a token was logged');
      assert.equal(delivery.stats().dropped, state.drops);
    }
    await service[Symbol.asyncDispose]();
  });
  return {
    get service() {
      return service;
    },
    open(...args) {
      const opened = setUp(...args);
      running.push(opened);
      return opened;
    },
  };
}

async function end(delivery: LogDelivery): Promise<void> {
  const drained = delivery.drain(2000);
  delivery.stop();
  await drained;
}
