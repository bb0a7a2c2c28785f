// What is remembered of good signatures, and that nothing else passes because of it.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { hasSignature } from '../../src/tokens/jws-signature.ts';
import { rememberSignatures } from '../../src/tokens/verified-signatures.ts';
import { createKeySet, forge, goodClaims, now, verifierWith } from './forgery.ts';
import { assertUnverifiable } from './refusal-table.ts';

const { keyring, header, signer, publicKey } = await createKeySet();
const tokenOf = (jti: string) => forge(header('ES256'), goodClaims({ jti }), signer('ES256'));

/** The check with a count of how often the work was done. */
function countedCheck(limit?: number) {
  const count = { done: 0 };
  const check = rememberSignatures((token, alg, key) => {
    count.done += 1;
    return hasSignature(token, alg, key);
  }, limit);
  return { check, count };
}

describe('remembered signatures', () => {
  it('are verified once for each text and each key', () => {
    const { check, count } = countedCheck();
    const token = tokenOf('one');
    const [key, sameKeyReadAnew] = [publicKey('ES256'), publicKey('ES256')];
    for (let time = 0; time < 3; time += 1) assert.equal(check(token, 'ES256', key), true);
    assert.equal(count.done, 1);
    assert.equal(check(token, 'ES256', sameKeyReadAnew), true);
    assert.equal(count.done, 2);
  });

  it('help no other token, respelled or forged, and bad ones are not remembered', () => {
    const { check, count } = countedCheck();
    const token = tokenOf('one');
    const key = publicKey('ES256');
    assert.equal(check(token, 'ES256', key), true);
    const [head, payload, signature = ''] = token.split('.');
    const forged = Buffer.from('{}').toString('base64url');
    const others = [
      `${head}.${payload}.`,
      `${head}.${payload}.${signature.slice(4)}AAAA`,
      `${head}.${forged}.${signature}`,
    ];
    for (const other of [...others, ...others]) assert.equal(check(other, 'ES256', key), false, other);
    assert.equal(count.done, 1 + 2 * others.length);
  });

  it('make room for newer ones, the oldest first', () => {
    const { check, count } = countedCheck(2);
    const key = publicKey('ES256');
    const [a, b, c] = [tokenOf('a'), tokenOf('b'), tokenOf('c')];
    for (const token of [a, b, c, c, b]) assert.equal(check(token, 'ES256', key), true);
    assert.equal(count.done, 3);
    assert.equal(check(a, 'ES256', key), true);
    assert.equal(count.done, 4);
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
