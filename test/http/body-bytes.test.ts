// Bodies whose peers go away before they are read whole: nobody waits for the rest.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { receiveBody } from '../../src/http/body-bytes.ts';

describe('receiving a body', () => {
  let server: Server;
  before(async () => {
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  /** A request with these bytes of a body of four, and the end of its peer. */
  async function arrive(body: string): Promise<{ request: IncomingMessage; leave: () => Promise<void> }> {
    const requested = once(server, 'request');
    const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
    socket.write(`POST / HTTP/1.1\r\nHost: id.example.com\r\nContent-Length: 4\r\n\r\n${body}`);
    const [request] = (await requested) as [IncomingMessage];
    const leave = () => {
      socket.destroy();
      return new Promise<void>((resolve) => {
        if (request.closed) resolve();
        else request.on('close', resolve);
      });
    };
    return { request, leave };
  }

  it('answers the whole body', async () => {
    const { request, leave } = await arrive('abcd');
    assert.equal(String(await receiveBody(request)), 'abcd');
    await leave();
  });

  const failure = { error: 'invalid_request', error_description: 'failed to read the request body' };
  for (const [what, body] of [
    ['half a body', 'ab'],
    ['a whole body that nobody has read', 'abcd'],
  ] as const) {
    it(`fails when the peer has gone before: ${what}`, async () => {
      const { request, leave } = await arrive(body);
      await leave();
      await assert.rejects(receiveBody(request), failure);
    });
  }

  it('fails when the peer goes with half a body sent', async () => {
    const { request, leave } = await arrive('ab');
    const received = receiveBody(request);
    await Promise.all([assert.rejects(received, failure), leave()]);
  });
});
