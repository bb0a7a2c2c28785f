// Login keys: which spellings are the same login.
import assert from 'node:assert/strict';
import { loginKey } from '../../src/accounts/login-keys.ts';

describe('login keys', () => {
  for (const [name, one, other] of [
    ['case', 'Alice', 'aLICE'],
    ['full width', 'ａｌｉｃｅ', 'alice'],
    ['composition', 'zo\u00eb', 'zoe\u0308'],
    ['surrounding white space', ' alice\t', 'alice'],
    ['inner white space', 'alice \u00a0\u3000 smith', 'alice smith'],
    ['final sigma', 'ΟΔΥΣΣΕΥΣ', 'οδυσσευσ'],
    ['sharp s', 'STRASSE', 'straße'],
    ['an e-mail address', 'Alice@Example.ORG', 'alice@example.org'],
  ] as const) {
    it(`unite ${name} (security.md R50)`, () => {
      assert.equal(loginKey(one), loginKey(other));
    });
  }

  it('keep different logins apart', () => {
    const logins = ['alice', 'alica', 'al ice', 'álice', 'alice1', 'alice@example.org', 'alice@example.com'];
    assert.equal(new Set(logins.map(loginKey)).size, logins.length);
  });

  it('are canonical: the key of a key is itself, for every character', () => {
    for (let point = 1; point < 0x20000; point += 1) {
      const key = loginKey(`a${String.fromCodePoint(point)}b`);
      assert.equal(loginKey(key), key, point.toString(16));
    }
  });
});
