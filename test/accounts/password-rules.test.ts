// What a password must be where it is chosen (security.md R52; SP 800-63B-4 §3.1.1.2).
import assert from 'node:assert/strict';
import { createPasswordRules } from '../../src/accounts/password-rules.ts';

const account = {
  username: 'alice.miller',
  claims: { name: 'Alice Miller', email: 'alice@wonder.example', birthdate: '1990-05-17' },
};

/** Of different characters of three bytes each. */
const syllables = (count: number) => Array.from({ length: count }, (_, at) => String.fromCodePoint(0xac00 + at * 30));

describe('a password that is chosen', () => {
  const rules = createPasswordRules({ words: ['Example Sign-In', 'id.example.com'] });
  const faultOf = async (password: string, hasSecondFactor = false) =>
    (await rules.faultOf(password, { account, hasSecondFactor }))?.reason;

  for (const [name, password] of [
    ['15 characters', 'zebra under ice'],
    ['words without capitals, digits or signs', 'correct battery horse staple'],
    ['256 code points', syllables(256).join('')],
    ['characters beyond the basic plane', '🎲🧩🪐🎸🐙🦄🌈🔥💎🌍🍕🚀🎉😀🫧'],
    ['a name among other words', 'alice drank no green tea'],
  ] as const) {
    it(`may be one of ${name}`, async () => {
      assert.equal(await faultOf(password), undefined);
    });
  }

  for (const [name, password, reason] of [
    ['14 code points', 'zebra under ic', 'tooShort'],
    ['14 code points that are 28 code units', '🎲🧩🪐🎸🐙🦄🌈🔥💎🌍🍕🚀🎉😀', 'tooShort'],
    ['14 letters, the half of which is typed decomposed', 'ze\u0301bra\u0301 under ic', 'tooShort'],
    ['more than 1,024 bytes', syllables(342).join(''), 'tooLong'],
    ['a NUL', 'zebra under ice\0', 'unusable'],
    ['half a surrogate pair', 'zebra under ice\ud800', 'unusable'],
    ['the first words of every list', 'qwertyuiopasdfghjkl', 'common'],
    ['one character again and again', 'x'.repeat(60), 'guessable'],
    ['the same word twice', 'passwordpassword', 'guessable'],
    ['a run of digits', '1234567890123456789', 'guessable'],
    ['their own name', 'Alice.Miller1990', 'personal'],
    ['their own name in full width', 'ａｌｉｃｅ．ｍｉｌｌｅｒ１９９０', 'personal'],
    ['their e-mail address', 'alice@wonder.example', 'personal'],
    ['the name of the installation', 'example sign-in!', 'personal'],
    ['the host of the installation', 'id.example.com99', 'personal'],
  ] as const) {
    it(`may not be one of ${name}`, async () => {
      assert.equal(await faultOf(password), reason);
    });
  }

  for (const [name, password, reason] of [
    ['may have 8 characters', 'kX9#mP2v', undefined],
    ['may not have 7', 'kX9#mP2', 'tooShort'],
    ['may not be a common one', 'password', 'common'],
  ] as const) {
    it(`${name} beside a second factor`, async () => {
      assert.equal(await faultOf(password, true), reason);
    });
  }

  it('is told its minimum before it is chosen', () => {
    assert.equal(rules.minimumFor({ hasSecondFactor: false }), 15);
    assert.equal(rules.minimumFor({ hasSecondFactor: true }), 8);
  });

  it('keeps nobody else waiting, however long its estimate takes (security.md R72)', async () => {
    await faultOf('zebra under ice');
    const worst = '@$(8103!|1'.repeat(25);
    let longestMs = 0;
    let last = performance.now();
    const ticking = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 1);
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 10 }, () => faultOf(worst)));
    const tookMs = performance.now() - startedAt;
    clearInterval(ticking);
    assert.ok(longestMs < Math.max(50, tookMs / 2), `the loop stood still for ${longestMs} of ${tookMs} ms`);
  });
});
