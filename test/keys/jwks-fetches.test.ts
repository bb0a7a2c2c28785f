// Who has fetched the JWKS: noted in memory, written seldom, and what it says about the next key.
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'mocha';
import { createJwksFetchRecorder, type JwksFetchRecorder, readiness } from '../../src/keys/jwks-fetches.ts';
import type { JwksFetch, JwksFetches } from '../../src/store.ts';

const start = 1_800_000_000;

describe('fetches of the JWKS', () => {
  let now: number;
  let batches: (readonly JwksFetch[])[];
  let outage: Error | undefined;
  let recorder: JwksFetchRecorder;

  beforeEach(() => {
    now = start;
    batches = [];
    outage = undefined;
    const fetches: JwksFetches = {
      async record(batch) {
        if (outage) throw outage;
        batches.push(batch);
      },
      list: async () => batches.flat(),
    };
    recorder = createJwksFetchRecorder(fetches, () => now);
  });

  it('are written in one batch, once for each verifier', async () => {
    for (let n = 0; n < 5; n += 1) recorder.note('10.0.0.1', 'PyJWT/2.9');
    recorder.note('10.0.0.2', 'PyJWT/2.9');
    await recorder.write();
    const written = ['10.0.0.1', '10.0.0.2'].map((address) => ({ address, agent: 'PyJWT/2.9', lastAt: start }));
    assert.deepEqual(batches, [written]);
  });

  it('are written once a minute at most for each verifier, and not lost in between', async () => {
    recorder.note('10.0.0.1', 'jose');
    await recorder.write();
    now += 59;
    recorder.note('10.0.0.1', 'jose');
    await recorder.write();
    assert.equal(batches.length, 1);
    now += 1;
    await recorder.write();
    assert.deepEqual(batches[1], [{ address: '10.0.0.1', agent: 'jose', lastAt: start + 59 }]);
  });

  it('are written later when the store cannot take them now', async () => {
    recorder.note('10.0.0.1', 'jose');
    outage = new Error('the database is gone');
    await assert.rejects(recorder.write(), outage);
    outage = undefined;
    await recorder.write();
    assert.equal(batches.length, 1);
  });

  it('take no more memory however many addresses and programs there are', async () => {
    for (let n = 0; n < 5_000; n += 1) recorder.note(`10.0.${n >> 8}.${n & 255}`, `agent ${n}`);
    await recorder.write();
    assert.equal(batches[0]?.length, 1_000);
  });

  for (const [name, sent, kept] of [
    ['nothing', '', '-'],
    ['control characters', 'a\u001b[31m\u2028b', 'a[31mb'],
    ['a long text', 'x'.repeat(5_000), 'x'.repeat(64)],
  ] as const) {
    it(`show a program that sends ${name} as a person can read it`, async () => {
      recorder.note('10.0.0.1', sent);
      await recorder.write();
      assert.equal(batches[0]?.[0]?.agent, kept);
    });
  }

  it('count for the next key only when every process had it by then', () => {
    const key = { kid: 'k', alg: 'ES256', createdAt: start, signsAt: start + 100 };
    const fetch = (lastAt: number) => ({ address: '10.0.0.1', agent: 'jose', lastAt });
    const fetches = [fetch(start - 1), fetch(start + 3), fetch(start + 4)];
    assert.deepEqual(readiness(key, fetches), { ready: [fetches[2]], waiting: [fetches[0], fetches[1]] });
  });
});
