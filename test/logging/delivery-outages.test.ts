// Tests the delivery of log lines to log services that refuse, hang, break and come back.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UnsecuredJWT } from 'jose';
import { entry, numbered, pushAll, useLogService } from './delivery-support.ts';
import { type Behaviour, hang, LogService, reset, status } from './log-service.ts';

describe('log delivery in trouble', () => {
  const logs = useLogService();

  it('keeps lines while no token can be issued', async () => {
    const real = logs.open(logs.service.url).state;
    let works = false;
    const { delivery, local } = logs.open(logs.service.url, {
      token: async () => {
        if (!works) throw new Error('keys are locked');
        return new UnsecuredJWT({ exp: real.now + 900 }).encode();
      },
    });
    delivery.push(entry('one'));
    await delivery.drain(20);
    assert.equal(local.lines[0]?.['reason'], 'keys are locked');
    works = true;
    await delivery.drain(2000);
    assert.deepEqual(logs.service.messages, ['one']);
  });

  const refusals: [string, number][] = [
    ['a malformed line', 400],
    ['a missing right', 403],
    ['a wrong address', 404],
    ['too large a line', 413],
    ['a wrong media type', 415],
  ];
  for (const [reason, code] of refusals) {
    it(`gives up a line that is refused for ${reason} (${code}) and goes on with the next`, async () => {
      logs.service.behaviour = (response, { body }) => response.writeHead(body.message === 'bad' ? code : 200).end();
      const { delivery, local } = logs.open(logs.service.url);
      pushAll(delivery, ['bad', 'good']);
      await delivery.drain(2000);
      assert.deepEqual(logs.service.messages.slice(0, 2), ['bad', 'good']);
      assert.equal(delivery.stats().dropped, 1);
      assert.equal(local.lines[0]?.['reason'], `HTTP ${code}`);
    });
  }

  it('gives up a line that the service fails on every time, so that it does not hold up the others', async () => {
    logs.service.behaviour = (response, { body }) => response.writeHead(body.message === 'poison' ? 500 : 200).end();
    const { delivery } = logs.open(logs.service.url);
    pushAll(delivery, ['poison', 'good']);
    await delivery.drain(5000);
    assert.equal(logs.service.messages.filter((message) => message === 'poison').length, 10);
    assert.ok(logs.service.messages.includes('good'));
    assert.equal(delivery.stats().dropped, 1);
  });

  const drip: Behaviour = (response) => {
    response.writeHead(200, { 'content-length': '1000000' });
    response.write('x');
  };
  const tenMegabytes: Behaviour = (response) => {
    response.on('error', () => {});
    response.writeHead(200).end(Buffer.alloc(10_485_760));
  };
  for (const [kind, behaviour] of [
    ['never ends', drip],
    ['is 10 MB long', tenMegabytes],
  ] as const) {
    it(`counts a line as delivered when the answer is 200 and ${kind}`, async () => {
      logs.service.behaviour = behaviour;
      const { delivery } = logs.open(logs.service.url, { timeoutMs: 400 });
      pushAll(delivery, ['one', 'two']);
      await delivery.drain(5000);
      assert.deepEqual(logs.service.messages, ['one', 'two']);
      assert.deepEqual(delivery.stats(), { queued: 0, delivered: 2, dropped: 0 });
    });
  }

  const outages: [string, Behaviour, string | RegExp][] = [
    ['breaks connections', reset, /UND_ERR_SOCKET|ECONNRESET/],
    ['hangs', hang, 'no answer within 400 ms'],
    ['sends headers byte by byte', (response) => void response.socket?.write('H'), 'no answer within 400 ms'],
    ['answers 500', status(500), 'HTTP 500'],
    ['answers 503', status(503), 'HTTP 503'],
    ['answers 429', status(429), 'HTTP 429'],
    ['redirects', status(307, { location: 'http://127.0.0.1:9/log' }), 'HTTP 307'],
  ];
  for (const [kind, behaviour, reason] of outages) {
    it(`waits while the service ${kind}: bounded, dropping the oldest, and delivers the rest afterwards`, async () => {
      logs.service.behaviour = behaviour;
      const { delivery, local, state } = logs.open(logs.service.url, { queueLimit: 5, timeoutMs: 400 });
      delivery.push(entry('first'));
      await logs.service.arrivals(1);
      pushAll(delivery, numbered(1, 100));
      assert.ok(delivery.stats().queued <= 6);
      // From its second arrival on, the one under way is back in the queue or given up.
      await logs.service.arrivals(2);
      pushAll(delivery, numbered(101, 105));
      const { delivered, dropped } = delivery.stats();
      assert.equal(delivered, 0);
      assert.ok(dropped >= 95);
      const before = logs.service.received.length;
      logs.service.behaviour = status(200);
      await delivery.drain(5000);
      const messages = logs.service.messages.slice(before);
      for (const message of numbered(101, 105)) assert.ok(messages.includes(message), message);
      assert.ok(!messages.includes('line 50'));
      assert.equal(delivery.stats().queued, 0);
      const { msg, reason: said } = local.lines[0] ?? {};
      assert.equal(msg, 'the log service does not take lines');
      assert.match(String(said), reason instanceof RegExp ? reason : new RegExp(`^${reason}$`));
      const told = logs.service.received.filter(({ body }) => body.message.startsWith('log lines were dropped'));
      assert.equal(told.length, 1);
      assert.equal(told[0]?.body.context['dropped'], state.drops);
    });
  }

  it('waits while nothing listens at the address', async () => {
    const spare = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => spare.once('listening', resolve));
    const { port } = spare.address() as AddressInfo;
    await new Promise((resolve) => spare.close(resolve));
    const { delivery, local } = logs.open(`http://127.0.0.1:${port}`);
    pushAll(delivery, numbered(1, 3));
    await delivery.drain(50);
    assert.deepEqual(delivery.stats(), { queued: 3, delivered: 0, dropped: 0 });
    assert.equal(local.lines[0]?.['reason'], 'ECONNREFUSED');
  });

  it('never follows a redirect', async () => {
    await using elsewhere = await LogService.start();
    logs.service.behaviour = status(307, { location: `${elsewhere.url}/log` });
    const { delivery } = logs.open(logs.service.url);
    delivery.push(entry('one'));
    await logs.service.arrivals(2);
    assert.deepEqual(elsewhere.received, []);
  });

  it('reports its troubles at most once a minute, and never to the service that has them', async () => {
    logs.service.behaviour = status(503);
    const { delivery, local, state } = logs.open(logs.service.url);
    pushAll(delivery, numbered(1, 3));
    await logs.service.arrivals(5);
    assert.equal(local.lines.length, 1);
    state.now += 60;
    await logs.service.arrivals(7);
    assert.equal(local.lines.length, 2);
    assert.deepEqual(
      logs.service.messages.filter((message) => !message.startsWith('line')),
      [],
    );
  });

  it('says on recovery, once, that nothing was dropped', async () => {
    logs.service.behaviour = status(503);
    const { delivery, local } = logs.open(logs.service.url);
    pushAll(delivery, numbered(1, 3));
    await logs.service.arrivals(2);
    logs.service.behaviour = status(200);
    await delivery.drain(2000);
    assert.deepEqual(
      local.lines.map(({ msg }) => msg),
      ['the log service does not take lines', 'the log service takes lines again, none was dropped'],
    );
    assert.equal(delivery.stats().delivered, 3);
  });
});
