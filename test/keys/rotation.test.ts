// The life of signing keys: by the schedule, on command, by several at once, and in a process that goes on.
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'mocha';
import { generateSigningKey } from '../../src/keys/key-generation.ts';
import { createKeyRotation, type KeyRotation, UnknownKey } from '../../src/keys/rotation.ts';
import { keyState, publishedKeys } from '../../src/keys/schedule.ts';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import { type LiveKeyring, openLiveKeyring } from '../../src/keys/signing-keys.ts';
import type { Keys, SigningKey, SigningKeyTimes } from '../../src/store.ts';
import { createMemoryKeys } from './memory-keys.ts';

const DAY = 86_400;
const schedule = { publish: 14 * DAY, sign: 90 * DAY, retire: 14 * DAY };
const start = 1_800_000_000;
const box = createSecretBox(['an encryption key of 32 bytes and more']);

describe('the schedule of signing keys', () => {
  let now: number;
  let rows: SigningKey[];
  let keys: Keys;
  let rotation: KeyRotation;

  beforeEach(async () => {
    now = start;
    rows = [];
    keys = createMemoryKeys(box, rows);
    rotation = createKeyRotation({ keys, clock: () => now, schedule });
    await keys.insertMissing([await generateSigningKey('ES256', now)]);
  });

  const states = async () => (await keys.times()).map((key) => keyState(key, now));
  const signing = async () => (await keys.times()).find((key) => keyState(key, now) === 'signing') as SigningKeyTimes;
  const next = async () => (await keys.times()).find((key) => keyState(key, now) === 'next');

  /** Runs the schedule once a day, as something that runs all the time does. */
  async function passDays(days: number): Promise<void> {
    for (let day = 0; day < days; day += 1) {
      now += DAY;
      await rotation.advance();
    }
  }

  it('has the first key sign at once, and publishes nothing before it is time', async () => {
    await passDays(75);
    assert.deepEqual(await states(), ['signing']);
  });

  it('publishes the next key 14 days before it signs, 90 days after the one before', async () => {
    await passDays(76);
    assert.deepEqual(await states(), ['signing', 'next']);
    assert.equal((await next())?.signsAt, start + 90 * DAY);
  });

  it('keeps a key published for 14 days after it has stopped, then forgets it', async () => {
    await passDays(90);
    assert.deepEqual(await states(), ['retired', 'signing']);
    await passDays(13);
    assert.deepEqual(await states(), ['retired', 'signing']);
    await passDays(1);
    assert.deepEqual(await states(), ['removed', 'signing']);
    await passDays(7);
    assert.deepEqual(await states(), ['signing']);
  });

  it('has exactly one key sign, published for 14 days, at every moment of three years', async () => {
    const published = new Map<string, number>([[(await signing()).kid, start - schedule.publish]]);
    for (let day = 0; day < 3 * 365; day += 1) {
      await passDays(1);
      const inUse = publishedKeys(await keys.times(), now);
      for (const { kid } of inUse) if (!published.has(kid)) published.set(kid, now);
      const [first, second] = inUse;
      assert.ok(first && keyState(first, now) === 'signing');
      assert.ok(!second || keyState(second, now) !== 'signing');
      assert.ok(now - (published.get(first.kid) ?? now) >= schedule.publish);
    }
    assert.ok(published.size > 10);
  });

  it('lets the old key sign on, when nothing ran while the next should have been published', async () => {
    const first = await signing();
    now += 200 * DAY;
    await rotation.advance();
    assert.equal((await signing()).kid, first.kid);
    assert.equal((await next())?.signsAt, now + 14 * DAY);
  });

  it('makes one next key, whoever else does the same at the same time', async () => {
    now += 80 * DAY;
    const rotations = Array.from({ length: 5 }, () => {
      return createKeyRotation({ keys: createMemoryKeys(box, rows), clock: () => now, schedule });
    });
    const done = await Promise.all(rotations.map((one) => one.advance()));
    assert.equal(done.flatMap(({ published }) => published).length, 1);
    assert.deepEqual(await states(), ['signing', 'next']);
  });

  it('signs with the key that is there after the clock was set back', async () => {
    now -= 3_600;
    assert.deepEqual(await states(), ['signing']);
    await rotation.advance();
    assert.deepEqual(await states(), ['signing']);
  });

  describe('overruled on command', () => {
    it('publishes the next key now, to sign in 14 days, and only once', async () => {
      assert.equal((await rotation.rotate(['ES256'], { now: false })).published.length, 1);
      assert.equal((await next())?.signsAt, now + 14 * DAY);
      assert.deepEqual(await rotation.rotate(['ES256'], { now: false }), { published: [], changed: [], forgotten: [] });
    });

    it('lets the next key sign at once, with time for every process to learn of it', async () => {
      const first = await signing();
      await rotation.rotate(['ES256'], { now: true });
      assert.equal((await signing()).kid, first.kid);
      now += 4;
      assert.notEqual((await signing()).kid, first.kid);
      assert.deepEqual(await states(), ['retired', 'signing']);
    });

    it('takes the key that is published already for the one to sign at once', async () => {
      await rotation.rotate(['ES256'], { now: false });
      const published = await next();
      await rotation.rotate(['ES256'], { now: true });
      now += 4;
      assert.equal((await signing()).kid, published?.kid);
      assert.equal(rows.length, 2);
      await passDays(14);
      assert.deepEqual(await states(), ['removed', 'signing']);
    });

    it('retires the key that signs, and keeps it published while its tokens live', async () => {
      const first = await signing();
      await rotation.retire(first.kid, { now: false });
      now += 4;
      assert.deepEqual(await states(), ['retired', 'signing']);
      now += 14 * DAY;
      assert.deepEqual(await states(), ['removed', 'signing']);
    });

    it('removes a compromised key as soon as its successor signs', async () => {
      await rotation.retire((await signing()).kid, { now: true });
      now += 3;
      assert.deepEqual(await states(), ['signing', 'next']);
      now += 1;
      assert.deepEqual(await states(), ['removed', 'signing']);
    });

    it('removes a compromised key that has stopped signing before', async () => {
      const first = await signing();
      await passDays(91);
      await rotation.retire(first.kid, { now: true });
      now += 4;
      assert.deepEqual(await states(), ['removed', 'signing']);
    });

    it('withdraws a next key, and makes another by the schedule', async () => {
      await passDays(76);
      const withdrawn = await next();
      await rotation.retire(String(withdrawn?.kid), { now: false });
      assert.deepEqual(await states(), ['signing']);
      assert.equal((await signing()).stopsAt, undefined);
      await rotation.advance();
      assert.deepEqual(await states(), ['signing', 'next']);
      assert.notEqual((await next())?.kid, withdrawn?.kid);
    });

    it('refuses a key that there is not', async () => {
      await assert.rejects(rotation.retire('no-such-key', { now: true }), UnknownKey);
    });
  });
});

