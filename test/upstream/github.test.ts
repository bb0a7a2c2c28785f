// GitHub as an upstream, against something that answers as GitHub documents it.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { createGithubUpstream } from '../../src/upstream/github.ts';
import { UpstreamFailed, UpstreamRefused } from '../../src/upstream/upstream.ts';

const CHECKS = { state: 'state-1', nonce: 'nonce-1', codeVerifier: 'v'.repeat(43) };
const CALLBACK = 'https://id.example.com/upstream/github/callback';

interface Answers {
  token?: unknown;
  user?: unknown;
  emails?: unknown;
  status?: number;
}

/** What GitHub would answer, and what it was asked. */
function github({ token, user, emails, status = 200 }: Answers = {}) {
  const asked: { url: string; body: string; authorization: string | null }[] = [];
  const answers: Record<string, unknown> = {
    'https://github.com/login/oauth/access_token': token ?? {
      access_token: 'gho_1',
      token_type: 'bearer',
      scope: 'read:user,user:email',
    },
    'https://api.github.com/user': user ?? { id: 583231, login: 'octo', name: 'Octo Example', email: null },
    'https://api.github.com/user/emails': emails ?? [
      { email: 'old@example.org', primary: false, verified: true },
      { email: 'octo@example.org', primary: true, verified: true },
    ],
  };
  const upstream = createGithubUpstream({
    clientId: 'Iv1.example',
    clientSecret: 'from-github',
    async fetch(url, { body, headers }) {
      asked.push({ url, body: String(body), authorization: new Headers(headers).get('authorization') });
      return Response.json(answers[url], { status: url.startsWith('https://api.') ? status : 200 });
    },
  });
  return { upstream, asked };
}

function callback(parameters: Record<string, string>): URL {
  return new URL(`${CALLBACK}?${new URLSearchParams({ state: CHECKS.state, ...parameters })}`);
}

describe('GitHub', () => {
  it('is sent an authorization request with PKCE (RFC 7636) for the address and no more', async () => {
    const url = await github().upstream.begin(CALLBACK, CHECKS);
    assert.equal(url.origin + url.pathname, 'https://github.com/login/oauth/authorize');
    const { code_challenge: challenge, ...rest } = Object.fromEntries(url.searchParams);
    assert.match(String(challenge), /^[\w-]{43}$/);
    assert.deepEqual(rest, {
      response_type: 'code',
      client_id: 'Iv1.example',
      redirect_uri: CALLBACK,
      scope: 'read:user user:email',
      state: CHECKS.state,
      code_challenge_method: 'S256',
    });
  });

  it('names the person by the number that stays, with the verified primary address', async () => {
    const { upstream, asked } = github();
    assert.deepEqual(await upstream.complete(callback({ code: 'c1' }), CHECKS), {
      subject: '583231',
      label: 'octo@example.org',
      email: 'octo@example.org',
      emailVerified: true,
      name: 'Octo Example',
    });
    const body = Object.fromEntries(new URLSearchParams(asked[0]?.body));
    assert.equal(body['code'], 'c1');
    assert.equal(body['code_verifier'], CHECKS.codeVerifier);
    assert.equal(body['client_secret'], 'from-github');
    assert.deepEqual(
      asked.slice(1).map(({ authorization }) => authorization),
      ['Bearer gho_1', 'Bearer gho_1'],
    );
  });

  it('is known by the login where the primary address is not shown or not verified', async () => {
    const unverified = github({ emails: [{ email: 'octo@example.org', primary: true, verified: false }] });
    const first = await unverified.upstream.complete(callback({ code: 'c1' }), CHECKS);
    assert.equal(first.emailVerified, false);
    const hidden = github({ emails: [], user: { id: 1, login: 'octo' } });
    assert.deepEqual(await hidden.upstream.complete(callback({ code: 'c1' }), CHECKS), {
      subject: '1',
      label: 'octo',
      emailVerified: false,
    });
  });

  const failing: [string, Answers, Record<string, string>][] = [
    ['an error in a 200, as GitHub answers a bad code', { token: { error: 'bad_verification_code' } }, { code: 'c' }],
    ['a token of another type', { token: { access_token: 'x', token_type: 'mac' } }, { code: 'c' }],
    ['an API that refuses', { status: 403 }, { code: 'c' }],
    ['a user without a number', { user: { id: '1', login: 'octo' } }, { code: 'c' }],
    ['a user that is none', { user: [] }, { code: 'c' }],
    ['another state', {}, { code: 'c', state: 'state-2' }],
    ['no code', {}, {}],
    ['an error other than a refusal', {}, { error: 'application_suspended' }],
  ];
  for (const [what, answers, parameters] of failing) {
    it(`fails with ${what}`, async () => {
      await assert.rejects(github(answers).upstream.complete(callback(parameters), CHECKS), UpstreamFailed);
    });
  }

  it('can be refused by the end-user', async () => {
    await assert.rejects(github().upstream.complete(callback({ error: 'access_denied' }), CHECKS), UpstreamRefused);
  });
});
