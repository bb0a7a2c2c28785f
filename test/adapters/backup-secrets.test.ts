// What a thief of the database, its log or a backup finds: no secret of a whole flow, in any spelling (R56, R57, R59).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createBackup } from '../../adapters/backup.ts';
import { openBackup } from '../../adapters/backup-restore.ts';
import {
  addRelyingParty,
  authorizationRequest,
  callbackOf,
  PASSWORD,
  postForm,
  type RelyingParty,
  redeem,
  signIn,
} from '../support/relying-party.ts';
import { codeOf, keyOn } from '../support/second-factors.ts';
import { type Service, startService } from '../support/service.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

type Remember = (members: Record<string, unknown>) => void;

describe('what is stored of a whole flow', () => {
  let service: Service;
  let database: string;
  let clientId: string;
  /** by what they are */
  const secrets = new Map<string, string>();

  before(async () => {
    service = await startService();
    assert.ok(service.config.database.engine === 'sqlite');
    database = service.config.database.path;
    const party = await addRelyingParty(service, {}, { 'logging-service': null });
    clientId = party.clientId;
    remember({ password: PASSWORD, 'client secret': party.secret });
    await rememberOurOwn(service, remember);
    await rememberFlows(party, remember);
    await rememberSecondFactor(party, remember);
    await service.store.sweep(1); // what is in the log goes to the database too, and stays in the log
  });
  after(() => service[Symbol.asyncDispose]());

  const remember: Remember = (members) => {
    for (const [name, value] of Object.entries(members)) {
      assert.ok(typeof value === 'string' && value.length >= 8, `${name} is a secret to look for: ${value}`);
      secrets.set(name, value);
    }
  };

  function assertNoSecret(place: string, bytes: Buffer): void {
    const text = bytes.toString('latin1');
    for (const [name, secret] of secrets) {
      for (const spelling of spellings(secret)) assert.ok(!text.includes(spelling), `${name} is in ${place}`);
    }
  }

  it('looks for everything that there was', () => {
    const kinds = [
      'code',
      'access token',
      'refresh token',
      'ID token',
      'state',
      'nonce',
      'PKCE',
      'session',
      'interaction',
    ];
    for (const kind of [
      ...kinds,
      'TOTP secret',
      'recovery code',
      'cookie',
      'password',
      'client secret',
      'ENCRYPTION_KEY',
      'RS256',
      'ES256',
      'EdDSA',
    ]) {
      assert.ok(
        [...secrets.keys()].some((name) => name.includes(kind)),
        kind,
      );
    }
    assert.ok(secrets.size > 60, String(secrets.size));
  });

  it('would find base64 wherever in a longer text it begins', () => {
    for (const before of ['', 'a', 'ab', 'abc']) {
      const hidden = Buffer.from(`${before}${PASSWORD}-and-more`).toString('base64url');
      assert.ok(spellings(PASSWORD).some((spelling) => hidden.includes(spelling)));
    }
  });

  for (const [name, suffix] of [
    ['the database', ''],
    ['its log', '-wal'],
    ['the index of its log', '-shm'],
  ] as const) {
    it(`holds no secret in ${name}`, () => {
      const bytes = readFileSync(database + suffix);
      assert.equal(bytes.includes(clientId), suffix !== '-shm', 'what is written plainly is there');
      assertNoSecret(name, bytes);
    });
  }

  it('holds no secret in a backup, nor in the database inside it', async () => {
    const file = `${database}.backup`;
    const { encryptionKeys } = service.config;
    const proof = { issuer: service.issuer, token: 'a.b.c' };
    const manifest = await createBackup({ database, file, encryptionKeys, clock: () => 1, proof });
    assert.ok(Number(manifest.rows['artifacts']) > 5);
    assertNoSecret('the backup', readFileSync(file));
    assert.ok(!readFileSync(file).includes(clientId), 'what is plain in the database is not plain in its backup');
    using restored = await openBackup({ file, database, encryptionKeys });
    assert.ok(readFileSync(restored.path).includes(clientId));
    assertNoSecret('the database inside the backup', readFileSync(restored.path));
  });
});

