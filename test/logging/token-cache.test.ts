// Tests how long the log service's token is kept.
import assert from 'node:assert/strict';
import { UnsecuredJWT } from 'jose';
import { createTokenCache } from '../../src/logging/token-cache.ts';

function setUp(exp?: number) {
  const state = { now: 1000, issued: 0 };
  const tokens = createTokenCache(
    async () => {
      state.issued += 1;
      return new UnsecuredJWT({ n: state.issued, ...(exp === undefined ? {} : { exp }) }).encode();
    },
    () => state.now,
  );
  return { state, tokens };
}

describe('token cache', () => {
  it('issues one token until 30 s before its exp', async () => {
    const { state, tokens } = setUp(1600);
    const first = await tokens.get();
    state.now = 1569;
    assert.equal(await tokens.get(), first);
    state.now = 1570;
    assert.notEqual(await tokens.get(), first);
    assert.equal(state.issued, 2);
  });

  it('keeps a token without exp', async () => {
    const { state, tokens } = setUp();
    const first = await tokens.get();
    state.now = 1e9;
    assert.equal(await tokens.get(), first);
  });

  it('forgets the current token, but not a newer one', async () => {
    const { state, tokens } = setUp();
    const first = await tokens.get();
    tokens.forget(first);
    const second = await tokens.get();
    tokens.forget(first);
    assert.equal(await tokens.get(), second);
    assert.equal(state.issued, 2);
  });

  it('hands on the failure to issue one and tries again', async () => {
    let works = false;
    const tokens = createTokenCache(
      async () => {
        if (!works) throw new Error('no key');
        return new UnsecuredJWT({}).encode();
      },
      () => 0,
    );
    await assert.rejects(tokens.get(), /no key/);
    works = true;
    assert.ok(await tokens.get());
  });
});
