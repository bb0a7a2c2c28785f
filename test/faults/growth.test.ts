// Behaviour over a long time: what has expired makes room for what comes, so that the file does not grow with time.
import assert from 'node:assert/strict';
import Database from 'better-sqlite3';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { long } from './support/length.ts';
import { createRelyingAgent, tokensOf } from './support/relying-agent.ts';
import { skipBecause } from './support/skipping.ts';
import { sweepUnderLoad } from './sweeps.ts';

const DAY = 24 * 60 * 60;
/** After so many days everything that a sign-in led to has expired, its grant included. */
const LIFETIME = 91 * DAY;
const CYCLES = long ? 50 : 5;
const SIGN_INS = long ? 50 : 6;

describe('Faults: growth', function () {
  this.timeout(long ? 300_000 : 60_000);
  let service: Service;

  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());

  function countPages(): number {
    const { database } = service.config;
    const db = new Database(database.engine === 'sqlite' ? database.path : '', { readonly: true });
    try {
      return Number(db.pragma('page_count', { simple: true }));
    } finally {
      db.close();
    }
  }

  async function liveAWhile(): Promise<void> {
    for (let n = 0; n < SIGN_INS; n += 1) {
      using agent = createRelyingAgent(() => service.origin);
      await agent.signIn();
      let { refreshToken } = tokensOf(await agent.redeem(await agent.code()));
      for (let use = 0; use < 3; use += 1) ({ refreshToken } = tokensOf(await agent.refresh(refreshToken)));
      if (n % 3 === 0) await agent.revoke(refreshToken);
    }
  }

  it('keeps the file of SQLite at its size under a steady load that is swept', async () => {
    await withMovingTime(async (pass) => {
      const pages: number[] = [];
      for (let cycle = 0; cycle < CYCLES; cycle += 1) {
        await liveAWhile();
        pages.push(countPages());
        pass(LIFETIME);
        while ((await service.store.sweep(200)).more);
      }
      const [, second = 0] = pages;
      const last = pages.at(-1) ?? 0;
      assert.ok(last <= second * 1.1, `pages after each cycle: ${pages.join(' ')}`);
    });
  });

  // A small version would not show what a million rows do, and a sweep only begins a minute after the start.
  it('sweeps a million expired rows without holding anybody up', async function () {
    if (!long) return skipBecause(this, 'it takes minutes, so only with FAULTS=long');
    this.timeout(1_200_000);
    const { without, during, sweepMs } = await sweepUnderLoad(1_000_000);
    assert.ok(
      during.p99Ms <= 2 * without.p99Ms,
      `p99 of /token: ${without.p99Ms} ms without, ${during.p99Ms} ms meanwhile`,
    );
    // on a busy machine the processor is away for longer than that, with or without a sweep
    const allowed = Math.max(50, 1.5 * without.pauseMs);
    assert.ok(during.pauseMs <= allowed, `the event loop stood still for ${during.pauseMs} ms, not ${allowed} ms`);
    assert.ok(sweepMs < 600_000, `it took ${sweepMs} ms`);
  });
});
