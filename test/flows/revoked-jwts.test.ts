// Stories of JWT access tokens that end before they expire: revoked by name, or with what they came from.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import {
  addRelyingParty,
  assertTokenError,
  logIn,
  postForm,
  type RelyingParty,
  relyingParty,
  type Tokens,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import type { UserAgent } from '../support/user-agent.ts';

const AUDIENCE = 'reports';

/** What `POST /verify` says. */
async function verify(service: Pick<Service, 'origin'>, token: string, audience = AUDIENCE) {
  const response = await fetch(`${service.origin}/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, aud: audience }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const jtiOf = (token: string): unknown =>
  JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString())['jti'];

async function assertGood(service: Pick<Service, 'origin'>, token: string): Promise<void> {
  const { status, body } = await verify(service, token);
  assert.equal(status, 200, JSON.stringify(body));
}

/** The holder of a genuine token is told why it is refused (security.md part 1, decision 1). */
async function assertRevoked(service: Pick<Service, 'origin'>, token: string, audience = AUDIENCE): Promise<void> {
  const { status, body } = await verify(service, token, audience);
  assert.deepEqual([status, body['error'], body['reason']], [401, 'invalid_token', 'revoked'], JSON.stringify(body));
  assert.deepEqual([body['claim'], body['received']], ['jti', jtiOf(token)]);
}

describe('Revoked JWT access tokens', () => {
  let service: Service;
  let party: RelyingParty;
  let other: RelyingParty;
  before(async () => {
    service = await startService();
    await service.resourceServers.add({ audience: AUDIENCE, scope: 'reports:read', alg: 'ES256' });
    const grants = { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] };
    party = await addRelyingParty(service, grants, { [AUDIENCE]: null, 'logging-service': null });
    other = await addRelyingParty(service, grants, { [AUDIENCE]: null });
  });
  after(() => service[Symbol.asyncDispose]());

  const request = { scope: 'openid reports:read', audience: AUDIENCE };
  const signInFor = async (rp: RelyingParty, agent?: UserAgent): Promise<{ tokens: Tokens; agent: UserAgent }> => {
    const signedIn = await logIn(rp, request, agent, { audience: AUDIENCE });
    await assertGood(service, signedIn.tokens.access_token);
    return signedIn;
  };
  const refreshed = (tokens: Pick<Tokens, 'refresh_token'>, rp = party) =>
    postForm(rp, '/token', {
      grant_type: 'refresh_token',
      refresh_token: String(tokens.refresh_token),
      audience: AUDIENCE,
    });
  const serviceToken = async (audience: string) => {
    const { body } = await postForm(party, '/token', { grant_type: 'client_credentials', audience });
    return String(body['access_token']);
  };

  it('are refused once their client revoked them, with the refresh token beside them (RFC 7009 §2.1)', async () => {
    const { tokens } = await signInFor(party);
    await client.tokenRevocation(party.config, tokens.access_token);
    await assertRevoked(service, tokens.access_token);
    assertTokenError(await refreshed(tokens), 'invalid_grant');
    const { body } = await postForm(party, '/introspect', { token: tokens.access_token });
    assert.deepEqual(body, { active: false });
    const again = await postForm(party, '/revoke', { token: tokens.access_token });
    assert.equal(again.status, 200);
  });

  for (const audience of [AUDIENCE, 'logging-service']) {
    it(`include the tokens of a service for ${audience}, each by its name`, async () => {
      const [token, sibling] = [await serviceToken(audience), await serviceToken(audience)];
      assert.equal((await postForm(party, '/revoke', { token, token_type_hint: 'access_token' })).status, 200);
      await assertRevoked(service, token, audience);
      assert.equal((await verify(service, sibling, audience)).status, 200);
    });
  }

  it('are not what another client, or nobody, asks to be revoked (RFC 7009 §2.1)', async () => {
    const { tokens } = await signInFor(party);
    const answer = await postForm(other, '/revoke', { token: tokens.access_token });
    assert.deepEqual([answer.status, answer.body], [200, {}]);
    const stranger = { ...party, secret: 'not the secret of this client' };
    assertTokenError(await postForm(stranger, '/revoke', { token: tokens.access_token }), 'invalid_client', 401);
    await assertGood(service, tokens.access_token);
    assert.equal((await refreshed(tokens)).status, 200);
  });

  it('do not take a tampered or an ID token with them', async () => {
    const { tokens } = await signInFor(party);
    const [header, payload] = tokens.access_token.split('.');
    for (const token of [`${header}.${payload}.AAAA`, `${header}.${payload}.`, String(tokens.id_token), 'eyJ.e30.']) {
      const { status } = await postForm(party, '/revoke', { token });
      assert.ok(status === 200 || status === 400, `${status}`);
    }
    await assertGood(service, tokens.access_token);
  });

  it('are refused in every spelling: the other valid signature of ECDSA is one (security.md R21)', async () => {
    const token = await serviceToken(AUDIENCE);
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const bytes = Buffer.from(signature, 'base64url');
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const negated = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    const respelled = Buffer.concat([
      bytes.subarray(0, 32),
      Buffer.from(negated.toString(16).padStart(64, '0'), 'hex'),
    ]);
    const twin = [header, payload, respelled.toString('base64url')].join('.');
    await assertGood(service, twin);
    await postForm(party, '/revoke', { token });
    await assertRevoked(service, twin);
  });

  describe('are refused after', () => {
    const endings: [name: string, end: (signedIn: { tokens: Tokens; agent: UserAgent }) => Promise<unknown>][] = [
      [
        'their refresh token is revoked',
        ({ tokens }) => postForm(party, '/revoke', { token: String(tokens.refresh_token) }),
      ],
      [
        'a logout',
        async ({ agent }) => {
          const page = await agent.submit(await agent.open(`${service.origin}/logout`), {}, 'sign-out');
          assert.match(page.document.text, /signed out/i);
        },
      ],
      [
        'a refresh token was used twice, and with the token that it got (security.md R06)',
        async ({ tokens }) => {
          const { body } = await refreshed(tokens);
          await assertGood(service, String(body['access_token']));
          assertTokenError(await refreshed(tokens), 'invalid_grant');
          await assertRevoked(service, String(body['access_token']));
        },
      ],
    ];
    for (const [name, end] of endings) {
      it(name, async () => {
        const bystander = await signInFor(party);
        const signedIn = await signInFor(party);
        await end(signedIn);
        await assertRevoked(service, signedIn.tokens.access_token);
        await assertGood(service, bystander.tokens.access_token);
      });
    }

    it('their client is removed', async () => {
      const { clientId, secret } = await service.addClient({
        clientId: 'short-lived',
        metadata: { redirect_uris: ['http://127.0.0.1:5000/callback'], first_party: true },
        audiences: { [AUDIENCE]: null },
      });
      const bystander = await signInFor(party);
      const { tokens } = await signInFor(await relyingParty(service, clientId, secret));
      assert.ok(await service.store.clients.remove(clientId));
      await assertRevoked(service, tokens.access_token);
      await assertGood(service, bystander.tokens.access_token);
    });
  });

  it('stay good after a logout when the end-user granted offline access (OpenID Connect Core §11)', async () => {
    const offline = { scope: 'openid offline_access reports:read', audience: AUDIENCE, prompt: 'consent' };
    const { tokens, agent } = await logIn(party, offline, undefined, { audience: AUDIENCE });
    await agent.submit(await agent.open(`${service.origin}/logout`), {}, 'sign-out');
    await assertGood(service, tokens.access_token);
    assert.equal((await refreshed(tokens)).status, 200);
  });

  it('never work again, whether the refresh or the revocation is first (security.md R12)', async () => {
    for (let round = 0; round < 12; round += 1) {
      const { tokens } = await signInFor(party);
      const token = round % 2 === 0 ? tokens.access_token : String(tokens.refresh_token);
      const [refresh, revocation] = await Promise.all([refreshed(tokens), postForm(party, '/revoke', { token })]);
      assert.equal(revocation.status, 200);
      await assertRevoked(service, tokens.access_token);
      if (refresh.status !== 200) continue;
      await assertRevoked(service, String(refresh.body['access_token']));
      assertTokenError(await refreshed(refresh.body as Tokens), 'invalid_grant');
    }
  });

  it('are refused at once by another process on the same store (security.md R11)', async () => {
    const { config } = service;
    await using second = await startService({
      PUBLIC_URL: service.issuer,
      DATABASE_URL: config.database.engine === 'sqlite' ? `sqlite:${config.database.path}` : config.database.url,
      COOKIE_SECRET: config.cookieSecrets[0],
      JWT_SECRET_KEY: config.jwtSecrets[0],
      ENCRYPTION_KEY: config.encryptionKeys[0],
    });
    const revoking = await signInFor(party);
    await assertGood(second, revoking.tokens.access_token);
    await postForm(party, '/revoke', { token: revoking.tokens.access_token });
    await assertRevoked(second, revoking.tokens.access_token);

    const alice = await service.accounts.findByUsername('alice');
    const disabling = await signInFor(party);
    assert.ok(await second.accounts.disable(String(alice?.id)));
    await assertRevoked(service, disabling.tokens.access_token);
    await second.accounts.enable(String(alice?.id));
    await assertRevoked(service, disabling.tokens.access_token);
    assertTokenError(await refreshed(disabling.tokens), 'invalid_grant');
  });

  it('are told to the audit log, by a hash', async () => {
    const token = await serviceToken(AUDIENCE);
    service.log.length = 0;
    await postForm(party, '/revoke', { token });
    const lines = service.log.map((line) => JSON.parse(line)).filter(({ event }) => event !== undefined);
    assert.deepEqual(
      lines.map(({ event, clientId }) => [event, clientId]),
      [['tokenRevoked', party.clientId]],
    );
    assert.doesNotMatch(service.log.join('\n'), new RegExp(String(jtiOf(token))));
  });
});
