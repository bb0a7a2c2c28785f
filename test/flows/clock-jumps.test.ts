// Stories of a clock that is set wrongly and put right again, with the sweeper at work (security requirement R80).
import assert from 'node:assert/strict';
import type { webcrypto } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createLogger } from '../../src/logging/logger.ts';
import { startSweeper } from '../../src/process/sweeper.ts';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  postForm,
  REDIRECT_URI,
  type RelyingParty,
  signIn,
} from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

const HOUR = 3_600;

/** Starts the service's sweeper, which looks at the clock all the time. */
function sweep({ store }: Service): Disposable & { log: string[]; looksTwice(): Promise<void> } {
  const log: string[] = [];
  let looks = 0;
  const clock = () => {
    looks += 1;
    return Math.floor(Date.now() / 1000);
  };
  const logger = createLogger({ level: 'info', destination: { write: (line) => void log.push(line) } });
  const sweeper = startSweeper({ store, logger, clock, intervalMs: 1 });
  return {
    log,
    async looksTwice() {
      for (const until = looks + 2; looks < until; ) await turn();
      // what it has begun is over as soon as what comes after it is
      await store.probe();
    },
    [Symbol.dispose]: () => sweeper[Symbol.dispose](),
  };
}

describe('A clock that jumps', () => {
  let service: Service;
  let party: RelyingParty;
  let robot: { clientId: string; key: webcrypto.CryptoKey };
  let agent: UserAgent;

  before(async () => {
    service = await startService();
    party = await addRelyingParty(service, {}, { 'logging-service': null });
    const { privateKey: key, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const { clientId } = await addRelyingParty(service, {
      grant_types: ['client_credentials'],
      redirect_uris: [],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), use: 'sig', alg: 'ES256' }] },
    });
    robot = { clientId, key };
  });
  beforeEach(() => {
    agent = createUserAgent(service.origin);
  });
  after(() => service[Symbol.asyncDispose]());

  /** Signs in, or continues the session; what redeems the code. */
  async function redemption(): Promise<Record<string, string>> {
    const { url, checks } = await authorizationRequest(party);
    const known = await agent.open(url.href);
    const page = known.document.querySelector('#password') ? await signIn(agent, url) : known;
    const code = String(callbackOf(page).searchParams.get('code'));
    return {
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: String(checks.pkceCodeVerifier),
    };
  }

  const refreshment = (token: unknown) => ({ grant_type: 'refresh_token', refresh_token: String(token) });

  async function assertion(): Promise<Record<string, string>> {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: robot.clientId, sub: robot.clientId, aud: service.issuer, jti: crypto.randomUUID() };
    const signed = await new SignJWT({ ...claims, iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: 'ES256' })
      .sign(robot.key);
    return {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: signed,
    };
  }

  /** As the robot: an assertion is all that it needs. */
  async function ask(form: Record<string, string>): Promise<number> {
    const { status } = await fetch(`${service.origin}/token`, { method: 'POST', body: new URLSearchParams(form) });
    return status;
  }

  /** Everything that has a lifetime has one that is ahead. */
  function assertLifetimes({ status, body }: { status: number; body: Record<string, unknown> }): void {
    assert.equal(status, 200, JSON.stringify(body));
    assert.ok(Number(body['expires_in']) > 0);
    const { exp = 0, iat = 0 } = decodeJwt(String(body['id_token']));
    assert.ok(exp > iat && exp > Date.now() / 1000);
  }

  for (const [name, jumps] of [
    ['an hour forward and back', [HOUR, -HOUR]],
    ['an hour back and forward', [-HOUR, HOUR]],
  ] as const) {
    it(`makes nothing usable again that was used, ${name}, and warns at each jump`, async () => {
      using sweeper = sweep(service);
      await withMovingTime(async (pass) => {
        const code = await redemption();
        const redeemed = await postForm(party, '/token', code);
        assertLifetimes(redeemed);
        const first = refreshment(redeemed.body['refresh_token']);
        const refreshed = await postForm(party, '/token', first);
        assertLifetimes(refreshed);
        const seen = await assertion();
        assert.equal(await ask(seen), 200);
        const used = { code: await redemption(), refresh: refreshment(refreshed.body['refresh_token']) };
        assert.equal((await postForm(party, '/token', used.code)).status, 200);
        assert.equal((await postForm(party, '/token', used.refresh)).status, 200);

        for (const seconds of jumps) {
          pass(seconds);
          await sweeper.looksTwice();
          assert.equal(await ask(seen), 401, 'the assertion');
          const again = await postForm(party, '/token', await redemption());
          assertLifetimes(again);
          assertLifetimes(await postForm(party, '/token', refreshment(again.body['refresh_token'])));
        }
        for (const form of [used.code, code, used.refresh, first]) {
          assert.equal((await postForm(party, '/token', form)).status, 400);
        }
      });
      const warnings = sweeper.log.filter((line) => line.includes('the clock jumped'));
      assert.equal(warnings.length, 2);
    });
  }
});
