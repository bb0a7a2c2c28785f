// The stories of those who present the same thing at the same moment, or use a token while it is taken away.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createClientRegistry } from '../../src/clients/registration.ts';
import type { Store } from '../../src/store.ts';
import type { Fleet } from './support/deployment.ts';
import { assertBalance } from './support/ledger.ts';
import { createRelyingAgent, type RelyingAgent, redemption, refreshment, tokensOf } from './support/relying-agent.ts';
import { type Answer, createConnections, type Request, sendTogether } from './support/requests.ts';

/** How many present the same thing. */
export const RUNNERS = 50;

export interface RaceResult {
  requests: number;
  /** rounds in which nobody won */
  withoutWinner: number;
  /** rounds in which more than one won */
  doubles: number;
}

/** An agent that asks the processes of the fleet in turn. */
export function createFleetAgent({ origins }: Fleet): RelyingAgent {
  let asked = 0;
  return createRelyingAgent(() => {
    asked += 1;
    return String(origins[asked % origins.length]);
  });
}

/**
 * Rounds of 50 simultaneous redemptions of one code or refresh token, spread over the processes. Losers are refused as
 * RFC 6749 §5.2 says; after each round nothing of the family is alive: not the winner's tokens, and no row of it.
 */
export async function raceRedemptions(
  fleet: Fleet,
  prize: 'code' | 'refresh token',
  rounds: number,
): Promise<RaceResult> {
  using agent = createFleetAgent(fleet);
  await agent.signIn();
  const result = { requests: 0, withoutWinner: 0, doubles: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const code = await agent.code();
    const form = prize === 'code' ? redemption(code) : refreshment(tokensOf(await agent.redeem(code)).refreshToken);
    const answers = await agent.tokenTogether(spread(fleet), form);
    const winners = count(result, answers);
    for (const answer of answers) if (!winners.includes(answer)) assertInvalidGrant(answer);
    for (const winner of winners) await assertDead(agent, winner);
  }
  assertBalance(await fleet.deployment.database.inspect());
  return result;
}

/** Rounds of a refresh beside a revocation: once both have answered, no token of the family works. */
export async function raceRevocation(fleet: Fleet, rounds: number): Promise<void> {
  using agent = createFleetAgent(fleet);
  await agent.signIn();
  for (let round = 0; round < rounds; round += 1) {
    const first = await agent.redeem(await agent.code());
    const { accessToken, refreshToken } = tokensOf(first);
    const [refreshed, revoked] = await Promise.all([
      agent.refresh(refreshToken),
      agent.revoke(round % 2 === 0 ? refreshToken : accessToken),
    ]);
    assert.equal(revoked.status, 200, revoked.text);
    if (refreshed.status !== 200) assertInvalidGrant(refreshed);
    for (const answer of [first, refreshed]) if (answer.status === 200) await assertDead(agent, answer);
  }
  assertBalance(await fleet.deployment.database.inspect());
}

/** Rounds of a chain of refreshes, as quick as it goes, until a logout ends it: no token that it gave works then. */
export async function raceLogout(fleet: Fleet, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    using agent = createFleetAgent(fleet);
    await agent.signIn();
    const answers = [await agent.redeem(await agent.code())];
    const chain = (async () => {
      for (;;) {
        const answer = await agent.refresh(tokensOf(answers.at(-1) as Answer).refreshToken);
        if (answer.status !== 200) return assertInvalidGrant(answer);
        answers.push(answer);
      }
    })();
    assert.equal((await agent.logOut()).status, 200);
    await chain;
    for (const answer of answers.slice(-3)) await assertDead(agent, answer);
  }
  assertBalance(await fleet.deployment.database.inspect());
}

/** A client that signs what it sends, and the two ways to do so. */
export interface SigningClient {
  /** to be registered before the fleet starts */
  register(store: Store): Promise<void>;
  request(kind: 'client assertion' | 'DPoP proof', issuer: string): Promise<Request>;
}

