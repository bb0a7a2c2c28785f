// The story of a database that cannot be written to for a while: what the service says meanwhile, and how it recovers.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { assertNoToken, type SigningClient } from './races.ts';
import { becomeReady, type Fleet, type Server } from './support/deployment.ts';
import { createRelyingAgent, type RelyingAgent, tokensOf } from './support/relying-agent.ts';
import { type Answer, createConnections, type Request, send } from './support/requests.ts';

export interface Outage {
  begin(): Promise<void>;
  /** how long it lasts, in milliseconds */
  readonly ms: number;
  end(): Promise<void>;
  /** Whether a refused write may have happened all the same, since its COMMIT was lost on the way. */
  readonly losesCommits?: boolean;
  /** Whether what needs no write goes on working. */
  readonly readsWork: boolean;
}

export interface OutageResult {
  /** writes that were answered with 503 and `Retry-After` */
  refused: number;
  /** writes that got no answer */
  unanswered: number;
  /** writes that succeeded, before, meanwhile or after */
  succeeded: number;
  /** of the writes while it lasted */
  slowestWriteMs: number;
  /** of `/ping` while it lasted */
  slowestPingMs: number;
  /** whether `/ready` said 503 meanwhile */
  saidNotReady: boolean;
  /** from the end of the outage until `/ready` was 200 and a refresh was answered with 200 */
  recoveryMs: number;
  /** what should not have been answered */
  readonly violations: string[];
}

const WRITERS = 8;

/**
 * Clients refresh, and others look on, before, during and after the outage.
 * @param fleet of one process, which knows the signer
 */
export async function sufferOutage(fleet: Fleet, signer: SigningClient, outage: Outage): Promise<OutageResult> {
  const [server] = fleet.servers;
  assert.ok(server);
  const result: OutageResult = {
    refused: 0,
    unanswered: 0,
    succeeded: 0,
    slowestWriteMs: 0,
    slowestPingMs: 0,
    saidNotReady: false,
    recoveryMs: 0,
    violations: [],
  };
  const state = { outage: false, over: false };
  using agents = new DisposableStack();
  const writers = Array.from({ length: WRITERS }, () => agents.use(createRelyingAgent(() => server.origin)));
  const first: string[] = [];
  for (const writer of writers) {
    await writer.signIn();
    first.push(tokensOf(await writer.redeem(await writer.code())).refreshToken);
  }
  const reads = await readsOf(fleet, signer);
  const busy = [
    ...writers.map((writer, n) => refreshOnAndOn(writer, String(first[n]), outage, state, result)),
    lookOn(server, outage, state, result, reads),
  ];
  await pause(200);
  state.outage = true;
  await outage.begin();
  await pause(outage.ms);
  state.outage = false;
  await outage.end();
  const endedAt = performance.now();
  await becomeReady(server.origin);
  const [writer] = writers as [RelyingAgent];
  tokensOf(await writer.redeem(await writer.code()));
  result.recoveryMs = performance.now() - endedAt;
  await pause(300);
  state.over = true;
  await Promise.all(busy);
  assert.equal(result.succeeded > WRITERS, true, JSON.stringify(result));
  return result;
}

interface State {
  outage: boolean;
  over: boolean;
}

/** One chain of refreshes. What is refused with 503 is tried again with the same token. */
async function refreshOnAndOn(
  agent: RelyingAgent,
  first: string,
  outage: Outage,
  state: State,
  result: OutageResult,
): Promise<void> {
  let refreshToken = first;
  let doubtful = false;
  while (!state.over) {
    const startedAt = performance.now();
    const during = state.outage;
    const answer = await agent.refresh(refreshToken).catch(() => undefined);
    if (during) result.slowestWriteMs = Math.max(result.slowestWriteMs, performance.now() - startedAt);
    if (answer?.status === 200) {
      result.succeeded += 1;
      ({ refreshToken } = tokensOf(answer));
      doubtful = false;
    } else if (answer === undefined || answer.status === 503) {
      if (!answer) result.unanswered += 1;
      else if (isProperRefusal(answer)) result.refused += 1;
      else result.violations.push(`an improper 503: ${JSON.stringify(answer.headers)} ${answer.text}`);
      doubtful = outage.losesCommits === true;
      await pause(50);
    } else {
      // its COMMIT may have been the one that was lost: then this was a replay, and the family is dead
      if (!doubtful) result.violations.push(`a fresh token was answered with ${answer.status} ${answer.text}`);
      return;
    }
  }
}

function isProperRefusal(answer: Answer): boolean {
  assertNoToken(answer);
  return Number(answer.headers['retry-after']) > 0 && answer.body['error'] === 'temporarily_unavailable';
}

/** What has to be answered without a write. */
async function readsOf({ deployment, origins: [origin] }: Fleet, signer: SigningClient): Promise<Reads> {
  const request = await signer.request('client assertion', String(deployment.env['PUBLIC_URL']));
  const { accessToken: token } = tokensOf(await send(`${origin}/token`, request));
  return [
    [`${origin}/.well-known/openid-configuration`],
    [`${origin}/jwks`],
    [`${origin}/verify`, { json: { token, aud: 'logging-service' } }],
  ];
}

type Reads = readonly [url: string, request?: Request][];

async function lookOn(
  { origin }: Server,
  outage: Outage,
  state: State,
  result: OutageResult,
  reads: Reads,
): Promise<void> {
  const connections = createConnections();
  const watchReady = async () => {
    while (!state.over) {
      const { status } = await send(`${origin}/ready`, {}, connections);
      if (state.outage && status === 503) result.saidNotReady = true;
      await pause(100);
    }
  };
  const watchReads = async () => {
    while (!state.over) {
      for (const [url, request] of outage.readsWork ? reads : []) {
        const { status, text } = await send(url, request, connections);
        if (status !== 200) result.violations.push(`${url} was answered with ${status} ${text}`);
      }
      await pause(50);
    }
  };
  const watchPing = async () => {
    while (!state.over) {
      const startedAt = performance.now();
      const during = state.outage;
      const { status } = await send(`${origin}/ping`, {}, connections);
      if (status !== 200) result.violations.push(`/ping was answered with ${status}`);
      if (during) result.slowestPingMs = Math.max(result.slowestPingMs, performance.now() - startedAt);
      await pause(25);
    }
  };
  await Promise.all([watchReady(), watchReads(), watchPing()]);
  connections.destroy();
}
