// A client that writes its request by hand, piece by piece, and sees when its connection is closed.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** One connection. */
export class SlowClient {
  readonly #socket: Socket;
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text) => {
      this.#received += text;
    });
    socket.on('error', () => {});
  }

  static async connect(origin: string): Promise<SlowClient> {
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new SlowClient(socket);
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  /** Everything that was answered until the other side closed the connection. */
  async all(): Promise<string> {
    if (!this.#socket.closed) await once(this.#socket, 'close');
    return this.#received;
  }

  /** Resolves when the answer so far has these words. */
  async until(words: string): Promise<void> {
    while (!this.#received.includes(words)) await once(this.#socket, 'data');
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
