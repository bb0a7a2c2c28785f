// Sends many requests at one moment, each over a connection of its own, with next to no work of its own.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface FirstByte {
  readonly status: number;
  /** until the answer began */
  readonly ms: number;
}

/** @param requests whole HTTP requests, as they go over the wire */
export async function fireVolley(port: number, requests: readonly string[]): Promise<FirstByte[]> {
  const sockets = await Promise.all(requests.map(() => open(port)));
  const answers = sockets.map((socket, at) => answerOf(socket, String(requests[at])));
  return Promise.all(answers);
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

function answerOf(socket: Socket, request: string): Promise<FirstByte> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    socket.on('error', reject);
    socket.once('data', (chunk) => {
      const ms = performance.now() - startedAt;
      socket.destroy();
      resolve({ status: Number(chunk.toString('latin1', 9, 12)), ms });
    });
    socket.write(request);
  });
}
