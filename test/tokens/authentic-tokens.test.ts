// What is remembered of authentic tokens, and that nothing else passes because of it.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { createAuthenticTokens } from '../../src/tokens/authentic-tokens.ts';
import { hasSignature } from '../../src/tokens/jws-signature.ts';
import { createKeySet, forge, goodClaims, now, verifierWith } from './forgery.ts';
import { assertUnverifiable } from './refusal-table.ts';

const { keyring, header, signer, publicKey } = await createKeySet();
const tokenOf = (jti: string) => forge(header('ES256'), goodClaims({ jti }), signer('ES256'));

/** Reads tokens with one key, and counts how often a signature was verified. */
function countedReader(limit = 10) {
  const state = { verified: 0, key: publicKey('ES256') };
  const read = createAuthenticTokens({
    keysFor: () => [{ alg: 'ES256', key: state.key }],
    hasSignature(token, alg, key) {
      state.verified += 1;
      return hasSignature(token, alg, key);
    },
    limit,
  });
  return { read, state };
}

describe('remembered tokens', () => {
  it('are verified once for each text and each key', () => {
    const { read, state } = countedReader();
    const token = tokenOf('one');
    for (let time = 0; time < 3; time += 1) assert.equal(read(token)?.payload['jti'], 'one');
    assert.equal(state.verified, 1);
    state.key = publicKey('ES256');
    assert.equal(read(token)?.payload['jti'], 'one');
    assert.equal(state.verified, 2);
  });

  it("are nobody's to change", () => {
    const { read } = countedReader();
    const token = tokenOf('one');
    assert.throws(() => Object.assign(read(token)?.payload ?? {}, { sub: 'another' }), TypeError);
    assert.deepEqual(read(token)?.payload, goodClaims({ jti: 'one' }));
  });

  it('help no other token, respelled or forged, and bad ones are not remembered', () => {
    const { read, state } = countedReader();
    const token = tokenOf('one');
    assert.ok(read(token));
    const [head, payload, signature = ''] = token.split('.');
    const forged = Buffer.from('{}').toString('base64url');
    const others = [`${head}.${payload}.${signature.slice(4)}AAAA`, `${head}.${forged}.${signature}`];
    for (const other of [...others, ...others]) assert.equal(read(other), undefined, other);
    assert.equal(state.verified, 1 + 2 * others.length);
    for (const other of [`${head}.${payload}.`, `${token}=`, ` ${token}`]) assert.equal(read(other), undefined, other);
  });

  it('make room for newer ones, the oldest first', () => {
    const { read, state } = countedReader(2);
    const [a, b, c] = [tokenOf('a'), tokenOf('b'), tokenOf('c')];
    for (const token of [a, b, c, c, b]) assert.ok(read(token));
    assert.equal(state.verified, 3);
    assert.ok(read(a));
    assert.equal(state.verified, 4);
  });

  it('do not make a token good that was revoked or has expired since, or whose key is gone', async () => {
    const state = { revoked: false, now, gone: false };
    const verify = verifierWith({
      keyring: { verificationKey: (kid) => (state.gone ? undefined : keyring.verificationKey(kid)) },
      isRevoked: async () => state.revoked,
      clock: () => state.now,
    });
    const token = tokenOf('one');
    const reason = async () => {
      const answer = await verify(token);
      return answer.valid ? 'valid' : answer.reason;
    };
    assert.equal(await reason(), 'valid');
    state.revoked = true;
    assert.equal(await reason(), 'revoked');
    state.now += 900 + 15;
    assert.equal(await reason(), 'expired');
    state.gone = true;
    assertUnverifiable(await verify(token));
  });
});
