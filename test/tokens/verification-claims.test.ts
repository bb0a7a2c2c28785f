// Verification, second half: a genuine token that is not good here and now is refused with the reason.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { StoreUnavailable } from '../../src/store.ts';
import {
  createKeySet,
  forge,
  goodClaims,
  hmacSigner,
  issuer,
  keySigner,
  now,
  sharedSecret,
  sharedSecretIssuer,
  verifierWith,
} from './forgery.ts';

const { keyring, kid, privateKey } = await createKeySet();
const verify = verifierWith({ keyring });

type Changes = Record<string, unknown>;
const es256Signer = keySigner('ES256', privateKey('ES256'));
const es256 = (claims: Changes = {}, header: Changes = {}) =>
  forge({ alg: 'ES256', typ: 'at+jwt', kid: kid('ES256'), ...header }, goodClaims(claims), es256Signer);
const hs256 = (claims: Changes = {}, header: Changes = {}) =>
  forge({ alg: 'HS256', ...header }, goodClaims({ iss: sharedSecretIssuer, ...claims }), hmacSigner(sharedSecret));

const refused = (reason: string, claim: string, expected: unknown, received: unknown) => ({
  valid: false,
  error: 'invalid_token',
  reason,
  claim,
  expected,
  received,
});
async function assertValid(token: string, audience?: string) {
  assert.equal((await verify(token, audience)).valid, true);
}

describe('verification of the kind of token (RFC 8725 §3.11)', () => {
  for (const typ of ['at+jwt', 'application/at+jwt']) {
    it(`accepts typ ${typ} from a key pair`, () => assertValid(es256({}, { typ })));
  }
  for (const typ of ['at+jwt', 'application/at+jwt', 'JWT', undefined]) {
    it(`accepts typ ${typ} from the shared secret`, () => assertValid(hs256({}, { typ })));
  }
  for (const typ of ['JWT', undefined, 'logout+jwt', 'token-introspection+jwt', 'AT+JWT', 'at+jwt ', 'jwt', '']) {
    it(`refuses typ "${typ}" from a key pair`, async () => {
      assert.deepEqual(await verify(es256({}, { typ })), refused('type', 'typ', 'at+jwt', typ ?? null));
    });
  }
  for (const typ of ['logout+jwt', 'dpop+jwt', 'jwt', '']) {
    it(`refuses typ "${typ}" from the shared secret`, async () => {
      assert.deepEqual(await verify(hs256({}, { typ })), refused('type', 'typ', 'at+jwt', typ));
    });
  }
  it('refuses an ID token as an access token, though it names the audience (OpenID Connect Core §2)', async () => {
    const claims = { iss: issuer, sub: 'a-user', aud: 'logging-service', iat: now, exp: now + 900, nonce: 'n' };
    const idToken = forge(
      { alg: 'RS256', typ: 'JWT', kid: kid('RS256') },
      claims,
      keySigner('RS256', privateKey('RS256')),
    );
    assert.deepEqual(await verify(idToken), refused('type', 'typ', 'at+jwt', 'JWT'));
  });
});

describe('verification of iss (RFC 7519 §4.1.1)', () => {
  for (const iss of [`${issuer}/`, issuer.toUpperCase(), sharedSecretIssuer, '', null, 1, [issuer], { iss: issuer }]) {
    it(`refuses ${JSON.stringify(iss)} from a key pair`, async () => {
      assert.deepEqual(await verify(es256({ iss })), refused('issuer', 'iss', issuer, iss));
    });
  }
  it('refuses a token without one', async () => {
    assert.deepEqual(await verify(es256({ iss: undefined })), refused('issuer', 'iss', issuer, null));
  });
  it('refuses the issuer of key pairs from the shared secret', async () => {
    assert.deepEqual(await verify(hs256({ iss: issuer })), refused('issuer', 'iss', sharedSecretIssuer, issuer));
  });
});

