// Finds ports for programs that must be told where to listen.
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that the system hands out by itself: none of these is taken by a passing connection, or by a test that
 * listens on any free port, before the program listens there.
 */
const RANGE = { first: 20_000, count: 12_000 };

/** Test processes that run side by side begin far apart. */
let next = (process.pid * 1_009) % RANGE.count;

/** Free on loopback now, and not given out again by this process. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = RANGE.first + next;
    next = (next + 1) % RANGE.count;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return Number(port);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}
