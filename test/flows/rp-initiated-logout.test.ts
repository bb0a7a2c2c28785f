// Stories of RP-initiated logout: who may be sent where, what is asked, and what is over afterwards.
import assert from 'node:assert/strict';
import { generateKeyPair, SignJWT } from 'jose';
import * as client from 'openid-client';
import {
  addRelyingParty,
  assertTokenError,
  logIn,
  postForm,
  type RelyingParty,
  silentError,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page, type UserAgent } from '../support/user-agent.ts';

const AFTER_LOGOUT = 'https://web.example/post_logout_redirect';

function assertNotRedirected({ response }: Page, status = 200): void {
  assert.equal(response.status, status);
  assert.equal(response.headers.get('location'), null);
  assert.match(String(response.headers.get('content-type')), /^text\/html/);
}

describe('RP-initiated logout', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service, { post_logout_redirect_uris: [AFTER_LOGOUT] });
  });
  after(() => service[Symbol.asyncDispose]());

  function openLogout(agent: UserAgent, parameters: Record<string, string> = {}): Promise<Page> {
    return agent.open(`${service.origin}/logout?${new URLSearchParams(parameters)}`);
  }

  async function signedIn() {
    const { agent, tokens, claims } = await logIn(party, { state: 's'.repeat(128) });
    return { agent, tokens, sub: claims.sub, hint: String(tokens.id_token) };
  }

  it('asks, signs out and sends the browser back with the state (RP-Initiated Logout §2, §3)', async () => {
    const { agent, hint } = await signedIn();
    const url = client.buildEndSessionUrl(party.config, {
      id_token_hint: hint,
      post_logout_redirect_uri: AFTER_LOGOUT,
      state: 'aZ09-._~!$&()*+,;=:@/?',
    });
    const question = await agent.open(url.href);
    assertNotRedirected(question);
    assert.match(question.document.text, /Relying Party/);
    assert.match(String(question.response.headers.get('content-security-policy')), /form-action 'self' https:/);
    const { response } = await agent.submit(question, {}, 'sign-out');
    assert.equal(response.status, 303);
    const back = new URL(String(response.headers.get('location')));
    assert.equal(back.origin + back.pathname, AFTER_LOGOUT);
    assert.deepEqual([...back.searchParams], [['state', 'aZ09-._~!$&()*+,;=:@/?']]);
    assert.equal(await silentError(party, agent), 'login_required');
  });

  it('sends no state back when none was sent', async () => {
    const { agent, hint } = await signedIn();
    const question = await openLogout(agent, { id_token_hint: hint, post_logout_redirect_uri: AFTER_LOGOUT });
    const { response } = await agent.submit(question, {}, 'sign-out');
    assert.equal(response.headers.get('location'), AFTER_LOGOUT);
    assert.equal(await silentError(party, agent), 'login_required');
  });

  const withoutReturn: [name: string, parameters: (hint: string) => Record<string, string>][] = [
    ['without parameters', () => ({})],
    ['with a state alone', () => ({ state: 'abcdefghij' })],
    ['without post_logout_redirect_uri', (hint) => ({ id_token_hint: hint, state: 'abcdefghij' })],
    ['without id_token_hint', () => ({ post_logout_redirect_uri: AFTER_LOGOUT, state: 'abcdefghij' })],
  ];
  for (const [name, parameters] of withoutReturn) {
    it(`asks, then says that the end-user is signed out, ${name}`, async () => {
      const { agent, hint } = await signedIn();
      const question = await openLogout(agent, parameters(hint));
      assertNotRedirected(question);
      const done = await agent.submit(question, {}, 'sign-out');
      assertNotRedirected(done);
      assert.match(done.document.querySelector('h1')?.text ?? '', /signed out/);
      assert.equal(done.document.querySelector('#start')?.getAttribute('href'), '/');
      assert.equal(await silentError(party, agent), 'login_required');
    });
  }

  it('changes nothing by GET alone, nor when the end-user stays (security requirement R38)', async () => {
    const { agent, tokens } = await signedIn();
    const question = await openLogout(agent);
    assert.equal(await silentError(party, agent), undefined);
    const stayed = await agent.submit(question, {}, 'stay');
    assertNotRedirected(stayed);
    assert.equal(await silentError(party, agent), undefined);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
    assert.equal((await postForm(party, '/token', refresh)).status, 200);
  });

  it('takes no confirmation without the token of its form (security requirement R38)', async () => {
    const { agent } = await signedIn();
    await openLogout(agent);
    for (const xsrf of [undefined, '', 'guessed']) {
      const body = new URLSearchParams({ logout: 'yes', ...(xsrf !== undefined && { xsrf }) });
      const answer = await agent.open(`${service.origin}/logout/confirm`, { method: 'POST', body });
      assertNotRedirected(answer, 400);
    }
    assert.equal(await silentError(party, agent), undefined);
  });

  it('kills the tokens of the session (security requirement R12)', async () => {
    const { agent, tokens } = await signedIn();
    await agent.submit(await openLogout(agent), {}, 'sign-out');
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
    assertTokenError(await postForm(party, '/token', refresh), 'invalid_grant');
    const authorization = `Bearer ${tokens.access_token}`;
    assert.equal((await fetch(`${service.origin}/userinfo`, { headers: { authorization } })).status, 401);
    assert.deepEqual((await postForm(party, '/introspect', { token: tokens.access_token })).body, { active: false });
  });

  it('takes a POST by redirecting to the same request as a GET', async () => {
    const { agent, hint } = await signedIn();
    const body = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: AFTER_LOGOUT });
    const posted = await agent.fetch(`${service.origin}/logout`, { method: 'POST', body });
    assert.equal(posted.status, 303);
    assert.equal(posted.headers.get('location'), `/logout?${body}`);
  });

  it('works without a session, for a browser that was signed out long ago', async () => {
    const agent = createUserAgent(service.origin);
    const page = await openLogout(agent);
    assertNotRedirected(page);
    assertNotRedirected(await agent.submit(page));
  });

  const elsewhere = [
    'https://web.example/bad_post_logout_redirect_uri',
    `${AFTER_LOGOUT}?foo=bar`,
    `${AFTER_LOGOUT}/`,
    `${AFTER_LOGOUT}#a`,
    'https://web.example.evil.example/post_logout_redirect',
    '//web.example/post_logout_redirect',
    '/\\web.example/post_logout_redirect',
    'data:text/html,hello',
    'javascript:alert(1)',
  ];
  for (const uri of elsewhere) {
    it(`shows a page for the post_logout_redirect_uri ${uri} (RFC 9700 §4.11)`, async () => {
      const { agent, hint } = await signedIn();
      const page = await openLogout(agent, { id_token_hint: hint, post_logout_redirect_uri: uri });
      assertNotRedirected(page, 400);
      assert.equal(await silentError(party, agent), undefined);
    });
  }

  describe('with an id_token_hint that is not ours', () => {
    it('refuses one without a signature', async () => {
      const { agent, hint } = await signedIn();
      const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${hint.split('.')[1]}.`;
      const parameters = { id_token_hint: unsigned, post_logout_redirect_uri: AFTER_LOGOUT };
      assertNotRedirected(await openLogout(agent, parameters), 400);
    });

    it('refuses one that the relying party signed', async () => {
      const { agent, sub } = await signedIn();
      const { privateKey } = await generateKeyPair('RS256');
      const own = await new SignJWT({ sub, iss: party.clientId, aud: service.issuer })
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(privateKey);
      const parameters = { id_token_hint: own, post_logout_redirect_uri: AFTER_LOGOUT };
      assertNotRedirected(await openLogout(agent, parameters), 400);
    });

    it('refuses rubbish, and one of another client than client_id says', async () => {
      const { agent, hint } = await signedIn();
      const other = await addRelyingParty(service);
      const refused = [{ id_token_hint: 'rubbish' }, { id_token_hint: hint, client_id: other.clientId }];
      for (const parameters of refused) assertNotRedirected(await openLogout(agent, parameters), 400);
    });
  });

  it('sends the browser back by client_id too, after it was asked (RP-Initiated Logout §2)', async () => {
    const { agent } = await signedIn();
    const question = await openLogout(agent, {
      client_id: party.clientId,
      post_logout_redirect_uri: AFTER_LOGOUT,
    });
    assertNotRedirected(question);
    const { response } = await agent.submit(question, {}, 'sign-out');
    assert.equal(response.headers.get('location'), AFTER_LOGOUT);
  });
});
