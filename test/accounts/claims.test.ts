// Claims: which values an account can carry, and what it answers to each scope.
import assert from 'node:assert/strict';
import { claimValue, InvalidClaim, parseClaims } from '../../src/accounts/claim-values.ts';
import { accountClaims, claimsByScope } from '../../src/accounts/claims.ts';
import type { Account, StandardClaims } from '../../src/store.ts';

const every: Required<StandardClaims> = {
  name: 'Alice Example',
  given_name: 'Alice',
  family_name: 'Example',
  middle_name: 'B.',
  nickname: 'Al',
  preferred_username: 'alice',
  profile: 'https://people.example/alice',
  picture: 'https://people.example/alice.png',
  website: 'http://alice.example/',
  email: 'alice@example.org',
  email_verified: true,
  gender: 'female',
  birthdate: '0000-02-29',
  zoneinfo: 'Europe/Zurich',
  locale: 'de_CH',
  phone_number: '+41 44 000 00 00',
  phone_number_verified: false,
  address: { street_address: '1 Example Street\nBack door', locality: 'Bern' },
  updated_at: 1_790_000_000,
};

function accountWith(claims: StandardClaims): Account {
  return { id: '00000000-0000-4000-8000-000000000000', username: 'alice', claims, createdAt: 1_800_000_000 };
}

describe('claims', () => {
  it('are all nineteen that are standard, each asked for by one scope (OpenID Connect Core §5.4)', () => {
    const { openid, ...scopes } = claimsByScope;
    assert.deepEqual(openid, ['sub']);
    assert.deepEqual(Object.values(scopes).flat().sort(), Object.keys(every).sort());
    assert.equal(scopes.profile.length, 14);
  });

  it('are kept and answered as they were given', () => {
    const account = accountWith(parseClaims(every));
    assert.deepEqual(accountClaims(account), { ...every, sub: account.id });
  });

  it('tell the username, the time, and that an address is unverified, where nothing else is known', () => {
    const account = accountWith({ email: 'alice@example.org', phone_number: '+41 44 000 00 00' });
    assert.deepEqual(accountClaims(account), {
      sub: account.id,
      preferred_username: 'alice',
      updated_at: 1_800_000_000,
      email: 'alice@example.org',
      email_verified: false,
      phone_number: '+41 44 000 00 00',
      phone_number_verified: false,
    });
  });

  it('never replace the subject', () => {
    const account = accountWith({ sub: 'somebody else' } as StandardClaims);
    assert.equal(accountClaims(account).sub, account.id);
  });

  for (const [name, value] of [
    ['sub', 'x'],
    ['nonsense', 'x'],
    ['__proto__x', 'x'],
    ['toString', 'x'],
    ['name', ''],
    ['name', '  '],
    ['name', 7],
    ['name', 'Alice\nBob'],
    ['name', 'x'.repeat(1_001)],
    ['picture', 'javascript:alert(1)'],
    ['website', 'alice.example'],
    ['email', 'alice'],
    ['email', 'a@b@c'],
    ['email', 'a b@example.org'],
    ['email', 'ali\u200bce@example.org'],
    ['email', 'alice@exam\u00adple.org'],
    ['email', '\u202eecila@example.org'],
    ['email_verified', 'true'],
    ['email_verified', 1],
    ['birthdate', '1990-13-01'],
    ['birthdate', '1990-02-30'],
    ['birthdate', '01.02.1990'],
    ['birthdate', '1849'],
    ['birthdate', 1990],
    ['zoneinfo', 'Mars/Olympus'],
    ['locale', 'a language'],
    ['address', 'Bern'],
    ['address', {}],
    ['address', []],
    ['address', { town: 'Bern' }],
    ['address', { locality: '' }],
    ['address', { locality: 3 }],
    ['updated_at', '1790000000'],
    ['updated_at', 0.5],
    ['updated_at', 12],
  ] as const) {
    it(`refuse ${name}: ${JSON.stringify(value).slice(0, 40)}`, () => {
      assert.throws(
        () => parseClaims({ [name]: value }),
        (error) => error instanceof InvalidClaim && error.message.startsWith(name),
      );
    });
  }

  for (const birthdate of ['1990', '1990-02-28', '2024-02-29', '0000-12-31']) {
    it(`take the birthdate ${birthdate}`, () => {
      assert.deepEqual(parseClaims({ birthdate }), { birthdate });
    });
  }

  for (const [name, written, value] of [
    ['birthdate', '1990', '1990'],
    ['nickname', '007', '007'],
    ['nickname', '"true"', 'true'],
    ['email_verified', 'true', true],
    ['updated_at', '1790000000', 1_790_000_000],
    ['address', '{"locality":"Bern"}', { locality: 'Bern' }],
    ['address', 'Bern', 'Bern'],
    ['nonsense', '7', '7'],
  ] as const) {
    it(`read ${name}=${written} from a command line as ${JSON.stringify(value)}`, () => {
      assert.deepEqual(claimValue(name, written), value);
    });
  }
});
