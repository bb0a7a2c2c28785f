// Behaviour under races: of many who present one code, token or proof one wins, and what was taken away stays away.
import assert from 'node:assert/strict';
import {
  createSigningClient,
  type RaceResult,
  RUNNERS,
  raceLogout,
  raceRedemptions,
  raceReplays,
  raceRevocation,
  type SigningClient,
} from './races.ts';
import { postgres, sqlite } from './support/databases.ts';
import { assertNoDefects, type Fleet, startFleet } from './support/deployment.ts';
import { long } from './support/length.ts';

function assertOneWinner(result: RaceResult, rounds: number): void {
  assert.deepEqual(result, { requests: rounds * RUNNERS, withoutWinner: 0, doubles: 0 });
}

for (const [engine, processes] of [
  [sqlite, 1],
  [sqlite, 2],
  [postgres, 3],
] as const) {
  describe(`Faults: races on ${engine.name} with ${processes} process${processes > 1 ? 'es' : ''}`, function () {
    this.timeout(long ? 900_000 : 120_000);
    let fleet: Fleet;
    let signer: SigningClient;

    before(async () => {
      signer = await createSigningClient();
      fleet = await startFleet(engine, processes, signer.register);
    });
    after(() => fleet[Symbol.asyncDispose]());
    afterEach(() => {
      for (const { process } of fleet.servers) assertNoDefects(process);
    });

    for (const prize of ['code', 'refresh token'] as const) {
      it(`gives one of ${RUNNERS} something for a ${prize}, and leaves nothing alive (R02, R07)`, async () => {
        const rounds = long ? 200 : 2;
        assertOneWinner(await raceRedemptions(fleet, prize, rounds), rounds);
      });
    }

    for (const kind of ['client assertion', 'DPoP proof'] as const) {
      it(`takes a ${kind} once (RFC 7523 §3, RFC 9449 §11.1)`, async () => {
        const rounds = long ? 50 : 1;
        assertOneWinner(await raceReplays(fleet, signer, kind, rounds), rounds);
      });
    }

    it('leaves nothing of a family that is revoked while it is refreshed (R12)', () =>
      raceRevocation(fleet, long ? 100 : 5));

    it('leaves nothing of a session that is logged out of while its tokens are refreshed (R12)', () =>
      raceLogout(fleet, long ? 100 : 2));
  });
}