/** The keys that sign and the secrets of the environment. */
async function rememberOurOwn(service: Service, remember: Remember): Promise<void> {
  const { cookieSecrets, jwtSecrets, encryptionKeys } = service.config;
  remember({ COOKIE_SECRET: cookieSecrets[0], JWT_SECRET_KEY: jwtSecrets[0], ENCRYPTION_KEY: encryptionKeys[0] });
  const published = new Set(['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'alg', 'use']);
  for (const { kid, alg, jwk } of await service.store.keys.list()) {
    for (const [member, value] of Object.entries(JSON.parse(jwk))) {
      if (!published.has(member)) remember({ [`${member} of the ${alg} key ${kid}`]: value });
    }
  }
}

/** One flow to the end and on, one whose token is for an audience, and one whose code nobody has redeemed yet. */
async function rememberFlows(party: RelyingParty, remember: Remember): Promise<void> {
  for (const [round, scope, parameters] of [
    ['finished', 'openid profile offline_access', {}],
    ['for an audience', 'openid logs:write', { audience: 'logging-service' }],
    ['pending', 'openid', {}],
  ] as const) {
    const agent = createUserAgent(party.service.origin);
    const { url, checks } = await authorizationRequest(party, { scope, ...parameters });
    remember({
      [`state, ${round}`]: checks.expectedState,
      [`nonce, ${round}`]: checks.expectedNonce,
      [`PKCE verifier, ${round}`]: checks.pkceCodeVerifier,
    });
    const form = await agent.open(url.href);
    remember({ [`interaction id, ${round}`]: new URL(form.url).pathname.split('/').at(-1) });
    await rememberCookies(agent, `${round}, before`, remember);
    const callback = callbackOf(await signIn(agent, url));
    remember({ [`code, ${round}`]: callback.searchParams.get('code') });
    await rememberCookies(agent, `${round}, signed in`, remember);
    if (round === 'pending') continue;
    const tokens = await redeem(party, callback, checks, parameters);
    remember({ [`access token, ${round}`]: tokens.access_token, [`ID token, ${round}`]: tokens.id_token });
    if (tokens.refresh_token === undefined) continue;
    const { body } = await postForm(party, '/token', {
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token,
    });
    remember({
      'refresh token, used': tokens.refresh_token,
      'refresh token, fresh': body['refresh_token'],
      'access token, second': body['access_token'],
    });
  }
}

/** One that is enrolled, its codes being shown still, and one whose first code is awaited. */
async function rememberSecondFactor(party: RelyingParty, remember: Remember): Promise<void> {
  const { id } = await party.service.accounts.add({ username: 'bob', password: PASSWORD });
  await party.service.accounts.requireMfa(id, true);
  for (const round of ['awaited', 'enrolled']) {
    const agent = createUserAgent(party.service.origin);
    const page = await signIn(agent, (await authorizationRequest(party)).url, 'bob');
    const secret = keyOn(page);
    remember({ [`TOTP secret, ${round}`]: secret });
    if (round === 'awaited') continue;
    const codes = await agent.submit(page, { code: codeOf(secret) }, 'enrol');
    for (const [index, code] of codes.document.querySelectorAll('#recovery-codes code').entries()) {
      remember({
        [`recovery code ${index}`]: code.text,
        [`recovery code ${index}, bare`]: code.text.replaceAll('-', ''),
      });
    }
  }
}

async function rememberCookies(agent: UserAgent, when: string, remember: Remember): Promise<void> {
  const { cookies } = await agent.cookies.serialize();
  for (const { key, value } of cookies) {
    if (!value) continue; // one that has been cleared
    remember({ [`${/session$/.test(String(key)) ? 'session id in ' : ''}cookie ${key}, ${when}`]: value });
  }
}

/** As it is, as hexadecimal, percent-encoded, and as base64 wherever in a longer text it may begin. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const inner = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '');
    // the characters at both ends depend on the neighbours too
    return whole.slice(shift === 0 ? 0 : shift + 1, -1);
  });
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString('hex'),
    ...inner,
    ...inner.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}
