// Stories of signing keys over HTTP: what is published and cached, and a whole life of keys without one refused token.
import assert from 'node:assert/strict';
import { type CryptoKey, compactVerify, decodeJwt, decodeProtectedHeader, importJWK, type JWK } from 'jose';
import { after, before, describe, it } from 'mocha';
import { createKeyRotation } from '../../src/keys/rotation.ts';
import { authorizationRequest, callbackOf, PASSWORD, redeem, relyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent } from '../support/user-agent.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;

describe('signing keys', () => {
  let service: Service;

  before(async () => {
    service = await startService();
  });
  after(() => service[Symbol.asyncDispose]());

  it('are in a JWKS that may be cached for ten minutes, metadata for five (RFC 9111 §5.2.2)', async () => {
    const ages = {
      '/jwks': 600,
      '/.well-known/openid-configuration': 300,
      '/.well-known/oauth-authorization-server': 300,
    };
    for (const [path, age] of Object.entries(ages)) {
      for (const method of ['GET', 'HEAD']) {
        const response = await fetch(service.origin + path, { method });
        assert.equal(response.status, 200);
        assert.equal(response.headers.get('cache-control'), `public, max-age=${age}`, `${method} ${path}`);
      }
      const wrong = await fetch(service.origin + path, { method: 'DELETE' });
      assert.equal(wrong.headers.get('cache-control'), 'no-store', path);
    }
  });

  it('are published with public members only, one kid each, alg and use (RFC 7517 §4)', async () => {
    const { keys } = (await (await fetch(`${service.origin}/jwks`)).json()) as { keys: Record<string, unknown>[] };
    const allowed = ['kty', 'use', 'kid', 'alg', 'crv', 'e', 'n', 'x', 'y'];
    for (const key of keys) {
      assert.deepEqual(
        Object.keys(key).filter((member) => !allowed.includes(member)),
        [],
      );
      assert.equal(key['use'], 'sig');
      assert.notEqual(key['kty'], 'oct');
      assert.equal(typeof key['alg'], 'string');
    }
    assert.equal(new Set(keys.map(({ kid }) => kid)).size, keys.length);
  });

  it('are fetched by verifiers that are remembered', async () => {
    await fetch(`${service.origin}/jwks`, { headers: { 'user-agent': 'PyJWT/2.9' } });
    await fetch(`${service.origin}/jwks`, { method: 'HEAD', headers: { 'user-agent': 'only a head' } });
    await service.app.keys.writeFetches();
    const fetches = await service.store.jwksFetches.list();
    assert.ok(fetches.some(({ address, agent }) => address === '127.0.0.1' && agent === 'PyJWT/2.9'));
    assert.ok(!fetches.some(({ agent }) => agent === 'only a head'));
  });

  it('sign ID tokens once it is their turn, also for who began to sign in before', async () => {
    const party = await relyingParty(service);
    const agent = createUserAgent(service.origin);
    const { url, checks } = await authorizationRequest(party);
    const form = await agent.open(url.href);
    const clock = () => Math.floor(Date.now() / 1000);
    const rotation = createKeyRotation({ keys: service.store.keys, clock, schedule: service.config.keySchedule });
    const { published } = await rotation.rotate(['RS256'], { now: true });
    await withMovingTime(async (pass) => {
      pass(4);
      await service.app.keys.refresh();
      const signedIn = await agent.submit(form, { login: 'alice', password: PASSWORD });
      const tokens = await redeem(party, callbackOf(signedIn), checks);
      assert.equal(decodeProtectedHeader(String(tokens.id_token)).kid, published[0]?.kid);
    });
  });
});

/** Keeps the JWKS for nearly as long as a key is published ahead: far longer than it may. */
function createStubbornVerifier(service: Service) {
  let cached: Promise<JWK[]> = Promise.resolve([]);
  let fetchedAt = 0;
  async function fetchJwks(): Promise<JWK[]> {
    const response = await fetch(`${service.origin}/jwks`);
    return ((await response.json()) as { keys: JWK[] }).keys;
  }
  return async function verify(token: string): Promise<void> {
    if (Date.now() >= fetchedAt + 23 * HOUR * 1_000) {
      fetchedAt = Date.now();
      cached = fetchJwks();
    }
    const { kid, alg } = decodeProtectedHeader(token);
    const jwk = (await cached).find((key) => key.kid === kid);
    assert.ok(jwk, `the verifier does not know the key ${kid}`);
    await compactVerify(token, (await importJWK(jwk, alg)) as CryptoKey);
  };
}

