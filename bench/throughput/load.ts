// A process that sends one kind of request over kept connections, and says how long the answers took.
import { Agent, request } from 'node:http';

/** One kind of request, sent again and again. */
export interface Shot {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** of the same length, sent in turn with it */
  readonly others?: readonly string[];
  /** what the answer must contain: a fast refusal is no result */
  readonly expected: string;
}

export interface Order {
  readonly shot: Shot;
  readonly count: number;
  readonly connections: number;
}

/** Times in milliseconds. */
export interface Latencies {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Sends all of it; rejects at the first answer that is not as expected. */
async function fire({ shot, count, connections }: Order): Promise<Latencies> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  let left = count;
  const startedAt = performance.now();
  const sendInTurn = async () => {
    while (left-- > 0) times.push(await send(shot, nextBody(shot), agent));
  };
  await Promise.all(Array.from({ length: connections }, sendInTurn));
  const seconds = (performance.now() - startedAt) / 1000;
  agent.destroy();
  times.sort((a, b) => a - b);
  const percentile = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { requestsPerSecond: count / seconds, p50: percentile(0.5), p99: percentile(0.99) };
}

/** Whose turn it is, by the first body of a shot: the next round goes on where the last one ended. */
const turns = new Map<string, number>();

function nextBody({ body, others = [] }: Shot): string {
  const turn = turns.get(body) ?? 0;
  turns.set(body, (turn + 1) % (others.length + 1));
  return others[turn - 1] ?? body;
}

function send({ port, path, headers, expected }: Shot, body: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const sent = request({ port, path, agent, host: '127.0.0.1', method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode === 200 && text.includes(expected)) resolve(performance.now() - startedAt);
        else reject(new Error(`${path} answered ${response.statusCode}: ${text.slice(0, 300)}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

if (process.send) {
  process.on('message', (order: Order) => {
    fire(order).then(
      (latencies) => process.send?.({ latencies }),
      (error: Error) => process.send?.({ failure: error.message }),
    );
  });
}
