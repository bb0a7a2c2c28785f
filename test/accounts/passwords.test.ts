// Passwords: how they are hashed, which are taken, how many at a time.
import assert from 'node:assert/strict';
import { hash as argon2 } from '@node-rs/argon2';
import { createHashQueue, PasswordQueueFull } from '../../src/accounts/hash-queue.ts';
import { createPasswordHasher, isAcceptablePassword, UnacceptablePassword } from '../../src/accounts/passwords.ts';

const passwords = createPasswordHasher();

async function elapsed(job: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await job();
  return performance.now() - start;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

describe('passwords', () => {
  it('are hashed with argon2id at the OWASP minimum, salted', async () => {
    const [first, second] = await Promise.all([passwords.hash('secret password'), passwords.hash('secret password')]);
    assert.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.notEqual(first, second);
    assert.equal(passwords.needsRehash(first), false);
  });

  it('match themselves and nothing else', async () => {
    const hash = await passwords.hash('secret password');
    assert.equal(await passwords.verify(hash, 'secret password'), true);
    for (const other of ['Secret password', 'secret password ', ' secret password', 'secret passwor', 'secret']) {
      assert.equal(await passwords.verify(hash, other), false, other);
    }
  });

  for (const [name, length] of [
    ['64 code points', 64],
    ['256 code points of four bytes', 256],
  ] as const) {
    it(`are taken whole with ${name}: the last one matters (SP 800-63B-4 §3.1.1.2)`, async () => {
      const password = '😀'.repeat(length);
      const hash = await passwords.hash(password);
      assert.equal(await passwords.verify(hash, password), true);
      assert.equal(await passwords.verify(hash, `${'😀'.repeat(length - 1)}😁`), false);
    });
  }

  it('match in every spelling of the same characters (SP 800-63B-4 §3.1.1.2)', async () => {
    const hash = await passwords.hash('Zürich ﬁne'.normalize('NFC'));
    assert.equal(await passwords.verify(hash, 'Zürich ﬁne'.normalize('NFD')), true);
    assert.equal(await passwords.verify(hash, 'Zürich fine'), true);
  });

  for (const [name, password] of [
    ['nothing', ''],
    ['more than 1,024 bytes', 'x'.repeat(1_025)],
    ['few characters of more than 1,024 bytes', '😀'.repeat(257)],
    ['a NUL', 'secret\0password'],
    ['half a surrogate pair', 'secret \ud83d password'],
  ] as const) {
    it(`refuse ${name}, to set and to check, without hashing`, async () => {
      assert.equal(isAcceptablePassword(password), false);
      await assert.rejects(passwords.hash(password), UnacceptablePassword);
      const full = createPasswordHasher({ concurrency: 0, maxQueue: 0 });
      assert.equal(await full.verify(undefined, password), false);
    });
  }

  it('cost the same to check for an account that does not exist (security.md R48)', async () => {
    const hash = await passwords.hash('secret password');
    const known: number[] = [];
    const unknown: number[] = [];
    for (let round = 0; round < 11; round += 1) {
      known.push(await elapsed(() => passwords.verify(hash, 'wrong password')));
      unknown.push(await elapsed(() => passwords.verify(undefined, 'wrong password')));
    }
    const ratio = median(unknown) / median(known);
    assert.ok(ratio > 0.5 && ratio < 2, `unknown accounts take ${ratio} times as long`);
  });

  it('never match a hash of another kind, nor nothing', async () => {
    for (const hash of [undefined, '', 'plain', '$2b$10$abcdefghijklmnopqrstuuO']) {
      assert.equal(await passwords.verify(hash, 'secret password'), false);
    }
  });

  for (const [name, options] of [
    ['less memory', { memoryCost: 8_192, timeCost: 2 }],
    ['fewer passes', { memoryCost: 19_456, timeCost: 1 }],
    ['another variant', { memoryCost: 19_456, timeCost: 2, algorithm: 0 }],
  ] as const) {
    it(`want a new hash after ${name}`, async () => {
      assert.equal(passwords.needsRehash(await argon2('secret password', options)), true);
    });
  }
});

describe('the hash queue', () => {
  it('runs a few at once, the rest in order, and refuses what is too much (security.md R51)', async () => {
    const inTurn = createHashQueue(2, 3);
    const finish: (() => void)[] = [];
    const started: number[] = [];
    const jobs = [0, 1, 2, 3, 4].map((job) =>
      inTurn(() => {
        started.push(job);
        return new Promise<void>((resolve) => finish.push(resolve));
      }),
    );
    await assert.rejects(
      inTurn(async () => started.push(99)),
      PasswordQueueFull,
    );
    assert.deepEqual(started, [0, 1]);
    for (const job of jobs) {
      finish.shift()?.();
      await job;
    }
    assert.deepEqual(started, [0, 1, 2, 3, 4]);
  });

  it('runs what is urgent before all that waits (security.md R49)', async () => {
    const inTurn = createHashQueue(1, 2);
    const started: string[] = [];
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    const first = inTurn(() => finished);
    const jobs = ['a', 'b'].map((name) => inTurn(async () => started.push(name)));
    jobs.push(inTurn(async () => started.push('urgent'), { urgent: true }));
    finish();
    await Promise.all([first, ...jobs]);
    assert.deepEqual(started, ['urgent', 'a', 'b']);
  });

  it('refuses what would wait for too long, going by the jobs before (security.md R51)', async () => {
    const inTurn = createHashQueue(1, 50, 30);
    const slow = () => new Promise((resolve) => setTimeout(resolve, 40));
    for (let job = 0; job < 10; job++) await inTurn(slow);
    const running = inTurn(slow);
    const waiting = inTurn(slow);
    await assert.rejects(inTurn(slow), PasswordQueueFull);
    await Promise.all([running, waiting]);
  });

  it('frees the place of a job that failed', async () => {
    const inTurn = createHashQueue(1, 1);
    await assert.rejects(
      inTurn(() => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(await inTurn(async () => 'yes'), 'yes');
  });
});
