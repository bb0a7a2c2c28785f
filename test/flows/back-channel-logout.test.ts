// Stories of back-channel logout: every client of the session is told by a logout token.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { addRelyingParty, continueSession, logIn, silentError } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import type { UserAgent } from '../support/user-agent.ts';

interface Delivery {
  path: string;
  headers: IncomingHttpHeaders;
  body: URLSearchParams;
}

describe('Back-channel logout', () => {
  let service: Service;
  let sink: Server;
  let sinkOrigin: string;
  let deliveries: Delivery[];
  let status: number;

  before(async () => {
    sink = createServer(async (req, res) => {
      deliveries.push({ path: String(req.url), headers: req.headers, body: new URLSearchParams(await text(req)) });
      res.writeHead(status, { 'cache-control': 'no-store' }).end();
    });
    sink.listen(0, '127.0.0.1');
    await once(sink, 'listening');
    sinkOrigin = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
    service = await startService({}, { fetch: reachLoopback });
  });
  beforeEach(() => {
    deliveries = [];
    status = 200;
  });
  after(async () => {
    sink.closeAllConnections();
    sink.close();
    await service[Symbol.asyncDispose]();
  });

  function addParty(path: string) {
    return addRelyingParty(service, {
      backchannel_logout_uri: sinkOrigin + path,
      backchannel_logout_session_required: true,
    });
  }

  async function signOut(agent: UserAgent): Promise<void> {
    const page = await agent.submit(await agent.open(`${service.origin}/logout`), {}, 'sign-out');
    assert.equal(page.response.status, 200);
  }

  it('is announced in the metadata', async () => {
    const metadata = (await (await fetch(`${service.origin}/.well-known/openid-configuration`)).json()) as object;
    assert.deepEqual(
      { ...metadata, backchannel_logout_supported: true, backchannel_logout_session_supported: true },
      metadata,
    );
  });

  it('posts a logout token to each client of the session, and to no other (Back-Channel Logout §2.5)', async () => {
    const [one, two] = [await addParty('/one'), await addParty('/two')];
    await addParty('/three');
    const { agent, claims } = await logIn(one);
    const { claims: otherClaims } = await continueSession(two, agent);
    await signOut(agent);

    assert.deepEqual(deliveries.map(({ path }) => path).sort(), ['/one', '/two']);
    const jwks = createRemoteJWKSet(new URL(`${service.origin}/jwks`));
    for (const { path, headers, body } of deliveries) {
      const [clientId, expected] = path === '/one' ? [one.clientId, claims] : [two.clientId, otherClaims];
      assert.match(String(headers['content-type']), /^application\/x-www-form-urlencoded/);
      assert.deepEqual([...body.keys()], ['logout_token']);
      const { payload, protectedHeader } = await jwtVerify(String(body.get('logout_token')), jwks, {
        issuer: service.issuer,
        audience: clientId,
        maxTokenAge: '5m',
      });
      assert.equal(protectedHeader.typ, 'logout+jwt');
      assert.equal(payload.sub, expected.sub);
      assert.equal(payload['sid'], expected['sid']);
      assert.ok(payload.jti && payload.exp);
      assert.deepEqual(payload['events'], { 'http://schemas.openid.net/event/backchannel-logout': {} });
      assert.equal(payload['nonce'], undefined);
    }
    assert.equal(await silentError(one, agent), 'login_required');
  });

  it('signs out even when a client refuses the token, and writes that down', async () => {
    status = 500;
    const party = await addParty('/broken');
    const { agent } = await logIn(party);
    await signOut(agent);
    assert.equal(deliveries.length, 1);
    assert.equal(await silentError(party, agent), 'login_required');
    assert.ok(service.log.some((line) => line.includes('back-channel logout failed') && line.includes(party.clientId)));
  });

  it('reaches no loopback address unless the service was told to (security fact 15)', async () => {
    await using guarded = await startService();
    const party = await addRelyingParty(guarded, { backchannel_logout_uri: `${sinkOrigin}/guarded` });
    const { agent } = await logIn(party);
    await agent.submit(await agent.open(`${guarded.origin}/logout`), {}, 'sign-out');
    assert.deepEqual(deliveries, []);
    assert.equal(await silentError(party, agent), 'login_required');
  });
});

/** Leaves out the library's guard against private and loopback addresses. */
async function reachLoopback(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { dispatcher: _, ...options } = (init ?? {}) as RequestInit & { dispatcher?: unknown };
  return fetch(input, options as RequestInit);
}
