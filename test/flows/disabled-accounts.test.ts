// Stories of an account that is disabled or removed while sessions, tokens and sign-ins of it are alive.
import assert from 'node:assert/strict';
import type { Account } from '../../src/store.ts';
import {
  addRelyingParty,
  assertTokenError,
  authorizationRequest,
  PASSWORD,
  postForm,
  type RelyingParty,
  signIn,
  silentError,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

describe('Disabled and removed accounts', () => {
  let service: Service;
  let party: RelyingParty;
  let thirdParty: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service);
    thirdParty = await addRelyingParty(service, { first_party: false });
  });
  after(() => service[Symbol.asyncDispose]());

  const ways: [name: string, cutOff: (account: Account) => Promise<boolean>][] = [
    ['disabled', ({ id }) => service.accounts.disable(id)],
    ['removed', ({ id }) => service.accounts.remove(id)],
  ];
  for (const [way, cutOff] of ways) {
    describe(`A ${way} account`, () => {
      const username = `carol-${way}`;
      let account: Account;
      beforeEach(async () => {
        account = await service.accounts.add({ username, password: PASSWORD });
      });
      afterEach(() => service.accounts.remove(account.id));

      it('has no refresh, no userinfo and no silent sign-in any more (security requirement R11)', async () => {
        const { url, checks } = await authorizationRequest(party, { scope: 'openid offline_access' });
        const agent = createUserAgent(service.origin);
        const callback = new URL(String((await signIn(agent, url, username)).response.headers.get('location')));
        const { body } = await postForm(party, '/token', {
          grant_type: 'authorization_code',
          code: String(callback.searchParams.get('code')),
          redirect_uri: checks.redirectUri,
          code_verifier: String(checks.pkceCodeVerifier),
        });
        assert.equal(await silentError(party, agent), undefined);

        assert.ok(await cutOff(account));

        const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
        assertTokenError(await postForm(party, '/token', refresh), 'invalid_grant');
        const userinfo = await fetch(`${service.origin}/userinfo`, {
          headers: { authorization: `Bearer ${body['access_token']}` },
        });
        assert.equal(userinfo.status, 401);
        assert.equal(await silentError(party, agent), 'login_required');
        const introspection = await postForm(party, '/introspect', { token: String(body['access_token']) });
        assert.deepEqual(introspection.body, { active: false });
      });

      it('cannot redeem a code that it got before', async () => {
        const { url, checks } = await authorizationRequest(party);
        const page = await signIn(createUserAgent(service.origin), url, username);
        const callback = new URL(String(page.response.headers.get('location')));
        assert.ok(await cutOff(account));
        const answer = await postForm(party, '/token', {
          grant_type: 'authorization_code',
          code: String(callback.searchParams.get('code')),
          redirect_uri: checks.redirectUri,
          code_verifier: String(checks.pkceCodeVerifier),
        });
        assertTokenError(answer, 'invalid_grant');
      });

      it('cannot go on in the middle of a consent, nor sign in again', async () => {
        const agent = createUserAgent(service.origin);
        const { url } = await authorizationRequest(thirdParty);
        const consent = await signIn(agent, url, username);
        assert.ok(consent.document.querySelector('#allow'));
        assert.ok(await cutOff(account));
        const ended = await agent.submit(consent, {}, 'allow');
        assert.equal(ended.response.status, 400);
        assert.equal(ended.response.headers.get('location'), null);
        const refused = await signIn(agent, url, username);
        assert.equal(refused.response.status, 400);
        assert.ok(refused.document.querySelector('#error'));
      });
    });
  }

  it('lets another account sign in where the session is that of a disabled one', async () => {
    const { id } = await service.accounts.add({ username: 'dave', password: PASSWORD });
    const agent = createUserAgent(service.origin);
    const { url } = await authorizationRequest(party);
    await signIn(agent, url, 'dave');
    await service.accounts.disable(id);
    const answered = await signIn(agent, (await authorizationRequest(party)).url, 'alice');
    assert.match(String(answered.response.headers.get('location')), /[?&]code=/);
  });

  it('is told apart from a good account by nothing at sign-in', async () => {
    const { id } = await service.accounts.add({ username: 'erin', password: PASSWORD });
    await service.accounts.disable(id);
    const pages = await Promise.all(
      [
        ['erin', PASSWORD],
        ['alice', 'not the password'],
      ].map(async ([login, password]) => {
        const page = await signIn(
          createUserAgent(service.origin),
          (await authorizationRequest(party)).url,
          login,
          password,
        );
        return [page.response.status, page.document.querySelector('#error')?.text];
      }),
    );
    assert.deepEqual(pages[0], pages[1]);
  });
});
