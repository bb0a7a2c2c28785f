// Behaviour when the nth call of the database fails, hangs, or is the last thing that the process does, for every n.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { StoreUnavailable } from '../../src/store.ts';
import { assertInvalidGrant, assertNoToken } from './races.ts';
import { postgres, sqlite } from './support/databases.ts';
import { type Deployment, deploy } from './support/deployment.ts';
import type { Place } from './support/faulty-engine.ts';
import { type FaultyService, startFaultyService } from './support/faulty-service.ts';
import { assertBalance, openBooks } from './support/ledger.ts';
import { long } from './support/length.ts';
import { createRelyingAgent, type RelyingAgent, redemption, refreshment, tokensOf } from './support/relying-agent.ts';
import { type Answer, send } from './support/requests.ts';

const PRIZES = { code: 'AuthorizationCode', 'refresh token': 'RefreshToken' } as const;

/** More calls than a token request makes. */
const ENOUGH = 100;

/** How long a client waits for a call that hangs, in milliseconds. */
const IMPATIENT_MS = 60;

for (const engine of [sqlite, postgres]) {
  describe(`Faults: the nth call of ${engine.name}`, function () {
    this.timeout(long ? 300_000 : 120_000);
    let deployment: Deployment;
    let service: FaultyService;
    let agent: RelyingAgent;

    before(async () => {
      deployment = await deploy(engine);
      service = await startFaultyService(deployment.database.location, deployment.env);
      agent = createRelyingAgent(() => service.origin);
      await agent.signIn();
    });
    after(async () => {
      agent[Symbol.dispose]();
      await service[Symbol.asyncDispose]();
      await deployment[Symbol.asyncDispose]();
    });

    /** A fresh code or refresh token, and the form that presents it. */
    async function win(prize: keyof typeof PRIZES): Promise<{ value: string; form: Record<string, string> }> {
      const code = await agent.code();
      if (prize === 'code') return { value: code, form: redemption(code) };
      const value = tokensOf(await agent.redeem(code)).refreshToken;
      return { value, form: refreshment(value) };
    }

    const present = async (form: Record<string, string>) =>
      (await agent.tokenTogether([service.origin], form))[0] as Answer;

    /** Whether the request that went wrong has happened after all; either way it happened wholly, and not twice. */
    async function settle(prize: keyof typeof PRIZES, value: string, form: Record<string, string>): Promise<boolean> {
      const inspection = await deployment.database.inspect();
      assertBalance(inspection);
      const state = openBooks(inspection).stateOf(PRIZES[prize], value);
      assert.notEqual(state, 'absent');
      const again = await present(form);
      if (state === 'fresh') tokensOf(again);
      else assertInvalidGrant(again);
      assertBalance(await deployment.database.inspect());
      return state === 'consumed';
    }

    for (const prize of ['code', 'refresh token'] as const) {
      // A 200 is right too: some calls, such as keeping an audit event, are nothing that an answer waits for.
      it(`refuses a ${prize} with 503 when a call fails, and takes it afterwards`, async () => {
        const refusedAt: Place[] = [];
        // an audit event that is kept at the same moment may take the fault that was meant for the token
        for (let pass = 0; pass < 3 && new Set(refusedAt).size < 4; pass += 1) {
          for (let nth = 1; ; nth += 1) {
            const { value, form } = await win(prize);
            service.faulty.arm(nth, async () => {
              throw new StoreUnavailable('a fault of the test');
            });
            const answer = await present(form);
            const place = service.faulty.disarm();
            if (place && answer.status !== 200) {
              assert.equal(answer.status, 503, `call ${nth}: ${answer.text}`);
              assert.ok(Number(answer.headers['retry-after']) > 0);
              assertNoToken(answer);
              refusedAt.push(place);
            }
            // only a fault behind the COMMIT leaves a request done that was refused
            const happened = await settle(prize, value, form);
            assert.equal(happened, answer.status === 200 || place === 'committed', `call ${nth}`);
            if (!place) break;
          }
        }
        assert.ok(refusedAt.length >= 8, `only ${refusedAt.join(' ')}`);
        assert.deepEqual(new Set(refusedAt), new Set<Place>(['read', 'begin', 'statement', 'committed']));
      });

      it(`goes on with everybody else while a call for a ${prize} hangs, and finishes what its client gave up`, async () => {
        for (let nth = 1; ; nth += long ? 1 : 2) {
          const { value, form } = await win(prize);
          const hung = Promise.withResolvers<void>();
          service.faulty.arm(nth, () => hung.promise);
          const presented = present(form).catch(() => undefined);
          const answer = await Promise.race([presented, later(IMPATIENT_MS)]);
          const place = service.faulty.disarm();
          try {
            assert.equal((await send(`${service.origin}/ping`)).status, 200);
            if (!answer) agent.connections.destroy();
          } finally {
            hung.resolve();
          }
          await service.settled();
          assert.equal(await settle(prize, value, form), true);
          if (!place) break;
        }
      });
    }

    it('has done all or nothing when the process dies at a call', async () => {
      const outcomes = new Set<boolean>();
      for (let nth = 1; nth < ENOUGH; nth += long ? 1 : 9) {
        const { value, form } = await win('code');
        await using dying = await startDyingProcess(deployment, nth);
        using client = createRelyingAgent(() => dying.origin);
        const answer = await client.redeem(value).catch(() => undefined);
        if (answer) {
          tokensOf(answer);
          break;
        }
        outcomes.add(await settle('code', value, form));
      }
      assert.ok(outcomes.has(false));
    });
  });
}

function later(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
}

/** Listens, and dies at the nth call of its database from now on. */
async function startDyingProcess({ database, env }: Deployment, nth: number) {
  const script = fileURLToPath(new URL('./support/dying-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(database.location), String(nth)], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const origin = String((await lines.next()).value);
  child.kill('SIGUSR2');
  assert.equal((await lines.next()).value, 'armed');
  return {
    origin,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
