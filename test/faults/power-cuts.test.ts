// Behaviour at a power cut, as far as it can be known without cutting the power: what of an answer is on the disk (R75).
import assert from 'node:assert/strict';
import { inspectCopy, sqlite } from './support/databases.ts';
import { type Fleet, type Server, startFleet } from './support/deployment.ts';
import { assertBalance, openBooks } from './support/ledger.ts';
import { createRelyingAgent, tokensOf } from './support/relying-agent.ts';
import { skipBecause } from './support/skipping.ts';
import { traceSyncs } from './support/sync-trace.ts';

const CLIENTS = 8;
const ROUNDS = 8;
const CUTS = 40;

describe('Faults: power cuts', function () {
  this.timeout(120_000);
  let fleet: Fleet;
  let server: Server;
  let path: string;

  before(async () => {
    fleet = await startFleet(sqlite, 1);
    [server] = fleet.servers as [Server];
    const { location } = fleet.deployment.database;
    path = location.engine === 'sqlite' ? location.path : '';
  });
  after(() => fleet[Symbol.asyncDispose]());

  /** Clients that refresh at the same time, so that their commits are grouped; each answer goes to `onAnswer`. */
  async function refresh(onAnswer: (accessToken: string, spent: string) => void): Promise<void> {
    await using agents = new AsyncDisposableStack();
    await Promise.all(
      Array.from({ length: CLIENTS }, async () => {
        const agent = agents.use(createRelyingAgent(() => server.origin));
        await agent.signIn();
        let { refreshToken } = tokensOf(await agent.redeem(await agent.code()));
        for (let round = 0; round < ROUNDS; round += 1) {
          const spent = refreshToken;
          const tokens = tokensOf(await agent.refresh(spent));
          refreshToken = tokens.refreshToken;
          onAnswer(tokens.accessToken, spent);
        }
      }),
    );
  }

  // Proves the order: the answer leaves after its transaction was written to the files. It cannot prove that the disk
  // has it, because a copy is read from the page cache too.
  it('has every answer in the files at the moment when it arrives', async () => {
    await refresh((accessToken, spent) => {
      const inspection = inspectCopy(path);
      assertBalance(inspection);
      const books = openBooks(inspection);
      assert.equal(books.stateOf('AccessToken', accessToken), 'fresh');
      assert.equal(books.stateOf('RefreshToken', spent), 'consumed');
    });
  });

  // Proves that a transaction is whole or absent wherever the log ends, also within a group that shares a commit.
  it('has only whole requests in it, wherever the log is torn off', async () => {
    await refresh(() => undefined);
    const found = new Set<number>();
    for (let cut = 0; cut < CUTS; cut += 1) {
      const inspection = inspectCopy(path, (bytes) => Math.floor(bytes * Math.random()));
      assertBalance(inspection);
      found.add(inspection.artifacts.length);
    }
    assert.ok(found.size > 5, 'the cuts made no difference');
  });

  // Proves the sync itself, seen from outside: between the last write to the log and the answer the disk was asked to
  // keep it. Where strace is missing, test/adapters/sqlite-durability.test.ts still proves that commits wait for the
  // disk, by counting how often the process gives up its processor for it.
  it('syncs the log between its last write and the answer', async function () {
    using agent = createRelyingAgent(() => server.origin);
    await agent.signIn();
    let { refreshToken } = tokensOf(await agent.redeem(await agent.code()));
    const trace = await traceSyncs(server.process.pid);
    if (!trace) return skipBecause(this, 'strace is not on the PATH, or may not look at other processes');
    for (let round = 0; round < ROUNDS; round += 1) {
      ({ refreshToken } = tokensOf(await agent.refresh(refreshToken)));
    }
    const events = await trace.stop();
    assert.equal(events.filter((event) => event === 'answer').length, ROUNDS);
    let unsynced: boolean | undefined;
    for (const event of events) {
      if (event === 'write') unsynced = true;
      if (event === 'sync') unsynced = false;
      if (event !== 'answer') continue;
      assert.equal(unsynced, false, events.join(' '));
      unsynced = undefined; // the next answer has a write and a sync of its own
    }
  });
});
