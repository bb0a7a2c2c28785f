// Stories of secrets that are replaced: the new one in front of the old one for a while, then alone (R61).
import assert from 'node:assert/strict';
import { compactVerify } from 'jose';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { openStore } from '../../adapters/open-store.ts';
import { createSecretBox, UnsealFailed } from '../../src/keys/secret-box.ts';
import { openKeyring } from '../../src/keys/signing-keys.ts';
import { authorizationRequest, callbackOf, logIn, PASSWORD, relyingParty } from '../support/relying-party.ts';
import { newSecret, type Service, startService } from '../support/service.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

describe('a secret that is replaced', () => {
  const oldSecret = newSecret();
  const secret = newSecret();
  let services: Service[];

  beforeEach(() => {
    services = [];
  });
  afterEach(async () => {
    for (const service of services.toReversed()) await service[Symbol.asyncDispose]();
  });

  /** The service with another environment; after the first one, on the same database and with the same secrets. */
  async function start(env: Record<string, string>): Promise<Service> {
    const [first] = services;
    const kept: Record<string, string> = {};
    if (first) {
      const { cookieSecrets, jwtSecrets, encryptionKeys, database } = first.config;
      assert.ok(database.engine === 'sqlite');
      kept['COOKIE_SECRET'] = cookieSecrets.join();
      kept['JWT_SECRET_KEY'] = jwtSecrets.join();
      kept['ENCRYPTION_KEY'] = encryptionKeys.join();
      kept['DATABASE_URL'] = `sqlite:${database.path}`;
    }
    const service = await startService({ JWT_ISSUER: 'identity-backend', ...kept, ...env });
    services.push(service);
    return service;
  }

  /** A copy of the browser, for the service where it runs now: cookies belong to a host, whatever the port. */
  async function movedTo(service: Service, agent: UserAgent): Promise<UserAgent> {
    const moved = createUserAgent(service.origin);
    await agent.cookies.clone(moved.cookies.store);
    return moved;
  }

  /** Whether the browser gets a code without a page. */
  async function isSignedIn(service: Service, agent: UserAgent): Promise<boolean> {
    const { url } = await authorizationRequest(await relyingParty(service), { prompt: 'none' });
    const callback = callbackOf(await agent.open(url.href));
    const error = callback.searchParams.get('error');
    if (error !== null) assert.equal(error, 'login_required');
    return error === null;
  }

  it('keeps sessions: COOKIE_SECRET', async () => {
    const before = await start({ COOKIE_SECRET: oldSecret });
    const { agent } = await logIn(await relyingParty(before));
    const { agent: absent } = await logIn(await relyingParty(before));

    const meanwhile = await start({ COOKIE_SECRET: `${secret},${oldSecret}` });
    const visiting = await movedTo(meanwhile, agent);
    assert.equal(await isSignedIn(meanwhile, visiting), true);

    const afterwards = await start({ COOKIE_SECRET: secret });
    // whoever came by in the meantime has a cookie that is signed with the new one
    assert.equal(await isSignedIn(afterwards, await movedTo(afterwards, visiting)), true);
    assert.equal(await isSignedIn(afterwards, await movedTo(afterwards, absent)), false);
  });

  it('keeps a sign-in that has begun: COOKIE_SECRET', async () => {
    const before = await start({ COOKIE_SECRET: oldSecret });
    const agent = createUserAgent(before.origin);
    const { url } = await authorizationRequest(await relyingParty(before));
    const form = await agent.open(url.href);
    const submit = async (service: Service) => {
      const moved = await movedTo(service, agent);
      const page = { ...form, url: form.url.replace(before.origin, service.origin) };
      return (await moved.submit(page, { login: 'alice', password: PASSWORD })).response;
    };

    const afterwards = await start({ COOKIE_SECRET: secret });
    assert.equal((await submit(afterwards)).status, 400);
    const meanwhile = await start({ COOKIE_SECRET: `${secret},${oldSecret}` });
    const response = await submit(meanwhile);
    assert.equal(response.status, 303);
    // the sign-in goes on at the issuer
    assert.match(String(response.headers.get('location')), /\/authorize\/|\/callback\?code=/);
  });

  it('keeps shared-secret tokens: JWT_SECRET_KEY', async () => {
    const body = (members: object) => {
      return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(members) };
    };
    async function issue(service: Service): Promise<string> {
      const form = { sub: 'caller', aud: 'logging-service', client_secret: clientSecret };
      const response = await fetch(`${service.origin}/token`, body(form));
      assert.equal(response.status, 200);
      return ((await response.json()) as { token: string }).token;
    }
    async function verify(service: Service, token: string): Promise<number> {
      return (await fetch(`${service.origin}/verify`, body({ token, aud: 'logging-service' }))).status;
    }
    const isSignedWith = (token: string, key: string) =>
      compactVerify(token, Buffer.from(key)).then(
        () => true,
        () => false,
      );

    const before = await start({ JWT_SECRET_KEY: oldSecret });
    const { secret: clientSecret } = await before.addClient({
      clientId: 'caller',
      metadata: { grant_types: ['client_credentials'] },
      audiences: { 'logging-service': null },
    });
    const oldToken = await issue(before);
    // others are told the new one first: it verifies, and does not sign yet
    const told = await start({ JWT_SECRET_KEY: `${oldSecret},${secret}` });
    assert.equal(await isSignedWith(await issue(told), oldSecret), true);
    const meanwhile = await start({ JWT_SECRET_KEY: `${secret},${oldSecret}` });
    const token = await issue(meanwhile);
    assert.deepEqual([await isSignedWith(token, secret), await isSignedWith(token, oldSecret)], [true, false]);
    for (const service of [told, meanwhile]) {
      assert.deepEqual([await verify(service, oldToken), await verify(service, token)], [200, 200]);
    }
    const afterwards = await start({ JWT_SECRET_KEY: secret });
    assert.deepEqual([await verify(afterwards, oldToken), await verify(afterwards, token)], [401, 200]);
  });

  it('keeps keys and sessions, and can go once everything is encrypted again: ENCRYPTION_KEY', async () => {
    const jwksOf = async ({ origin }: Service) => (await fetch(`${origin}/jwks`)).json();
    const before = await start({ ENCRYPTION_KEY: oldSecret });
    const openKeys = async (encryptionKey: string) => {
      const clock = () => Math.floor(Date.now() / 1000);
      const { database } = before.config;
      await using store = await openStore({ database, clock, box: createSecretBox([encryptionKey]) });
      await openKeyring({ keys: store.keys, clock });
    };
    const { agent } = await logIn(await relyingParty(before));

    const meanwhile = await start({ ENCRYPTION_KEY: `${secret},${oldSecret}` });
    assert.deepEqual(await jwksOf(meanwhile), await jwksOf(before));
    await assert.rejects(openKeys(secret), UnsealFailed);
    assert.deepEqual(await jwksOf(meanwhile), await jwksOf(before));
    const { reEncrypted, remaining, unreadable } = await meanwhile.store.reEncrypt();
    assert.ok(reEncrypted > 5);
    assert.deepEqual([remaining, unreadable], [0, 0]);

    const afterwards = await start({ ENCRYPTION_KEY: secret });
    assert.deepEqual(await jwksOf(afterwards), await jwksOf(before));
    assert.equal(await isSignedIn(afterwards, await movedTo(afterwards, agent)), true);
    await assert.rejects(openKeys(oldSecret), UnsealFailed);
  });
});