describe('the life of signing keys, in two processes on one database', () => {
  const days = { KEY_PUBLISH_DAYS: '1', KEY_SIGN_DAYS: '2', KEY_RETIRE_DAYS: '2' };
  let first: Service;
  let second: Service;
  let secret: string;

  before(async () => {
    first = await startService(days);
    const { cookieSecrets, jwtSecrets, encryptionKeys, database, issuer } = first.config;
    assert.ok(database.engine === 'sqlite');
    second = await startService({
      ...days,
      PUBLIC_URL: issuer,
      COOKIE_SECRET: cookieSecrets.join(),
      JWT_SECRET_KEY: jwtSecrets.join(),
      ENCRYPTION_KEY: encryptionKeys.join(),
      DATABASE_URL: `sqlite:${database.path}`,
    });
    await first.resourceServers.add({ audience: 'api', scope: 'read', alg: 'ES256', expiresIn: DAY });
    const metadata = { grant_types: ['client_credentials'] };
    ({ secret } = await first.addClient({ clientId: 'caller', metadata, audiences: { api: null } }));
  });
  after(async () => {
    await second[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
  });

  const json = { 'content-type': 'application/json' };

  async function post(url: string, init: RequestInit): Promise<Record<string, unknown>> {
    const response = await fetch(url, { method: 'POST', ...init });
    const answer = await response.text();
    assert.equal(response.status, 200, `${url}: ${answer}`);
    return JSON.parse(answer);
  }

  async function issueByJson({ origin }: Service): Promise<string> {
    const body = JSON.stringify({ sub: 'caller', aud: 'api', client_secret: secret });
    return String((await post(`${origin}/token`, { headers: json, body }))['access_token']);
  }

  async function issueByForm({ origin }: Service): Promise<string> {
    const authorization = `Basic ${Buffer.from(`caller:${secret}`).toString('base64')}`;
    const body = new URLSearchParams({ grant_type: 'client_credentials', audience: 'api' });
    return String((await post(`${origin}/token`, { headers: { authorization }, body }))['access_token']);
  }

  const verifyAt = ({ origin }: Service, token: string) =>
    post(`${origin}/verify`, { headers: json, body: JSON.stringify({ token, aud: 'api' }) });

  it('refuses no token for a week of rotations, not even by a verifier that caches for 23 hours (R60)', async function () {
    this.timeout(60_000);
    const verify = createStubbornVerifier(second);
    const clock = () => Math.floor(Date.now() / 1000);
    const rotation = createKeyRotation({ keys: first.store.keys, clock, schedule: first.config.keySchedule });
    const issued: string[] = [];
    const kids = new Set<string | undefined>();
    await withMovingTime(async (pass) => {
      for (let step = 0; step < 7 * 12; step += 1) {
        pass(2 * HOUR);
        await rotation.advance();
        const [early, late] = step % 2 === 0 ? [first, second] : [second, first];
        await early.app.keys.refresh();
        const tokens = await Promise.all([
          issueByJson(early),
          issueByForm(early),
          issueByJson(late),
          issueByForm(late),
        ]);
        for (const token of tokens) kids.add(decodeProtectedHeader(token).kid);
        await Promise.all([...tokens.map(verify), ...tokens.slice(0, 2).map((token) => verifyAt(late, token))]);
        await late.app.keys.refresh();
        issued.push(tokens[step % 4] as string);
        const oldest = issued.at(-12);
        if (oldest === undefined) continue;
        assert.ok(Number(decodeJwt(oldest).exp) > clock());
        await Promise.all([verify(oldest), verifyAt(early, oldest)]);
      }
    });
    assert.equal(kids.size, 4);
  });
});
