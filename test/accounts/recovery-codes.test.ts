// Recovery codes: hard to guess, easy to type, and kept as digests that say nothing.
import assert from 'node:assert/strict';
import { newRecoveryCodes, recoveryCodeCount, recoveryCodeDigest } from '../../src/accounts/recovery-codes.ts';

const CODE = 'k1mq-20v9-h4td-8wz3';

describe('Recovery codes', () => {
  it('are ten different ones of 80 random bits, in an alphabet without letters that look alike', () => {
    const codes = Array.from({ length: 50 }, newRecoveryCodes).flat();
    assert.equal(recoveryCodeCount, 10);
    assert.equal(new Set(codes).size, 500);
    const characters = new Set(codes.join('').replaceAll('-', ''));
    assert.equal(characters.size, 32, 'each character is one of 32: five bits');
    for (const code of codes) assert.match(code, /^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$/);
  });

  for (const written of [
    'K1MQ-20V9-H4TD-8WZ3',
    'k1mq20v9h4td8wz3',
    ' k1mq 20v9 h4td 8wz3 ',
    'klmq-2Ov9-h4td-8wz3',
    'kImq-2ov9-h4td-8wz3',
    'k1mq–20v9—h4td‐8wz3',
    'ｋ１ｍｑ－２０ｖ９－ｈ４ｔｄ－８ｗｚ３',
  ]) {
    it(`are the same when they are written ${JSON.stringify(written)}`, () => {
      assert.equal(recoveryCodeDigest('a', written), recoveryCodeDigest('a', CODE));
    });
  }

  for (const written of ['', 'k1mq', `${CODE}0`, CODE.replace('k', 'u'), CODE.replace('k', 'é'), CODE.repeat(40)]) {
    it(`are not ${JSON.stringify(written.slice(0, 24))}`, () => {
      assert.equal(recoveryCodeDigest('a', written), undefined);
    });
  }

  it('have a digest of SHA-256 that differs from account to account', () => {
    const digest = recoveryCodeDigest('a', CODE);
    assert.match(String(digest), /^[\w-]{43}$/);
    assert.notEqual(digest, recoveryCodeDigest('b', CODE));
  });
});
