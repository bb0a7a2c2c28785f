// A process that asks for one token after the other at a steady rate, and says how long each answer took, and when.
import { Agent, request } from 'node:http';
import type { Shot } from '../throughput/load.ts';

export interface SteadyOrder {
  readonly shot: Shot;
  readonly perSecond: number;
}

/** One answer; times in milliseconds, `at` by the system's clock. */
export interface Sample {
  readonly at: number;
  readonly ms: number;
  readonly ok: boolean;
}

const samples: Sample[] = [];
const agent = new Agent({ keepAlive: true });

function send({ port, path, headers, body, expected }: Shot): void {
  const at = Date.now();
  const startedAt = performance.now();
  const note = (ok: boolean) => samples.push({ at, ms: performance.now() - startedAt, ok });
  const sent = request({ host: '127.0.0.1', port, path, agent, method: 'POST', headers }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk) => {
      text += chunk;
    });
    response.on('end', () => note(response.statusCode === 200 && text.includes(expected)));
  });
  sent.on('error', () => note(false));
  sent.end(body);
}

if (process.send) {
  process.on('message', (order: SteadyOrder | 'report') => {
    if (order === 'report') process.send?.(samples.splice(0));
    // whatever the answers take: who waits for them would not see how slow they are
    else setInterval(() => send(order.shot), 1000 / order.perSecond);
  });
  process.send([]); // an order that comes before somebody listens would be lost
}