describe('verification of aud (RFC 7519 §4.1.3)', () => {
  const five = ['a', 'b', 'c', 'd', 'logging-service'];
  for (const aud of [['logging-service'], five]) {
    it(`accepts ${JSON.stringify(aud)}`, () => assertValid(es256({ aud })));
  }
  const bad = [
    'Logging-Service',
    'logging-service ',
    ' logging-service',
    'logging',
    'logging-service/x',
    'modern-service',
    '',
    null,
    1,
    true,
    [],
    {},
    { 0: 'logging-service', length: 1 },
    [['logging-service']],
    ['logging-service', ''],
    ['logging-service', 1],
    ['logging-service', null],
    [...five, 'f'],
    ['other'],
  ];
  for (const aud of bad) {
    it(`refuses ${JSON.stringify(aud)}`, async () => {
      assert.deepEqual(await verify(es256({ aud })), refused('audience', 'aud', 'logging-service', aud));
    });
  }
  it('refuses a token without one', async () => {
    assert.deepEqual(await verify(es256({ aud: undefined })), refused('audience', 'aud', 'logging-service', null));
  });
  it('refuses an audience that no resource server has', async () => {
    assert.deepEqual(
      await verify(es256({ aud: 'gone-service' }), 'gone-service'),
      refused('audience', 'aud', 'a registered resource server', 'gone-service'),
    );
  });
  for (const audience of ['', '__proto__', 'logging-service\0']) {
    it(`refuses when asked about ${JSON.stringify(audience)}`, async () => {
      const expected = refused('audience', 'aud', audience, 'logging-service');
      assert.deepEqual(await verify(es256(), audience), expected);
    });
  }
});

describe('verification of HS256 (RFC 8725 §3.5)', () => {
  it('refuses it for a resource server that is not registered for it', async () => {
    assert.deepEqual(
      await verify(hs256({ aud: 'modern-service' }), 'modern-service'),
      refused('algorithm', 'alg', 'ES256', 'HS256'),
    );
  });
  it('accepts a key pair for a resource server that is registered for another algorithm', async () => {
    await assertValid(es256(), 'logging-service');
    const rs256 = forge(
      { alg: 'RS256', typ: 'at+jwt', kid: kid('RS256') },
      goodClaims({ aud: 'modern-service' }),
      keySigner('RS256', privateKey('RS256')),
    );
    await assertValid(rs256, 'modern-service');
  });
});

describe('verification of the shape of claims (RFC 8725 §3.8)', () => {
  const name = 'a string of 1 to 255 characters';
  const time = 'epoch seconds, an integer';
  const notNames = ['', 'x'.repeat(256), 1, null, ['x'], { sub: 'x' }, true];
  const notTimes = [`${now + 900}`, now + 0.5, 1e308, -1, null, true, [now], {}, 2 ** 53];
  const cases: [string, unknown[], string][] = [
    ['sub', [...notNames, undefined], name],
    ['jti', notNames, name],
    ['client_id', notNames, name],
    ['scope', [1, null, ['logs:write'], {}], 'a string'],
    ['exp', [...notTimes, undefined], time],
    ['iat', notTimes, time],
    ['nbf', notTimes, time],
  ];
  for (const [claim, values, expected] of cases) {
    for (const value of values) {
      it(`refuses ${claim} ${JSON.stringify(value)?.slice(0, 30)}`, async () => {
        assert.deepEqual(await verify(es256({ [claim]: value })), refused('malformed', claim, expected, value ?? null));
      });
    }
  }
  it('refuses a sub with a lone surrogate', async () => {
    assert.deepEqual(await verify(es256({ sub: 'a\ud800' })), refused('malformed', 'sub', name, 'a\ud800'));
  });
  for (const sub of ['x', 'x'.repeat(255)]) {
    it(`accepts a sub of ${sub.length} characters`, () => assertValid(es256({ sub })));
  }
  it('accepts a token of a service without iat, nbf, jti, client_id and scope', () =>
    assertValid(hs256({ iat: undefined, nbf: undefined, jti: undefined, client_id: undefined })));
  it('does not take a claim from the prototype', async () => {
    const payload = JSON.stringify(goodClaims({ sub: undefined })).replace('{', '{"__proto__":{"sub":"root"},');
    const token = forge({ alg: 'ES256', typ: 'at+jwt', kid: kid('ES256') }, payload, es256Signer);
    assert.deepEqual(await verify(token), refused('malformed', 'sub', name, null));
  });
});

