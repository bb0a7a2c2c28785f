// The story of a process that is killed, again and again, while clients press on, and of what they find afterwards.
import type { FaultEngine } from './support/databases.ts';
import { deploy, type Server } from './support/deployment.ts';
import { assertBalance, openBooks } from './support/ledger.ts';
import { createRelyingAgent } from './support/relying-agent.ts';
import { createCodeWorker, createRefreshWorker, createTally, type Tally } from './support/workers.ts';

/** How many of each kind press on at once. */
const WORKERS = 16;

/** A process is killed this long after the clients have begun, in milliseconds: drawn anew each time. */
const LIFE = { min: 30, max: 450 };

export interface KillResult extends Tally {
  readonly kills: number;
  /** of the first start, before any kill: from the start of the process until `/ready` was 200, in milliseconds */
  readonly firstReadyMs: number;
  /** of each start after a kill */
  readonly readyMs: readonly number[];
}

/**
 * Kills the process (SIGKILL) so many times under 16 clients that refresh and 16 that redeem codes and revoke.
 * After each, the database is looked into before any process opens it again, and every client then tries what it has.
 */
export async function killRepeatedly(engine: FaultEngine, kills: number): Promise<KillResult> {
  await using deployment = await deploy(engine);
  await using agents = new AsyncDisposableStack();
  const tally = createTally();
  let server: Server = await deployment.start();
  const firstReadyMs = server.readyMs;
  const all = Array.from({ length: 2 * WORKERS }, () => agents.use(createRelyingAgent(() => server.origin)));
  for (const agent of all) await agent.signIn();
  const workers = all.map((agent, n) => (n % 2 === 0 ? createRefreshWorker : createCodeWorker)(agent, tally));
  const readyMs: number[] = [];

  for (let kill = 0; kill < kills; kill += 1) {
    const working = workers.map((worker) => worker.work());
    await new Promise((resolve) => setTimeout(resolve, LIFE.min + Math.random() * (LIFE.max - LIFE.min)));
    server.process.kill('SIGKILL');
    await Promise.all([...working, server.process.exited]);
    const inspection = await deployment.database.inspect();
    assertBalance(inspection);
    const books = openBooks(inspection);
    for (const worker of workers) worker.check(books);
    server = await deployment.start();
    readyMs.push(server.readyMs);
    await Promise.all(workers.map((worker) => worker.resume()));
  }
  return { ...tally, kills, firstReadyMs, readyMs };
}
