// Behaviour while the database cannot be written to: it says so, goes on with the rest, and recovers by itself (R76, R77, R79).
import assert from 'node:assert/strict';
import { type OutageResult, sufferOutage } from './outages.ts';
import { createSigningClient, type SigningClient } from './races.ts';
import { postgres, sqlite } from './support/databases.ts';
import { type Fleet, startFleet } from './support/deployment.ts';
import { assertBalance } from './support/ledger.ts';
import { long } from './support/length.ts';
import { foreignLock, fullDisk, hasPrlimit, postgresRestart } from './support/outage-kinds.ts';
import { skipBecause } from './support/skipping.ts';

const PING_MS = 250;
const RECOVERY_MS = 5_000;
/** A write waits two seconds for the lock; the rest is the way there and back on a busy machine. */
const REFUSAL_MS = 2_500;

describe('Faults: outages on SQLite', function () {
  this.timeout(120_000);
  let fleet: Fleet;
  let signer: SigningClient;

  before(async () => {
    signer = await createSigningClient();
    fleet = await startFleet(sqlite, 1, signer.register);
  });
  after(() => fleet[Symbol.asyncDispose]());
  afterEach(async () => assertBalance(await fleet.deployment.database.inspect()));

  it('answers at once while another program holds the write lock, and refuses writes with 503 (R77)', async () => {
    const result = await sufferOutage(fleet, signer, foreignLock(fleet, long ? 10_000 : 4_000));
    assertRefusedAndRecovered(result);
    assert.ok(result.slowestPingMs <= PING_MS, `/ping took ${result.slowestPingMs} ms`);
    assert.ok(result.slowestWriteMs <= REFUSAL_MS, `a write took ${result.slowestWriteMs} ms`);
  });

  it('refuses writes with 503 on a full disk, reads on, and writes again when there is room (R76)', async function () {
    if (!(await hasPrlimit())) return skipBecause(this, 'prlimit of util-linux is not on the PATH');
    const result = await sufferOutage(fleet, signer, fullDisk(fleet, long ? 10_000 : 1_500));
    assertRefusedAndRecovered(result);
  });
});

describe('Faults: outages on Postgres', function () {
  this.timeout(120_000);

  it('lives through an immediate restart of the database under load (R79)', async () => {
    const signer = await createSigningClient();
    await using fleet = await startFleet(postgres, 1, signer.register);
    const [server] = fleet.servers;
    assert.ok(server);
    for (let restart = 0; restart < (long ? 20 : 1); restart += 1) {
      const { violations, recoveryMs } = await sufferOutage(fleet, signer, postgresRestart());
      assert.deepEqual(violations, []);
      assert.ok(recoveryMs <= RECOVERY_MS, `recovered after ${recoveryMs} ms`);
    }
    assert.equal(server.process.stderr, '');
    assertBalance(await fleet.deployment.database.inspect());
  });
});

function assertRefusedAndRecovered(result: OutageResult): void {
  assert.deepEqual(result.violations, []);
  assert.equal(result.unanswered, 0);
  assert.ok(result.refused > 0, 'no write was refused');
  assert.ok(result.saidNotReady, '/ready said that all was well');
  assert.ok(result.recoveryMs <= RECOVERY_MS, `recovered after ${result.recoveryMs} ms`);
}
