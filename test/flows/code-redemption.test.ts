// Stories of redeeming authorization codes: once, in time, by the right client, with the right proof.
import assert from 'node:assert/strict';
import {
  addRelyingParty,
  assertTokenError,
  authorizationRequest,
  callbackOf,
  postForm,
  REDIRECT_URI,
  type RelyingParty,
  signIn,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent } from '../support/user-agent.ts';

describe('Authorization codes', () => {
  let service: Service;
  let party: RelyingParty;
  let other: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service);
    other = await addRelyingParty(service);
  });
  after(() => service[Symbol.asyncDispose]());

  /** The form that redeems a fresh code. */
  async function freshCode(from = party, parameters: Record<string, string> = {}): Promise<Record<string, string>> {
    const { url, checks } = await authorizationRequest(from, parameters);
    const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
    return {
      grant_type: 'authorization_code',
      code: String(callback.searchParams.get('code')),
      redirect_uri: REDIRECT_URI,
      ...(checks.pkceCodeVerifier && { code_verifier: checks.pkceCodeVerifier }),
    };
  }

  function userinfo(accessToken: unknown): Promise<Response> {
    return fetch(`${service.origin}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } });
  }

  it('refuses a code used twice and revokes everything that it gave (RFC 6749 §4.1.2)', async () => {
    const form = await freshCode();
    const first = await postForm(party, '/token', form);
    assert.equal(first.status, 200);
    assert.equal(first.headers.get('cache-control'), 'no-store');
    const { access_token: accessToken, refresh_token: refreshToken } = first.body;
    assert.equal((await userinfo(accessToken)).status, 200);

    assertTokenError(await postForm(party, '/token', form), 'invalid_grant');

    const refused = await userinfo(accessToken);
    assert.equal(refused.status, 401);
    assert.match(String(refused.headers.get('www-authenticate')), /error="invalid_token"/);
    for (const token of [accessToken, refreshToken]) {
      const { body } = await postForm(party, '/introspect', { token: String(token) });
      assert.deepEqual(body, { active: false });
    }
    const refresh = { grant_type: 'refresh_token', refresh_token: String(refreshToken) };
    assertTokenError(await postForm(party, '/token', refresh), 'invalid_grant');
  });

  it('is not burnt by failed attempts (security requirement R03)', async () => {
    const form = await freshCode();
    const attempts: [RelyingParty, Record<string, string>][] = [
      [party, { ...form, code_verifier: 'v'.repeat(43) }],
      [party, { ...form, redirect_uri: `${REDIRECT_URI}/` }],
      [other, form],
    ];
    for (const [from, attempt] of attempts) assertTokenError(await postForm(from, '/token', attempt), 'invalid_grant');
    assert.equal((await postForm(party, '/token', form)).status, 200);
  });

  it('is worth nothing after a minute (RFC 6749 §4.1.2)', async () => {
    await withMovingTime(async (pass) => {
      const inTime = await freshCode();
      const late = await freshCode();
      pass(58);
      assert.equal((await postForm(party, '/token', inTime)).status, 200);
      pass(3);
      assertTokenError(await postForm(party, '/token', late), 'invalid_grant');
    });
  });

  const verifiers: [name: string, verifier: string | undefined, error: string][] = [
    ['no verifier', undefined, 'invalid_grant'],
    ['another verifier', 'w'.repeat(64), 'invalid_grant'],
    ['a verifier of 42 characters', 'a'.repeat(42), 'invalid_request'],
    ['a verifier of 129 characters', 'a'.repeat(129), 'invalid_request'],
    ['a verifier with forbidden characters', '!'.repeat(43), 'invalid_request'],
  ];
  for (const [name, verifier, error] of verifiers) {
    it(`refuses ${name} (RFC 7636 §4.6)`, async () => {
      const { code_verifier: _, ...form } = await freshCode();
      const answer = await postForm(party, '/token', { ...form, ...(verifier && { code_verifier: verifier }) });
      assertTokenError(answer, error);
    });
  }

  it('refuses a verifier for a code that was asked for without a challenge (RFC 9700 §4.8.2)', async () => {
    const without = await addRelyingParty(service, { require_pkce: false });
    const form = await freshCode(without, { code_challenge: '', code_challenge_method: '' });
    const answer = await postForm(without, '/token', { ...form, code_verifier: 'v'.repeat(43) });
    assertTokenError(answer, 'invalid_grant');
    assert.equal((await postForm(without, '/token', form)).status, 200);
  });

  const malformed: [name: string, change: Record<string, string>, error: string][] = [
    ['no code', { code: '' }, 'invalid_request'],
    ['an unknown code', { code: 'unknown' }, 'invalid_grant'],
    ['no redirect_uri', { redirect_uri: '' }, 'invalid_request'],
    ['no grant_type', { grant_type: '' }, 'invalid_request'],
    ['an unknown grant_type', { grant_type: 'password' }, 'unsupported_grant_type'],
  ];
  for (const [name, change, error] of malformed) {
    it(`refuses ${name} with ${error} (RFC 6749 §5.2)`, async () => {
      const form = { ...(await freshCode()), ...change };
      const sent = Object.fromEntries(Object.entries(form).filter(([, value]) => value !== ''));
      assertTokenError(await postForm(party, '/token', sent), error);
    });
  }
});
