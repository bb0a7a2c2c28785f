// Levels of authentication: what methods reach, what satisfies what, and what a request asks for.
import assert from 'node:assert/strict';
import { acrOf, requestedAcr, satisfies } from '../../src/provider/authentication-levels.ts';

describe('Levels of authentication', () => {
  for (const [amr, acr] of [
    [[], 'aal1'],
    [['pwd'], 'aal1'],
    [['fed'], 'aal1'],
    [['pwd', 'otp'], 'aal1'],
    [['swk'], 'aal1'],
    [['pwd', 'otp', 'mfa'], 'aal2'],
    [['pwd', 'mfa'], 'aal2'],
    [['fed', 'otp', 'mfa'], 'aal2'],
    [['pwd', 'swk', 'mfa'], 'phr'],
    [['hwk', 'user', 'mfa'], 'phr'],
  ] as const) {
    it(`are ${acr} for ${JSON.stringify(amr)} (RFC 8176 §2)`, () => assert.equal(acrOf(amr), acr));
  }

  for (const [acr, satisfied] of [
    ['aal1', ['aal1']],
    ['aal2', ['aal1', 'aal2']],
    ['phr', ['aal1', 'aal2', 'phr']],
    [undefined, []],
    ['aal3', []],
  ] as const) {
    it(`satisfy: ${acr} satisfies ${satisfied.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(
        (['aal1', 'aal2', 'phr'] as const).filter((wanted) => satisfies(acr, wanted)),
        satisfied,
      );
    });
  }

  const acr = (claim: unknown) => JSON.stringify({ id_token: { acr: claim } });
  for (const [what, parameters, expected] of [
    ['nothing', {}, { essential: false, level: undefined }],
    ['values in any order', { acr_values: 'phr aal2' }, { essential: false, level: 'aal2' }],
    ['values that we do not have', { acr_values: '1 2' }, { essential: false, level: undefined }],
    ['a voluntary claim', { claims: acr({ value: 'aal2' }) }, { essential: false, level: 'aal2' }],
    ['an essential value', { claims: acr({ essential: true, value: 'phr' }) }, { essential: true, level: 'phr' }],
    [
      'essential values beside others',
      { claims: acr({ essential: true, values: ['x', 'aal2'] }), acr_values: 'aal1' },
      { essential: true, level: 'aal2' },
    ],
    [
      'acr_values beside a voluntary claim',
      { claims: acr({ value: 'aal2' }), acr_values: 'aal1' },
      { essential: false, level: 'aal1' },
    ],
    ['an essential claim without values', { claims: acr({ essential: true }) }, { essential: false, level: undefined }],
    [
      'essential values of others',
      { claims: acr({ essential: true, value: 'x' }) },
      { essential: true, level: undefined },
    ],
  ] as const) {
    it(`are asked for by ${what} (OpenID Connect Core §5.5.1.1)`, () => {
      const { essential, level } = requestedAcr(parameters);
      assert.deepEqual({ essential, level }, expected);
    });
  }
});
