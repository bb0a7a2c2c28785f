// The story of processes that are told to end while clients press on, and are replaced one after the other.
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultEngine } from './support/databases.ts';
import { deploy, type Server } from './support/deployment.ts';
import { assertBalance } from './support/ledger.ts';
import { createRelyingAgent, tokensOf } from './support/relying-agent.ts';

export interface EndingResult {
  requests: number;
  /** processes that were told to end under load */
  endings: number;
  /** requests on an accepted connection that were cut, or answered with 5xx */
  readonly dropped: string[];
  /** exit codes other than 0 */
  readonly badExits: unknown[];
  slowestEndMs: number;
}

const CLIENTS = 16;

/**
 * Two processes take turns: one serves, and when the other one is ready it is told to end (SIGTERM), until so many
 * requests were sent. Clients keep their connections alive and go over to the other process when theirs says
 * `Connection: close`, or when a new connection is refused; a refused connection has lost nobody's request.
 */
export async function endRepeatedly(engine: FaultEngine, requests: number): Promise<EndingResult> {
  await using deployment = await deploy(engine);
  const result: EndingResult = { requests: 0, endings: 0, dropped: [], badExits: [], slowestEndMs: 0 };
  let serving: Server = await deployment.start();
  let over = false;

  async function press(): Promise<void> {
    let server = serving;
    using agent = createRelyingAgent(() => server.origin);
    await agent.signIn();
    let { refreshToken } = tokensOf(await agent.redeem(await agent.code()));
    while (!over) {
      try {
        const answer = await agent.refresh(refreshToken);
        result.requests += 1;
        if (answer.status !== 200) {
          result.dropped.push(`${answer.status} ${answer.text}`);
          return;
        }
        ({ refreshToken } = tokensOf(answer));
        if (answer.headers.connection === 'close') server = serving;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
          server = serving;
        } else {
          result.requests += 1;
          result.dropped.push(String(error));
          return;
        }
      }
    }
  }

  const clients = Array.from({ length: CLIENTS }, press);
  try {
    while (result.requests < requests && result.dropped.length === 0) {
      const next = await deployment.start();
      await pause(100);
      const ending = serving;
      serving = next;
      const startedAt = performance.now();
      ending.process.kill('SIGTERM');
      const exit = await ending.process.exited;
      result.endings += 1;
      result.slowestEndMs = Math.max(result.slowestEndMs, performance.now() - startedAt);
      if (exit.code !== 0) result.badExits.push(exit);
    }
  } finally {
    over = true;
    await Promise.all(clients);
  }
  assertBalance(await deployment.database.inspect());
  return result;
}
