// Stories of consent: who is asked, what the page says, what agreeing and refusing lead to, and for whom it counts.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  continueSession,
  logIn,
  PASSWORD,
  type RelyingParty,
  redeem,
  signIn,
  silentError,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type Page } from '../support/user-agent.ts';

const THIRD_PARTY = {
  first_party: false,
  client_name: 'Photo Printer',
  client_uri: 'https://photos.example/',
  logo_uri: 'https://photos.example/logo.png',
  policy_uri: 'https://photos.example/privacy',
  tos_uri: 'https://photos.example/terms',
};

/** The lines of the page that say what the client asks for. */
function asks({ document }: Page): string[] {
  return document.querySelectorAll('.asks li, .resources dt, .resources dd').map((line) => line.text.trim());
}

describe('Consent', () => {
  let service: Service;
  before(async () => {
    service = await startService();
    await service.resourceServers.add({ audience: 'photos', scope: 'photos:read photos:write' });
    await service.accounts.add({ username: 'bob', password: PASSWORD });
  });
  after(() => service[Symbol.asyncDispose]());

  const thirdParty = () => addRelyingParty(service, THIRD_PARTY, { photos: null });

  async function consentPage(party: RelyingParty, parameters: Record<string, string> = {}, login = 'alice') {
    const agent = createUserAgent(service.origin);
    const { url, checks } = await authorizationRequest(party, parameters);
    const page = await signIn(agent, url, login);
    assert.ok(page.document.querySelector('#allow'), page.text);
    return { agent, page, checks };
  }

  it('shows who asks, for whose account, and for what (OIDC Core §3.1.2.4)', async () => {
    const { page } = await consentPage(await thirdParty(), {
      scope: 'openid profile email offline_access photos:read',
      prompt: 'consent',
      audience: 'photos',
      claims: '{"userinfo":{"phone_number":null}}',
    });
    const { document, response } = page;
    assert.match(document.querySelector('h1')?.text ?? '', /Photo Printer/);
    assert.match(document.text, /Signed in as\s+alice/);
    assert.ok(document.querySelector('img[src="https://photos.example/logo.png"]'));
    assert.ok(document.querySelector('a[href="https://photos.example/privacy"]'));
    assert.ok(document.querySelector('a[href="https://photos.example/terms"]'));
    assert.match(String(response.headers.get('content-security-policy')), /frame-ancestors 'none'/);
    assert.deepEqual(asks(page), [
      'know that it is you',
      'see your name, picture and other profile details',
      'see your e-mail address',
      'see these details of yours: phone number',
      'keep this access while you are away',
      'photos',
      'photos:read',
    ]);
  });

  it('gives what was agreed to, and asks no second time', async () => {
    const party = await thirdParty();
    const { agent, page, checks } = await consentPage(party, { scope: 'openid email' });
    const callback = callbackOf(await agent.submit(page, {}, 'allow'));
    const tokens = await redeem(party, callback, checks);
    const { sub } = tokens.claims() as client.IDToken;
    assert.equal((await client.fetchUserInfo(party.config, tokens.access_token, sub)).email, 'demo@example.com');
    assert.equal((await continueSession(party, agent, { scope: 'openid email' })).claims.sub, sub);
  });

  it('answers access_denied when the end-user does not allow it (RFC 6749 §4.1.2.1)', async () => {
    const { agent, page, checks } = await consentPage(await thirdParty());
    const { searchParams } = callbackOf(await agent.submit(page, {}, 'deny'));
    assert.equal(searchParams.get('error'), 'access_denied');
    assert.equal(searchParams.get('state'), checks.expectedState);
    assert.equal(searchParams.get('code'), null);
  });

  it('answers access_denied when the end-user cancels the sign-in', async () => {
    const agent = createUserAgent(service.origin);
    const { url } = await authorizationRequest(await thirdParty());
    const { searchParams } = callbackOf(await agent.submit(await agent.open(url.href), {}, 'cancel'));
    assert.equal(searchParams.get('error'), 'access_denied');
  });

  it('asks again for more than was agreed to, and shows all of it', async () => {
    const party = await thirdParty();
    const { agent } = await logIn(party, { scope: 'openid email' });
    const { url, checks } = await authorizationRequest(party, { scope: 'openid email phone' });
    const page = await agent.open(url.href);
    assert.deepEqual(asks(page), ['know that it is you', 'see your e-mail address', 'see your telephone number']);
    const tokens = await redeem(party, callbackOf(await agent.submit(page, {}, 'allow')), checks);
    assert.equal(tokens.scope, 'openid email phone');
  });

  it('asks again with prompt=consent, also a first-party client, and shows all of it', async () => {
    for (const metadata of [THIRD_PARTY, { first_party: true }]) {
      const party = await addRelyingParty(service, metadata);
      const { agent } = await logIn(party, { scope: 'openid email' });
      const { url } = await authorizationRequest(party, { scope: 'openid email', prompt: 'consent' });
      const page = await agent.open(url.href);
      assert.deepEqual(asks(page), ['know that it is you', 'see your e-mail address']);
      assert.ok(callbackOf(await agent.submit(page, {}, 'allow')).searchParams.get('code'));
    }
  });

  it('answers prompt=none with consent_required where consent is missing (OIDC Core §3.1.2.6)', async () => {
    const { agent } = await logIn(await addRelyingParty(service));
    assert.equal(await silentError(await thirdParty(), agent), 'consent_required');
  });

  it('never asks for a first-party client', async () => {
    const party = await addRelyingParty(service, {}, { photos: null });
    const { tokens } = await logIn(
      party,
      { scope: 'openid profile photos:write', audience: 'photos', claims: '{"userinfo":{"email":null}}' },
      undefined,
      { audience: 'photos' },
    );
    assert.equal(tokens.scope, 'photos:write');
  });

  it('counts for one client and not for another', async () => {
    const { agent } = await logIn(await thirdParty(), { scope: 'openid email' });
    const { url } = await authorizationRequest(await thirdParty(), { scope: 'openid email' });
    assert.ok((await agent.open(url.href)).document.querySelector('#allow'));
  });

  it('counts for one end-user and not for the next one in the same browser', async () => {
    const party = await thirdParty();
    const { agent } = await logIn(party);
    const { url } = await authorizationRequest(party, { prompt: 'login' });
    const form = await agent.open(url.href);
    const other = await agent.submit(form, { login: 'bob', password: PASSWORD });
    // the library ends the first session by a form that submits itself
    const page = await agent.submit(other);
    assert.ok(page.document.querySelector('#allow'), page.text);
    assert.match(page.document.text, /Signed in as\s+bob/);
    assert.ok(callbackOf(await agent.submit(page, {}, 'allow')).searchParams.get('code'));
  });

  it('is asked for anew after it was revoked with its tokens', async () => {
    const party = await thirdParty();
    const { agent, tokens } = await logIn(party, { scope: 'openid offline_access', prompt: 'consent' });
    await client.tokenRevocation(party.config, String(tokens.refresh_token));
    assert.equal(await silentError(party, agent), 'consent_required');
  });
});