describe('the keyring of a running process', () => {
  let now: number;
  let keys: Keys;
  let keyring: LiveKeyring;
  let rotation: KeyRotation;

  beforeEach(async () => {
    now = start;
    keys = createMemoryKeys(box);
    const clock = () => now;
    keyring = await openLiveKeyring({ keys, clock });
    rotation = createKeyRotation({ keys, clock, schedule });
  });

  const nothing = () => {};

  it('knows a next key, does not sign with it, and then does', async () => {
    const old = keyring.signingKey('ES256');
    const [next] = (await rotation.rotate(['ES256'], { now: true })).published;
    assert.equal(await keyring.refresh(nothing), true);
    assert.equal(keyring.signingKey('ES256').kid, old.kid);
    assert.equal(keyring.verificationKey(String(next?.kid))?.alg, 'ES256');
    const es256 = () => keyring.privateJwks.keys.filter(({ alg }) => alg === 'ES256').map(({ kid }) => kid);
    assert.deepEqual(es256(), [old.kid, next?.kid]);
    assert.equal(keyring.isDue(), false);

    now += 4;
    assert.equal(keyring.isDue(), true);
    assert.equal(await keyring.refresh(nothing), true);
    assert.equal(keyring.signingKey('ES256').kid, next?.kid);
    assert.deepEqual(es256(), [next?.kid, old.kid]);
    assert.ok(keyring.verificationKey(old.kid));
  });

  it('verifies with a removed key no longer', async () => {
    const { kid } = keyring.signingKey('ES256');
    await rotation.retire(kid, { now: true });
    await keyring.refresh(nothing);
    assert.ok(keyring.verificationKey(kid));
    now += 4;
    await keyring.refresh(nothing);
    assert.equal(keyring.verificationKey(kid), undefined);
    assert.ok(!keyring.publicJwks.keys.some((jwk) => jwk.kid === kid));
  });

  it('says that nothing has changed when nothing has', async () => {
    assert.equal(await keyring.refresh(() => assert.fail('nothing to prepare for')), false);
  });

  it('stays as it was when what depends on it cannot follow', async () => {
    const [next] = (await rotation.rotate(['ES256'], { now: false })).published;
    const failure = new Error('no provider');
    const fail = () => {
      throw failure;
    };
    await assert.rejects(keyring.refresh(fail), failure);
    assert.equal(keyring.verificationKey(String(next?.kid)), undefined);
    assert.equal(await keyring.refresh(nothing), true);
    assert.ok(keyring.verificationKey(String(next?.kid)));
  });
});
