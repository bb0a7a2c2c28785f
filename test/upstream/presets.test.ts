// Microsoft and Google as upstreams, against something that publishes what they publish.
import assert from 'node:assert/strict';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { before, describe, it } from 'mocha';
import { type Upstream, UpstreamFailed } from '../../src/upstream/upstream.ts';
import { createUpstreams, type UpstreamSettings } from '../../src/upstream/upstreams.ts';

const CHECKS = { state: 'state-1', nonce: 'nonce-1', codeVerifier: 'v'.repeat(43) };
const TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad';
const COMMON = 'https://login.microsoftonline.com/common/v2.0';

describe('a preset', () => {
  let key: CryptoKey;
  let jwk: object;
  before(async () => {
    const pair = await generateKeyPair('RS256', { extractable: true });
    key = pair.privateKey;
    jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  });

  /** @param issuer as its metadata says it */
  function upstream(settings: Pick<UpstreamSettings, 'id' | 'issuer'>, issuer: string, claims: object): Upstream {
    const answer = async (input: string | URL | Request): Promise<unknown> => {
      const { pathname } = new URL(String(input));
      if (pathname.endsWith('/openid-configuration')) {
        return {
          issuer,
          authorization_endpoint: 'https://upstream.example/authorize',
          token_endpoint: 'https://upstream.example/token',
          jwks_uri: 'https://upstream.example/keys',
          id_token_signing_alg_values_supported: ['RS256'],
        };
      }
      if (pathname === '/keys') return { keys: [jwk] };
      const idToken = await new SignJWT({ aud: 'us', nonce: CHECKS.nonce, sub: 'them', ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(key);
      return { access_token: 'at', token_type: 'Bearer', id_token: idToken };
    };
    const registered = { label: 'Them', clientId: 'us', clientSecret: 'from-them', ...settings };
    const made = createUpstreams([registered], async (input) => Response.json(await answer(input)));
    return made.get(settings.id) as Upstream;
  }

  const callback = new URL(`https://id.example.com/callback?state=${CHECKS.state}&code=c1`);
  const microsoft = (claims: object) =>
    upstream({ id: 'microsoft', issuer: COMMON }, 'https://login.microsoftonline.com/{tenantid}/v2.0', claims);

  it('of Microsoft accepts the accounts of every tenant, and the address of none as proof', async () => {
    const claims = {
      iss: `https://login.microsoftonline.com/${TENANT}/v2.0`,
      tid: TENANT,
      email: 'ceo@example.com',
      email_verified: true,
    };
    assert.deepEqual(await microsoft(claims).complete(callback, CHECKS), {
      subject: `${claims.iss} them`,
      label: 'ceo@example.com',
      email: 'ceo@example.com',
      emailVerified: false,
    });
  });

  it('of Microsoft refuses a token whose issuer is not the tenant that it names', async () => {
    const iss = 'https://login.microsoftonline.com/another/v2.0';
    await assert.rejects(microsoft({ iss, tid: TENANT }).complete(callback, CHECKS), UpstreamFailed);
  });

  it('of Google believes verified addresses', async () => {
    const iss = 'https://accounts.google.com';
    const google = upstream({ id: 'google' }, iss, { iss, email: 'a@example.org', email_verified: true, name: 'A' });
    assert.deepEqual(await google.complete(callback, CHECKS), {
      subject: 'them',
      label: 'a@example.org',
      email: 'a@example.org',
      emailVerified: true,
      name: 'A',
    });
  });

  it('that can be configured to be another provider takes nobody there for somebody here (OpenID Connect Core §5.7)', async () => {
    const subjects = ['https://login.example.org', 'https://other.example.org'].map(async (iss) => {
      return (await upstream({ id: 'oidc', issuer: iss }, iss, { iss }).complete(callback, CHECKS)).subject;
    });
    assert.equal(new Set(await Promise.all(subjects)).size, 2);
  });

  it('asks people anew in the words of the provider, and refuses an older session', async () => {
    const iss = 'https://accounts.google.com';
    const anew = { ...CHECKS, anewSince: 1_800_000_000 };
    const google = (authTime?: number) => upstream({ id: 'google' }, iss, { iss, auth_time: authTime });
    assert.equal((await google().begin('https://id.example.com/callback', CHECKS)).searchParams.get('prompt'), null);
    const asked = await google().begin('https://id.example.com/callback', anew);
    assert.equal(asked.searchParams.get('prompt'), 'select_account');
    const other = upstream({ id: 'oidc', issuer: 'https://login.example.org' }, 'https://login.example.org', {});
    assert.equal((await other.begin('https://id.example.com/callback', anew)).searchParams.get('prompt'), 'login');
    await google(1_799_999_990).complete(callback, anew);
    await google().complete(callback, anew);
    await google(1_799_990_000).complete(callback, CHECKS);
    await assert.rejects(google(1_799_990_000).complete(callback, anew), UpstreamFailed);
  });

  const refused: [string, object][] = [
    ['another nonce', { nonce: 'nonce-2' }],
    ['another audience', { aud: 'others' }],
    ['no subject', { sub: '' }],
    ['a subject of 300 characters', { sub: 'x'.repeat(300) }],
  ];
  for (const [what, claims] of refused) {
    it(`refuses an ID token with ${what} (OpenID Connect Core §3.1.3.7)`, async () => {
      const iss = 'https://accounts.google.com';
      await assert.rejects(
        upstream({ id: 'google' }, iss, { iss, ...claims }).complete(callback, CHECKS),
        UpstreamFailed,
      );
    });
  }
});
