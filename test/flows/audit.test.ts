// Stories of what the log tells an operator about sign-ins and tokens, and of what it never tells.
import assert from 'node:assert/strict';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  logIn,
  postForm,
  REDIRECT_URI,
  type RelyingParty,
  signIn,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent } from '../support/user-agent.ts';

type Line = Record<string, unknown>;

describe('Security events', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    party = await addRelyingParty(service, { first_party: false });
  });
  after(() => service[Symbol.asyncDispose]());

  /** The events that were written while `story` ran. */
  async function eventsOf(story: () => Promise<unknown>): Promise<Line[]> {
    const from = service.log.length;
    await story();
    const lines = service.log.slice(from).map((line) => JSON.parse(line) as Line);
    return lines.filter(({ event }) => event !== undefined);
  }

  function assertEvent(events: Line[], event: string, facts: Line): void {
    const found = events.find((line) => line['event'] === event);
    assert.ok(found, `no ${event} among ${events.map((line) => line['event'])}`);
    assert.ok(found['requestId']);
    assert.deepEqual({ ...found, ...facts }, found);
  }

  it('names client, account and address from the sign-in to the token', async () => {
    const { clientId } = party;
    const accountId = String((await service.accounts.findByUsername('alice'))?.id);
    const events = await eventsOf(() => logIn(party, { scope: 'openid email' }));
    assert.deepEqual(
      events.map(({ event }) => event),
      ['interactionStarted', 'loginSucceeded', 'interactionStarted', 'consentGranted', 'tokenIssued'],
    );
    assertEvent(events, 'loginSucceeded', { clientId, accountId, ip: '127.0.0.1' });
    assertEvent(events, 'consentGranted', { clientId, accountId });
    assertEvent(events, 'tokenIssued', { clientId, accountId, grantType: 'authorization_code', scope: 'openid email' });
  });

  it('tells the address behind a trusted proxy, and the proxy (security.md R70)', async () => {
    await using behind = await startService({ TRUSTED_PROXIES: '127.0.0.1' });
    await fetch(`${behind.origin}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('nobody:x')}`, 'x-forwarded-for': '192.0.2.7' },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { ip, peer } = behind.log
      .map((line) => JSON.parse(line) as Line)
      .find(({ event }) => event === 'clientAuthenticationFailed') as Line;
    assert.deepEqual({ ip, peer }, { ip: '192.0.2.7', peer: '127.0.0.1' });
  });

  it('tells a wrong password, without what was typed as the name', async () => {
    const { url } = await authorizationRequest(party);
    const secret = 'my-password-typed-as-name';
    const events = await eventsOf(() => signIn(createUserAgent(service.origin), url, secret, 'wrong'));
    assertEvent(events, 'loginFailed', { clientId: party.clientId });
    assert.ok(!service.log.some((line) => line.includes(secret)));
  });

  it('tells a refused consent', async () => {
    const agent = createUserAgent(service.origin);
    const other = await addRelyingParty(service, { first_party: false });
    const page = await signIn(agent, (await authorizationRequest(other)).url);
    const events = await eventsOf(() => agent.submit(page, {}, 'deny'));
    assertEvent(events, 'consentRefused', { clientId: other.clientId });
  });

  it('raises the alarm for a replayed code and a reused refresh token (RFC 9700 §4.14.2)', async () => {
    const firstParty = await addRelyingParty(service);
    const { url, checks } = await authorizationRequest(firstParty);
    const callback = callbackOf(await signIn(createUserAgent(service.origin), url));
    const form = {
      grant_type: 'authorization_code',
      code: String(callback.searchParams.get('code')),
      redirect_uri: REDIRECT_URI,
      code_verifier: String(checks.pkceCodeVerifier),
    };
    await postForm(firstParty, '/token', form);
    const replay = await eventsOf(() => postForm(firstParty, '/token', form));
    assertEvent(replay, 'codeReplayed', { clientId: firstParty.clientId, error: 'invalid_grant' });

    const { tokens } = await logIn(firstParty);
    const refresh = { grant_type: 'refresh_token', refresh_token: String(tokens.refresh_token) };
    await postForm(firstParty, '/token', refresh);
    const reuse = await eventsOf(() => postForm(firstParty, '/token', refresh));
    assertEvent(reuse, 'refreshTokenReused', { clientId: firstParty.clientId, error: 'invalid_grant' });
  });

  it('tells failed client authentication and refused requests, with the reason that the client did not get', async () => {
    const wrong = await eventsOf(() =>
      postForm({ ...party, secret: 'wrong' }, '/token', { grant_type: 'refresh_token' }),
    );
    assertEvent(wrong, 'clientAuthenticationFailed', { error: 'invalid_client', reason: 'invalid secret provided' });
    const refused = await eventsOf(() =>
      postForm(party, '/token', { grant_type: 'refresh_token', refresh_token: 'unknown' }),
    );
    assertEvent(refused, 'tokenRefused', { clientId: party.clientId, reason: 'refresh token not found' });
  });

  it('tells revocation and logout', async () => {
    const { tokens, agent } = await logIn(await addRelyingParty(service));
    const events = await eventsOf(async () => {
      await agent.submit(await agent.open(`${service.origin}/logout`), {}, 'sign-out');
    });
    assertEvent(events, 'grantRevoked', {});
    assertEvent(events, 'logoutSucceeded', { accountId: tokens.claims()?.sub });
  });

  it('keeps what it tells in the store, soon after', async () => {
    const own = await addRelyingParty(service);
    const { tokens } = await logIn(own);
    await postForm(own, '/revoke', { token: String(tokens.refresh_token) });
    await service.app.end();
    const kept = await service.store.auditEvents.list({ clientId: own.clientId, limit: 100 });
    const names = kept.map(({ event }) => event);
    assert.deepEqual(names.toSorted(), [
      'grantRevoked',
      'interactionStarted',
      'loginSucceeded',
      'tokenIssued',
      'tokenRevoked',
    ]);
    const [issued, revoked] = ['tokenIssued', 'tokenRevoked'].map((name) => kept.find(({ event }) => event === name));
    assert.equal(issued?.accountId, tokens.claims()?.sub);
    assert.equal(issued?.facts['ip'], '127.0.0.1');
    for (const { facts } of [issued, revoked].filter((one) => one !== undefined)) {
      assert.ok(facts['requestId']);
      assert.match(String(facts['tokenHash']), /^[\w-]{16}$/);
    }
    assert.ok(!JSON.stringify(kept).includes(String(tokens.refresh_token)));
  });
});
