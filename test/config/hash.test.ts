// Behaviour of the hash that names a configuration.
import assert from 'node:assert/strict';
import { hashConfig } from '../../src/config/hash.ts';
import { parseConfig } from '../../src/config.ts';

const ENV = {
  NODE_ENV: 'test',
  PUBLIC_URL: 'http://127.0.0.1:3000',
  COOKIE_SECRET: 'pT4vN8kQ2xW7mZ3rL6yB9cF1hJ5dS0gAuE',
  JWT_SECRET_KEY: 'Rk7Xw2Mv9Qb4Tz6Ln1Hc8Yp3Gd5Js0FaUe',
  ENCRYPTION_KEY: '8TgVn2Xq5Lw9Rz4Kb7Mc1Pd6Hf3Js0YtQe',
  OIDC_FEATURES: 'mtls,token-exchange',
};

const hashOf = (env: Record<string, string> = {}) => hashConfig(parseConfig({ ...ENV, ...env }));

describe('config: the hash of a configuration', () => {
  it('is the same for the same settings, in whatever order they are listed', () => {
    assert.equal(hashOf(), hashOf());
    assert.equal(hashOf({ OIDC_FEATURES: 'token-exchange,mtls' }), hashOf());
  });

  const changes: [name: string, env: Record<string, string>][] = [
    ['a lifetime', { JWT_EXPIRATION_MINUTES: '16' }],
    ['a secret', { COOKIE_SECRET: 'pT4vN8kQ2xW7mZ3rL6yB9cF1hJ5dS0gAuX' }],
    ['the order of secrets', { JWT_SECRET_KEY: `${ENV.JWT_SECRET_KEY},Vb3Ny8Wc5Zk1Qx7Mt4Lr9Hd2Pj6Gf0SaUi` }],
    ['a feature', { OIDC_FEATURES: 'mtls' }],
  ];
  for (const [name, env] of changes) {
    it(`is another one when ${name} changes`, () => assert.notEqual(hashOf(env), hashOf()));
  }

  it('holds nothing of a secret', () => assert.match(hashOf(), /^[A-Za-z0-9_-]{16}$/));
});
