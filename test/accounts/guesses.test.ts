// Counting guesses: how long whoever guesses waits, and who never waits for them (security.md R49, R50, R53).
import assert from 'node:assert/strict';
import { createGuesses, type Guess, type Guesses, TooManyGuesses } from '../../src/accounts/guesses.ts';
import { openTemporaryStore, type TemporaryStore } from './temporary-store.ts';

const whose = { accountId: '7d1b2c5e-5b0a-4b43-9a52-0b8d3a1c9f10' };
const encryptionKey = 'an encryption key of this test, 32 bytes';

describe('guesses at an account', () => {
  let temporary: TemporaryStore;
  let guesses: Guesses;
  let addresses = 0;

  beforeEach(async () => {
    temporary = await openTemporaryStore();
    guesses = createGuesses({ rateLimits: temporary.store.rateLimits, encryptionKey, clock: temporary.clock });
    addresses = 0;
  });

  afterEach(() => temporary[Symbol.asyncDispose]());

  /** From an address of its own each time, as from a botnet. */
  async function attempt(right: boolean, guess: Partial<Guess> = {}, counted = guesses) {
    addresses += 1;
    const address = `198.51.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}`;
    let considered = false;
    const found = await counted.attempt(
      { secret: 'password', whose, address, ...guess },
      async () => {
        considered = true;
        return right ? 'in' : undefined;
      },
      async () => 'in',
    );
    return considered ? (found ?? 'wrong') : (found ?? 'not considered');
  }

  /** The same counters, with the names under which they are counted. */
  function watch(): { watched: Guesses; names: string[] } {
    const { store, clock } = temporary;
    const names: string[] = [];
    const rateLimits: typeof store.rateLimits = {
      ...store.rateLimits,
      add(name, ...rest) {
        names.push(name);
        return store.rateLimits.add(name, ...rest);
      },
    };
    return { watched: createGuesses({ rateLimits, encryptionKey, clock }), names };
  }

  /** So many failures in a row, most of which are only written into the counter, and an hour without any. */
  async function fail(times: number, guess: Partial<Guess> = {}): Promise<void> {
    const { watched, names } = watch();
    assert.equal(await attempt(false, guess, watched), 'wrong');
    const nowMs = temporary.time.now * 1000;
    const name = String(names[0]);
    await temporary.store.rateLimits.add(name, times - 2, { nowMs, expiresAtMs: nowMs + 1 });
    temporary.time.now += 60 * 60;
    assert.equal(await attempt(false, guess), 'wrong');
    temporary.time.now += 60 * 60;
  }

  it('cost nothing five times, then wait from 30 seconds on, twice as long each time, up to an hour', async () => {
    for (let time = 0; time < 5; time++) assert.equal(await attempt(false), 'wrong');
    for (const delay of [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]) {
      assert.equal(await attempt(false), 'wrong');
      assert.equal(await attempt(true), 'not considered');
      temporary.time.now += delay - 1;
      assert.equal(await attempt(true), 'not considered', `before ${delay} seconds`);
      temporary.time.now += 1;
    }
    assert.equal(await attempt(true), 'in');
    assert.equal(await attempt(false), 'wrong');
  });

  it('are not lengthened by attempts that are not considered', async () => {
    for (let time = 0; time < 6; time++) await attempt(false);
    for (let time = 0; time < 10; time++) assert.equal(await attempt(false), 'not considered');
    temporary.time.now += 30;
    assert.equal(await attempt(true), 'in');
  });

  it('end after 100 in a row, over restarts and processes', async () => {
    await fail(60);
    await fail(30);
    const { store, clock } = temporary;
    const otherProcess = createGuesses({ rateLimits: store.rateLimits, encryptionKey, clock });
    for (let time = 0; time < 10; time++) {
      assert.equal(await attempt(false, {}, time % 2 ? guesses : otherProcess), 'wrong');
      temporary.time.now += 60 * 60;
    }
    temporary.time.now += 10 * 365 * 24 * 60 * 60;
    assert.equal(await attempt(true), 'not considered');
    assert.equal(await attempt(true, {}, otherProcess), 'not considered');
    assert.deepEqual((await guesses.countsOf(whose.accountId))[0], {
      secret: 'password',
      failures: 100,
      ignored: 2,
      waits: Number.POSITIVE_INFINITY,
    });
    await guesses.forgive(whose.accountId);
    assert.equal(await attempt(true), 'in');
  });

  it('that are right are all let in, however many are made at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => attempt(true)));
    assert.deepEqual(new Set(outcomes), new Set(['in']));
  });

  it('end after 100 also when they are made at once', async () => {
    await fail(94);
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => attempt(false)));
    assert.ok(outcomes.filter((outcome) => outcome === 'wrong').length <= 6);
    temporary.time.now += 60 * 60;
    const [{ failures } = { failures: 0 }] = await guesses.countsOf(whose.accountId);
    assert.ok(failures <= 100, `${failures}`);
  });

  it('that are made at once are as few as those in a row, and wait no longer', async () => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => attempt(false)));
    assert.equal(outcomes.filter((outcome) => outcome === 'wrong').length, 6);
    temporary.time.now += 30;
    assert.equal(await attempt(true), 'in');
  });

  it('never keep the owner waiting who signed in from this browser before', async () => {
    await fail(100);
    assert.equal(await attempt(true), 'not considered');
    assert.equal(await attempt(true, { device: 'known' }), 'in');
    assert.equal(await attempt(true), 'not considered', 'and the owner being there helps nobody else');
  });

  it('from a known browser have a count of their own, after which it is one like any other', async () => {
    await fail(20, { device: 'known' });
    assert.equal((await guesses.countsOf(whose.accountId))[0]?.failures, 0);
    assert.equal(await attempt(false, { device: 'known' }), 'wrong');
    assert.equal((await guesses.countsOf(whose.accountId))[0]?.failures, 1);
    assert.equal(await attempt(true, { device: 'another' }), 'in');
  });

  it('from many known browsers are as few: whoever had the password could have made any number of them', async () => {
    const isConsidered = (outcome: string) => outcome === 'wrong';
    for (let device = 0; device < 20; device += 1) {
      for (let time = 0; time < 5; time += 1) {
        assert.equal(await attempt(false, { secret: 'totp', device: `device-${device}` }), 'wrong');
      }
    }
    const more = Array.from({ length: 30 }, (_, device) =>
      attempt(false, { secret: 'totp', device: `more-${device}` }),
    );
    assert.ok((await Promise.all(more)).filter(isConsidered).length <= 6, 'they count as unknown ones');
    assert.equal(await attempt(true, { secret: 'totp', device: 'device-30' }), 'not considered');
    await guesses.forgive(whose.accountId, ['totp']);
    assert.equal(await attempt(true, { secret: 'totp', device: 'device-30' }), 'in');
  });

  it('from many known browsers are as few also when they are made at once', async () => {
    const guess = (device: number) => attempt(false, { secret: 'totp', device: `device-${device}` });
    const outcomes = await Promise.all(Array.from({ length: 300 }, (_, device) => guess(device)));
    const considered = outcomes.filter((outcome) => outcome === 'wrong').length;
    assert.ok(considered >= 100 && considered <= 106, String(considered));
  });

  it('are forgiven by a sign-in, unless they have to wait just then', async () => {
    await fail(3);
    assert.equal(await attempt(true), 'in');
    assert.equal((await guesses.countsOf(whose.accountId))[0]?.failures, 0);
    for (let time = 0; time < 6; time++) await attempt(false);
    assert.equal(await attempt(true, { device: 'known' }), 'in');
    assert.equal((await guesses.countsOf(whose.accountId))[0]?.failures, 6);
  });

  it('are not counted when the check could not be made', async () => {
    const broken = { secret: 'password', whose, address: '192.0.2.9' } as const;
    for (let time = 0; time < 10; time++) {
      await assert.rejects(
        guesses.attempt(broken, () => Promise.reject(new Error('queue full'))),
        /queue full/,
      );
    }
    assert.equal(await attempt(true), 'in');
  });

  it('are over when their failure cannot be written', async () => {
    const { store, clock } = temporary;
    let isDown = true;
    const rateLimits: typeof store.rateLimits = {
      ...store.rateLimits,
      add: (...arguments_) => (isDown ? Promise.reject(new Error('down')) : store.rateLimits.add(...arguments_)),
    };
    const counted = createGuesses({ rateLimits, encryptionKey, clock });
    for (let time = 0; time < 8; time++) await assert.rejects(attempt(false, {}, counted), /down/);
    const known = Array.from({ length: 110 }, (_, device) => ({ device: `device-${device}` }));
    for (const guess of known) await assert.rejects(attempt(false, guess, counted), /down/);
    isDown = false;
    for (let time = 0; time < 6; time++) assert.equal(await attempt(false, {}, counted), 'wrong');
    assert.equal(await attempt(true, known[0], counted), 'in');
  });

  it('are counted for each secret and for each account by itself', async () => {
    for (let time = 0; time < 6; time++) await attempt(false);
    assert.equal(await attempt(true), 'not considered');
    assert.equal(await attempt(true, { secret: 'totp' }), 'in');
    assert.equal(await attempt(true, { whose: { accountId: 'another' } }), 'in');
    assert.equal(await attempt(true, { whose: { loginKey: whose.accountId } }), 'in');
  });

  it('at names of nobody wait as long, and are forgotten', async () => {
    const nobody = { whose: { loginKey: 'mallory' } };
    for (let time = 0; time < 6; time++) assert.equal(await attempt(false, nobody), 'wrong');
    assert.equal(await attempt(false, nobody), 'not considered');
    temporary.time.now += 25 * 60 * 60;
    while ((await temporary.store.sweep(100)).more);
    for (let time = 0; time < 6; time++) assert.equal(await attempt(false, nobody), 'wrong');
  });

  for (const [name, first, second] of [
    ['an address', '203.0.113.7', '203.0.113.7'],
    ['a network of IPv6', '2001:db8:1:2::1', '2001:db8:1:2:ffff::9'],
    ['an address in both notations', '203.0.113.7', '::ffff:203.0.113.7'],
  ] as const) {
    it(`from ${name} are 50 in a quarter of an hour, but for known browsers`, async () => {
      const fifty = Array.from({ length: 50 }, (_, time) => ({
        whose: { loginKey: `name ${time}` },
        address: time % 2 ? first : second,
      }));
      await Promise.all(fifty.map((guess) => attempt(false, guess)));
      temporary.time.now += 100;
      await assert.rejects(attempt(true, { address: second }), (error: TooManyGuesses) => {
        assert.ok(error instanceof TooManyGuesses);
        assert.equal(error.retryAfter, 15 * 60 - 100);
        return true;
      });
      assert.equal(await attempt(true, { address: '203.0.113.8' }), 'in');
      assert.equal(await attempt(true, { address: '2001:db8:1:3::1' }), 'in');
      assert.equal(await attempt(true, { address: first, device: 'known' }), 'in');
      temporary.time.now += 15 * 60 - 100;
      assert.equal(await attempt(true, { address: first }), 'in');
    });
  }

  it('leave no name or address in the database', async () => {
    const { watched, names } = watch();
    await attempt(false, { whose: { loginKey: 'alice@example.org' }, address: '203.0.113.7' }, watched);
    assert.ok(names.length >= 2);
    for (const name of names) assert.match(name, /^[\w-]{43}$/);
  });
});
