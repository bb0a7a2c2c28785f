// The revocation feed: what it says, how often it is made, and what happens when the list is too long.
import assert from 'node:assert/strict';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { describe, it } from 'mocha';
import { type RevokedToken, StoreUnavailable } from '../../src/store.ts';
import { createRevocationFeed, maxRevocations } from '../../src/tokens/revocation-feed.ts';
import { createKeySet, issuer, now } from './forgery.ts';

const { keyring } = await createKeySet();
const jwks = createLocalJWKSet({ keys: [...keyring.publicJwks.keys] as never });

const revoked = (count: number): RevokedToken[] =>
  Array.from({ length: count }, (_, n) => ({ jtiHash: `hash-${n}`, revokedAt: now, expiresAt: now + 900 }));

/** A feed over `state`, which the test changes. */
function feedOf(state: { tokens: RevokedToken[]; now: number; reads?: number; fails?: boolean }) {
  const list = async (limit: number) => {
    state.reads = (state.reads ?? 0) + 1;
    if (state.fails) throw new StoreUnavailable();
    return state.tokens.slice(0, limit);
  };
  return createRevocationFeed({
    revokedTokens: { list },
    signingKey: () => keyring.signingKey('ES256'),
    issuer,
    clock: () => state.now,
  });
}

describe('the revocation feed', () => {
  it('is a signed list of hashes for five minutes, of a type of its own (RFC 8725 §3.11)', async () => {
    const { jwt } = await feedOf({ tokens: revoked(2), now })();
    const options = { issuer, typ: 'revocations+jwt', currentDate: new Date(now * 1000) };
    const { payload, protectedHeader } = await jwtVerify(jwt, jwks, options);
    assert.equal(protectedHeader.alg, 'ES256');
    assert.deepEqual(payload, {
      iss: issuer,
      iat: now - 5,
      exp: now + 300,
      complete: true,
      revoked: ['hash-0', 'hash-1'],
    });
  });

  it('is made once a second, however many ask at once', async () => {
    const state = { tokens: revoked(1), now, reads: 0 };
    const read = feedOf(state);
    const feeds = await Promise.all(Array.from({ length: 50 }, read));
    assert.deepEqual([state.reads, new Set(feeds).size], [1, 1]);
    state.now += 1;
    await read();
    assert.equal(state.reads, 2);
  });

  it('has the same tag in every process while the list is the same, for a minute at most', async () => {
    const minute = Math.ceil(now / 60) * 60;
    const state = { tokens: revoked(3), now: minute };
    const [one, other] = [feedOf(state), feedOf({ tokens: revoked(3), now: minute + 59 })];
    const { etag } = await one();
    assert.equal((await other()).etag, etag);
    state.now = minute + 60;
    assert.notEqual((await one()).etag, etag);
    const longer = feedOf({ tokens: revoked(4), now: minute });
    assert.notEqual((await longer()).etag, etag);
    assert.match(etag, /^W\/"[\w-]+"$/);
  });

  it('says that it is not complete when it has no place for more', async () => {
    const claimsOf = async (count: number) => {
      const { jwt } = await feedOf({ tokens: revoked(count), now })();
      return JSON.parse(Buffer.from(String(jwt.split('.')[1]), 'base64url').toString());
    };
    const [full, cut] = [await claimsOf(maxRevocations), await claimsOf(maxRevocations + 1)];
    assert.deepEqual([full.complete, full.revoked.length], [true, maxRevocations]);
    assert.deepEqual([cut.complete, cut.revoked.length], [false, maxRevocations]);
  });

  it('is made again after an outage', async () => {
    const state = { tokens: revoked(1), now, fails: true };
    const read = feedOf(state);
    await assert.rejects(read(), StoreUnavailable);
    state.fails = false;
    assert.ok((await read()).jwt);
  });
});