describe('verification of times with a skew of 15 s', () => {
  const accepted: [string, Changes][] = [
    ['exp 14 s ago', { exp: now - 14 }],
    ['nbf 14 s ahead', { nbf: now + 14 }],
    ['nbf 15 s ahead', { nbf: now + 15 }],
    ['iat 15 s ahead', { iat: now + 15 }],
    ['a whole day', { iat: now - 5, exp: now + 86_400 }],
    ['a whole day without iat', { iat: undefined, exp: now + 86_400 }],
  ];
  for (const [name, claims] of accepted) it(`accepts ${name}`, () => assertValid(hs256(claims)));

  const cases: [string, Changes, string, string, string][] = [
    ['exp 15 s ago', { exp: now - 15 }, 'expired', 'exp', `after ${now - 15}`],
    ['exp 16 s ago', { exp: now - 16 }, 'expired', 'exp', `after ${now - 15}`],
    ['exp at the epoch', { exp: 0 }, 'expired', 'exp', `after ${now - 15}`],
    ['nbf 16 s ahead', { nbf: now + 16 }, 'not_yet_valid', 'nbf', `at most ${now + 15}`],
    ['iat 16 s ahead', { iat: now + 16 }, 'not_yet_valid', 'iat', `at most ${now + 15}`],
    ['a day and a second', { exp: now + 86_401 }, 'lifetime', 'exp', `at most ${now + 86_400}`],
    ['a day and 21 s without iat', { iat: undefined, exp: now + 86_421 }, 'lifetime', 'exp', `at most ${now + 86_420}`],
    ['exp far away', { exp: Number.MAX_SAFE_INTEGER }, 'lifetime', 'exp', `at most ${now + 86_400}`],
    ['exp far away, iat too', { iat: 9e15, exp: 9e15 + 60 }, 'not_yet_valid', 'iat', `at most ${now + 15}`],
  ];
  for (const [name, claims, reason, claim, expected] of cases) {
    it(`refuses ${name}`, async () => {
      assert.deepEqual(await verify(hs256(claims)), refused(reason, claim, expected, claims[claim]));
    });
  }

  it('has no leeway when the skew is 0', async () => {
    const strict = verifierWith({ keyring, clockSkew: 0 });
    assert.equal((await strict(es256({ exp: now + 1 }))).valid, true);
    assert.deepEqual(await strict(es256({ exp: now })), refused('expired', 'exp', `after ${now}`, now));
  });

  it('follows the clock: the same token is good, then expired', async () => {
    let time = now;
    const following = verifierWith({ keyring, clock: () => time });
    const token = es256();
    assert.equal((await following(token)).valid, true);
    time = now + 900 + 15;
    assert.deepEqual(await following(token), refused('expired', 'exp', `after ${now + 900}`, now + 900));
  });
});

describe('verification of revocation', () => {
  it('refuses a good token that is revoked, by its claims', async () => {
    const asking = verifierWith({ keyring, isRevoked: async (jti) => jti === 'revoked-one' });
    assert.equal((await asking(es256())).valid, true);
    assert.deepEqual(
      await asking(es256({ jti: 'revoked-one' })),
      refused('revoked', 'jti', 'a token that is not revoked', 'revoked-one'),
    );
  });
  it('does not ask about a token that is refused anyway', async () => {
    const asking = verifierWith({
      keyring,
      isRevoked: async () => {
        throw new StoreUnavailable();
      },
    });
    await assert.rejects(asking(es256()), StoreUnavailable);
    assert.equal((await asking(es256({ exp: now - 60 }))).valid, false);
    assert.equal((await asking('not a token')).valid, false);
  });
});

describe('verification while the store is down', () => {
  const findResourceServer = async () => {
    throw new StoreUnavailable();
  };
  it('says so for a genuine token instead of refusing it', async () => {
    await assert.rejects(verifierWith({ keyring, findResourceServer })(es256()), StoreUnavailable);
  });
  it('still refuses a forged one', async () => {
    const forged = `${es256().slice(0, -8)}AAAAAAAA`;
    assert.equal((await verifierWith({ keyring, findResourceServer })(forged)).valid, false);
  });
});
