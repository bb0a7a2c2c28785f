// Cookie signatures: keygrip's, made faster.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { type CookieKeys, createCookieKeys } from '../../src/provider/cookie-keys.ts';

const Keygrip = createRequire(createRequire(import.meta.url).resolve('koa'))('keygrip') as new (
  keys: string[],
) => CookieKeys;

describe('cookie keys', () => {
  const secrets = ['the first secret of this test', 'und das zweite: äöü', 'x'.repeat(200)];
  const ours = createCookieKeys(secrets);
  const theirs = new Keygrip(secrets);

  for (const data of ['session=abc', '__Secure-interaction=ä', `resume=${'x'.repeat(4_000)}`, '']) {
    it(`sign ${data.slice(0, 24) || 'nothing'} as keygrip does`, () => {
      assert.equal(ours.sign(data), theirs.sign(data));
    });
  }

  it('say which secret made a signature', () => {
    for (const [place, secret] of secrets.entries()) {
      const signature = createCookieKeys([secret]).sign('session=abc');
      assert.equal(ours.index('session=abc', signature), place);
      assert.ok(ours.verify('session=abc', signature));
    }
  });

  for (const [name, signature] of [
    ['another secret', createCookieKeys(['another secret']).sign('session=abc')],
    ['other data', ours.sign('session=abd')],
    ['no text', ''],
    ['half a signature', ours.sign('session=abc').slice(0, 10)],
    ['more than a signature', `${ours.sign('session=abc')}A`],
  ] as const) {
    it(`refuse the signature of ${name}`, () => {
      assert.equal(ours.index('session=abc', signature), -1);
      assert.equal(ours.verify('session=abc', signature), false);
    });
  }

  it('are none without a secret', () => {
    assert.throws(() => createCookieKeys([]), /at least one secret/);
  });
});
