// Codes of authenticator apps: the test vectors of RFC 6238, the window, and what apps are told.
import assert from 'node:assert/strict';
import { Secret } from 'otpauth';
import { newTotpSecret, totpStepOf, totpUri } from '../../src/accounts/totp.ts';

/** RFC 6238 appendix B uses this key for SHA-1. */
const SECRET = Secret.fromLatin1('12345678901234567890').base32;

describe('Codes of authenticator apps', () => {
  // the appendix prints eight digits; apps show the last six
  for (const [time, code] of [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ] as const) {
    it(`are ${code} at ${time} (RFC 6238 appendix B)`, () => {
      assert.equal(totpStepOf(SECRET, code, time), Math.floor(time / 30));
    });
  }

  for (const [steps, works] of [
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ] as const) {
    it(`are ${works ? 'good' : 'bad'} when the clock is ${steps} steps off (RFC 6238 §5.2)`, () => {
      const now = 1_111_111_111 - steps * 30;
      assert.equal(totpStepOf(SECRET, '050471', now), works ? Math.floor(1_111_111_111 / 30) : undefined);
    });
  }

  for (const written of ['050 471', ' 050471 ', '050-471', '０５０４７１', '050\u00a0471']) {
    it(`may be written ${JSON.stringify(written)}`, () => {
      assert.ok(totpStepOf(SECRET, written, 1_111_111_111));
    });
  }

  for (const written of ['', '50471', '14050471', '050471x', '-50471', '0x50471', '050471'.padEnd(65), '٠٥٠٤٧١']) {
    it(`are not ${JSON.stringify(written)}`, () => {
      assert.equal(totpStepOf(SECRET, written, 1_111_111_111), undefined);
    });
  }

  it('come from a random secret of 160 bits (RFC 4226 §4 R6)', () => {
    const secrets = Array.from({ length: 50 }, newTotpSecret);
    assert.equal(new Set(secrets).size, 50);
    for (const secret of secrets) assert.equal(Secret.fromBase32(secret).bytes.length, 20);
  });

  it('are announced to the app with issuer and name, and the settings that every app can do', () => {
    const uri = new URL(totpUri({ secret: SECRET, issuer: 'Example: Accounts', username: 'älice@example.org' }));
    assert.equal(`${uri.protocol}//${uri.host}`, 'otpauth://totp');
    assert.equal(uri.pathname.split(':').length, 2, 'only the colon between issuer and name is one');
    const { issuer, secret, algorithm, digits, period } = Object.fromEntries(uri.searchParams);
    assert.deepEqual(
      { secret, algorithm, digits, period },
      { secret: SECRET, algorithm: 'SHA1', digits: '6', period: '30' },
    );
    assert.match(String(issuer), /^Example/);
  });
});
