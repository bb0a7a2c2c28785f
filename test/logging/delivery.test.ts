// Tests that log lines reach a working log service in its shape, off the caller's path, and what ends the delivery.
import assert from 'node:assert/strict';
import { createLogger } from '../../src/logging/logger.ts';
import { entry, numbered, pushAll, useLogService } from './delivery-support.ts';
import { hang, status } from './log-service.ts';
import { createRecording } from './recording.ts';

describe('log delivery', () => {
  const logs = useLogService();

  it('posts each line to /log as JSON with a bearer token', async () => {
    const { delivery, state } = logs.open(`${logs.service.url}/prefix/`);
    delivery.push({ level: 'INFO', message: 'signed in', context: { user: 'alice' } });
    await delivery.drain(2000);
    assert.deepEqual(logs.service.received, [
      {
        method: 'POST',
        path: '/prefix/log',
        authorization: `Bearer ${state.tokens[0]}`,
        contentType: 'application/json',
        body: { service: 'identity-backend', level: 'INFO', message: 'signed in', context: { user: 'alice' } },
      },
    ]);
    assert.deepEqual(delivery.stats(), { queued: 0, delivered: 1, dropped: 0 });
  });

  it('delivers on its own, without being drained', async () => {
    const { delivery } = logs.open(logs.service.url);
    delivery.push(entry('alone'));
    await logs.service.arrivals(1);
    assert.deepEqual(logs.service.messages, ['alone']);
  });

  it('takes what the logger forwards', async () => {
    const { delivery } = logs.open(logs.service.url);
    const logger = createLogger({ level: 'info', destination: createRecording(), forward: delivery.push });
    logger.warn({ user: 'alice' }, 'careful');
    await delivery.drain(2000);
    const [{ body } = assert.fail('nothing arrived')] = logs.service.received;
    const { time: _time, ...context } = body.context;
    assert.deepEqual(
      { ...body, context },
      {
        service: 'identity-backend',
        level: 'WARN',
        message: 'careful',
        context: { user: 'alice' },
      },
    );
  });

  it('sends many lines in order over few connections with one token', async () => {
    const { delivery, state } = logs.open(logs.service.url);
    pushAll(delivery, numbered(1, 50));
    await delivery.drain(2000);
    assert.deepEqual(logs.service.messages, numbered(1, 50));
    assert.ok(logs.service.connections <= 3);
    assert.equal(state.tokens.length, 1);
  });

  it('has at most as many requests under way as it may', async () => {
    logs.service.behaviour = hang;
    const { delivery } = logs.open(logs.service.url, { concurrency: 3, timeoutMs: 10_000 });
    pushAll(delivery, numbered(1, 20));
    await logs.service.arrivals(3);
    await delivery.drain(100);
    assert.equal(logs.service.received.length, 3);
    assert.equal(delivery.stats().queued, 20);
  });

  it('renews the token before it expires', async () => {
    const { delivery, state } = logs.open(logs.service.url);
    delivery.push(entry('one'));
    await delivery.drain(2000);
    state.now += 871;
    delivery.push(entry('two'));
    await delivery.drain(2000);
    assert.deepEqual(
      logs.service.received.map(({ authorization }) => authorization),
      state.tokens.map((token) => `Bearer ${token}`),
    );
    assert.equal(state.tokens.length, 2);
  });

  it('fetches a new token once when the service refuses the one it has (401)', async () => {
    const { delivery, state } = logs.open(logs.service.url);
    delivery.push(entry('one'));
    await delivery.drain(2000);
    logs.service.behaviour = (response, { authorization }) => {
      response.writeHead(authorization === `Bearer ${state.tokens[0]}` ? 401 : 200).end();
    };
    delivery.push(entry('two'));
    await delivery.drain(2000);
    assert.deepEqual(logs.service.messages, ['one', 'two', 'two']);
    assert.equal(state.tokens.length, 2);
    assert.deepEqual(delivery.stats(), { queued: 0, delivered: 2, dropped: 0 });
  });

  it('asks for at most one new token per attempt when every token is refused', async () => {
    logs.service.behaviour = status(401);
    const { delivery, state } = logs.open(logs.service.url);
    delivery.push(entry('one'));
    await logs.service.arrivals(6);
    delivery.stop();
    assert.equal(state.tokens.length, 4);
  });

  it('takes lines at once while the service hangs, and keeps no more than it may', async () => {
    logs.service.behaviour = hang;
    const { delivery } = logs.open(logs.service.url, { timeoutMs: 10_000, concurrency: 4 });
    delivery.push(entry('first'));
    await logs.service.arrivals(1);
    const start = performance.now();
    pushAll(delivery, numbered(1, 10_000));
    assert.ok(performance.now() - start < 5000);
    assert.deepEqual(delivery.stats(), { queued: 1001, delivered: 0, dropped: 9000 });
  });

  it('starts no request before the caller has finished its turn', async () => {
    const calls: string[] = [];
    const { delivery } = logs.open(logs.service.url, {
      fetch: async (input, init) => {
        calls.push(String(input));
        return fetch(input, init);
      },
    });
    delivery.push(entry('one'));
    await Promise.resolve();
    assert.deepEqual(calls, []);
    await logs.service.arrivals(1);
    assert.equal(calls.length, 1);
  });

  it('drains until the time is over when the service stays away', async () => {
    logs.service.behaviour = hang;
    const { delivery } = logs.open(logs.service.url, { timeoutMs: 10_000 });
    pushAll(delivery, numbered(1, 3));
    const start = performance.now();
    await delivery.drain(50);
    assert.ok(performance.now() - start < 1000);
    assert.equal(delivery.stats().queued, 3);
  });

  it('drains at once when there is nothing to deliver', async () => {
    const { delivery } = logs.open(logs.service.url);
    await delivery.drain(60_000);
    assert.deepEqual(logs.service.received, []);
  });

  it('does not wait for the end of a pause when it is drained', async () => {
    logs.service.behaviour = status(503);
    const { delivery } = logs.open(logs.service.url, { pause: { firstMs: 600_000, longestMs: 600_000 } });
    pushAll(delivery, numbered(1, 2));
    await logs.service.arrivals(1);
    await delivery.drain(20);
    logs.service.behaviour = status(200);
    await delivery.drain(2000);
    assert.equal(delivery.stats().delivered, 2);
  });

  it('counts as dropped what is left when it is stopped, and takes nothing more', async () => {
    logs.service.behaviour = hang;
    const { delivery, local } = logs.open(logs.service.url, { timeoutMs: 10_000 });
    pushAll(delivery, numbered(1, 3));
    await logs.service.arrivals(1);
    const drained = delivery.drain(60_000);
    delivery.stop();
    delivery.push(entry('late'));
    await drained;
    assert.deepEqual(delivery.stats(), { queued: 0, delivered: 0, dropped: 3 });
    assert.deepEqual(
      local.lines.map(({ msg, dropped }) => [msg, dropped]),
      [['log lines could not be delivered before the end', 3]],
    );
  });
});