export async function createSigningClient(): Promise<SigningClient> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const key = { ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'sig', alg: 'ES256' };
  const form = { grant_type: 'client_credentials', audience: 'logging-service' };
  return {
    async register({ clients }) {
      const registry = createClientRegistry({ clients, builtIn: [], clock: () => Math.floor(Date.now() / 1000) });
      await registry.add({
        clientId: 'signer',
        metadata: {
          grant_types: ['client_credentials'],
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: { keys: [key] },
        },
        audiences: { 'logging-service': null },
      });
    },
    async request(kind, issuer) {
      const assertion = () => signAssertion(privateKey, key.kid, issuer);
      if (kind === 'client assertion') return { form: { ...form, ...(await assertion()) } };
      const proof = await new SignJWT({ htm: 'POST', htu: `${issuer}/token`, jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(privateKey);
      return { form: { ...form, ...(await assertion()) }, headers: { dpop: proof } };
    },
  };
}

async function signAssertion(key: CryptoKey, kid: string, issuer: string): Promise<Record<string, string>> {
  const assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid })
    .setIssuer('signer')
    .setSubject('signer')
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(key);
  return {
    client_id: 'signer',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  };
}

/** How the losers are refused (RFC 6749 §5.2, RFC 9449 §5). */
const REPLAYED = {
  'client assertion': { status: 401, error: 'invalid_client' },
  'DPoP proof': { status: 400, error: 'invalid_dpop_proof' },
};

/**
 * Rounds of one signed statement that is presented 50 times at once (RFC 7523 §3, RFC 9449 §11.1). A DPoP proof is
 * presented each time with another client assertion, so that it alone is the same.
 */
export async function raceReplays(
  fleet: Fleet,
  { request }: SigningClient,
  kind: 'client assertion' | 'DPoP proof',
  rounds: number,
): Promise<RaceResult> {
  const connections = createConnections();
  const issuer = String(fleet.deployment.env['PUBLIC_URL']);
  const result = { requests: 0, withoutWinner: 0, doubles: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const same = await request(kind, issuer);
    const requests = await Promise.all(
      spread(fleet).map(async (origin): Promise<[string, Request]> => {
        const { form } = kind === 'DPoP proof' ? await request('client assertion', issuer) : same;
        return [`${origin}/token`, { ...same, ...(form && { form }) }];
      }),
    );
    const answers = await sendTogether(requests, connections);
    const winners = count(result, answers);
    for (const answer of answers) {
      if (winners.includes(answer)) continue;
      const { status, body, text } = answer;
      assert.deepEqual({ status, error: body['error'] }, REPLAYED[kind], text);
      assertNoToken(answer);
    }
  }
  connections.destroy();
  return result;
}

function spread({ origins }: Fleet): string[] {
  return Array.from({ length: RUNNERS }, (_, n) => String(origins[n % origins.length]));
}

function count(result: RaceResult, answers: readonly Answer[]): Answer[] {
  const winners = answers.filter(({ status }) => status === 200);
  result.requests += answers.length;
  if (winners.length === 0) result.withoutWinner += 1;
  if (winners.length > 1) result.doubles += 1;
  return winners;
}

/** The refusal of RFC 6749 §5.2, without a token in it. */
export function assertInvalidGrant(answer: Answer): void {
  const { status, headers, body, text } = answer;
  assert.deepEqual({ status, error: body['error'] }, { status: 400, error: 'invalid_grant' }, text);
  assert.equal(headers['cache-control'], 'no-store');
  assertNoToken(answer);
}

/** No answer but a success may hold a token. */
export function assertNoToken({ text }: Answer): void {
  assert.doesNotMatch(text, /"(access|refresh|id)_token"/);
}

/** Neither token of the answer is good for anything. */
export async function assertDead(agent: RelyingAgent, answer: Answer): Promise<void> {
  const { accessToken, refreshToken } = tokensOf(answer);
  assert.equal((await agent.userinfo(accessToken)).status, 401);
  for (const token of [accessToken, refreshToken]) {
    assert.deepEqual((await agent.introspect(token)).body, { active: false });
  }
  assertInvalidGrant(await agent.refresh(refreshToken));
}
