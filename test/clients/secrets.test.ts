// Client secrets: which presented secret matches which client.
import assert from 'node:assert/strict';
import { matchingSecret, newClientSecret, secretDigest } from '../../src/clients/secrets.ts';
import type { ClientRecord } from '../../src/store.ts';

const now = 1_800_000_000;
const secret = newClientSecret();
const retired = newClientSecret();
const next = newClientSecret();

const client: ClientRecord = {
  clientId: 'web',
  metadata: {},
  audiences: {},
  secrets: [
    { name: 'first', digest: secretDigest(secret), createdAt: now - 100 },
    { name: 'retired', digest: secretDigest(retired), createdAt: now - 100, expiresAt: now },
    { name: 'next', digest: secretDigest(next), createdAt: now - 100, expiresAt: now + 1 },
  ],
  createdAt: now - 100,
};

describe('client secrets', () => {
  it('are 32 random bytes in base64url', () => {
    assert.match(secret, /^[\w-]{43}$/);
    assert.equal(new Set([secret, retired, next]).size, 3);
  });

  it('match while they are valid, each beside the others (security.md R61)', () => {
    assert.ok(matchingSecret(client, secret, now));
    assert.ok(matchingSecret(client, next, now));
    assert.ok(matchingSecret(client, retired, now - 1));
  });

  it('stop matching at the second of their expiry', () => {
    assert.equal(matchingSecret(client, retired, now), undefined);
    assert.equal(matchingSecret(client, next, now + 1), undefined);
  });

  for (const [name, presented] of [
    ['another secret', newClientSecret()],
    ['nothing', ''],
    ['a NUL at the end', `${secret}\0`],
    ['a space at the end', `${secret} `],
    ['a line break at the end', `${secret}\n`],
    ['a character too few', secret.slice(0, -1)],
    ['its digest', secretDigest(secret)],
    ['more than 1,024 characters', 'x'.repeat(1_025)],
  ] as const) {
    it(`do not match ${name} (security.md R54)`, () => {
      assert.equal(matchingSecret(client, presented, now), undefined);
    });
  }

  it('match nothing where there is no client, no secret, or a damaged digest', () => {
    const damaged = { ...client, secrets: [{ name: 'first', digest: 'AAAA', createdAt: now }] };
    for (const other of [undefined, { ...client, secrets: [] }, damaged]) {
      assert.equal(matchingSecret(other, secret, now), undefined);
      assert.equal(matchingSecret(other, '', now), undefined);
    }
  });

  it('may contain letters beyond ASCII where the configuration sets them', () => {
    const chosen = { ...client, secrets: [{ name: 'environment', digest: secretDigest('geheim–ü'), createdAt: now }] };
    assert.ok(matchingSecret(chosen, 'geheim–ü', now));
  });
});
