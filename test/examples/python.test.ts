// The Python samples as real processes: the Flask service and its client, beside tokens that are signed here.
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';

const python = process.env.PYTHON ?? 'python3';
const samples = join(import.meta.dirname, '../../examples/python');
const probe = spawnSync(python, ['-c', 'import flask, jwt, requests, cryptography'], { encoding: 'utf8' });
const missing = probe.status === 0 ? undefined : (probe.stderr?.trim().split('\n').at(-1) ?? `no ${python} here`);
const suite =
  missing === undefined
    ? 'examples: Python'
    : `examples: Python (skipped: ${missing}; PYTHON=path chooses an interpreter)`;

const secret = 'Ab3De6Gh9Jk2Mn5Pq8St1Vw4Yz7Bc0Ef';
const olderSecret = 'Zy9Xw8Vu7Ts6Rq5Po4Nm3Lk2Ji1Hg0Fe';
const sharedSecretIssuer = 'identity-backend';
const audience = 'logging-service';
const bytes = (value: string) => new TextEncoder().encode(value);
const now = () => Math.floor(Date.now() / 1000);

describe(suite, () => {
  let folder: string;
  let identity: Server;
  let issuer: string;
  let service: ChildProcess;
  let url: string;
  let tokenRequest: { authorization: string | undefined; form: URLSearchParams };
  let keys: Awaited<ReturnType<typeof generateKeyPair>>;

  const claims = (overrides: Record<string, unknown> = {}) => ({
    iss: sharedSecretIssuer,
    sub: 'careergpt-backend',
    aud: audience,
    iat: now(),
    exp: now() + 300,
    ...overrides,
  });
  const shared = (overrides = {}, key = secret, header = {}) =>
    new SignJWT(claims(overrides)).setProtectedHeader({ alg: 'HS256', ...header }).sign(bytes(key));
  const published = (overrides = {}, header = {}) =>
    new SignJWT(claims({ iss: issuer, ...overrides }))
      .setProtectedHeader({ alg: 'ES256', kid: 'es-1', typ: 'at+jwt', ...header })
      .sign(keys.privateKey);
  const call = (path: string, token: string, body?: unknown) =>
    fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  const line = { service: 'careergpt', level: 'INFO', message: 'Log test', context: { user: 'alice' } };

  /** Stands for the identity service: its keys, and a token endpoint that remembers how it was asked. */
  async function startIdentity(): Promise<void> {
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'es-1', alg: 'ES256', use: 'sig' };
    identity = createServer(async (request, response) => {
      response.setHeader('Content-Type', 'application/json');
      if (request.url === '/jwks') return response.end(JSON.stringify({ keys: [jwk] }));
      tokenRequest = { authorization: request.headers.authorization, form: new URLSearchParams(await text(request)) };
      return response.end(JSON.stringify({ access_token: await published(), token_type: 'Bearer', expires_in: 300 }));
    }).listen(0, '127.0.0.1');
    await once(identity, 'listening');
    issuer = `http://127.0.0.1:${(identity.address() as AddressInfo).port}`;
  }

  async function startService(): Promise<void> {
    service = spawn(python, ['-u', '-B', join(samples, 'logging_service.py')], {
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        JWT_SECRET_KEY: `${secret},${olderSecret}`,
        JWT_ISSUER: sharedSecretIssuer,
        JWKS_URI: `${issuer}/jwks`,
        ISSUER: issuer,
        DATABASE_PATH: join(folder, 'logs.db'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    url = await new Promise((resolve, reject) => {
      let output = '';
      service.stderr?.on('data', (chunk) => {
        output += chunk;
        const found = /Running on (http:\S+)/.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      });
      service.once('exit', () => reject(new Error(`the service did not start: ${output}`)));
    });
  }

  before(async function () {
    if (missing !== undefined) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'python-samples-'));
    keys = await generateKeyPair('ES256', { extractable: true });
    await startIdentity();
    await startService();
  });

  after(async () => {
    if (missing !== undefined) return;
    service.kill();
    await once(service, 'exit');
    identity.close();
    rmSync(folder, { recursive: true });
  });

  const accepted: [string, () => Promise<string>][] = [
    ['a token signed with the shared secret', () => shared()],
    ['an older shared secret that is still listed', () => shared({}, olderSecret)],
    ['a token signed with a published key', () => published()],
  ];
  for (const [name, token] of accepted) {
    it(`the service accepts ${name}, stores the line and gives it back`, async () => {
      const written = await call('/log', await token(), { ...line, message: name });
      assert.equal(written.status, 200);
      assert.equal(((await written.json()) as { status: string }).status, 'ok');
      const [last] = (await (await call('/logs?limit=1', await token())).json()) as Record<string, unknown>[];
      assert.equal(last?.message, name);
      assert.deepEqual(last?.context, line.context);
      assert.equal(last?.sub, 'careergpt-backend');
    });
  }

  const refused: [string, () => Promise<string> | string][] = [
    ['another audience', () => shared({ aud: 'careergpt' })],
    ['another issuer', () => shared({ iss: 'someone-else' })],
    ['an expired token', () => shared({ exp: now() - 60 })],
    ['a token without an expiry', () => shared({ exp: undefined })],
    ['another secret', () => shared({}, 'Qq1Ww2Ee3Rr4Tt5Yy6Uu7Ii8Oo9Pp0Aa')],
    ['a logout token', () => shared({}, secret, { typ: 'logout+jwt' })],
    ['a type that is no string', () => shared({}, secret, { typ: ['JWT'] })],
    ['an ID token', () => published({}, { typ: 'JWT' })],
    ['a published key under the shared-secret issuer', () => published({ iss: sharedSecretIssuer })],
    ['a key that nobody published', () => published({}, { kid: 'es-2' })],
    ['HS256 keyed with the public key', async () => shared({}, await exportSPKI(keys.publicKey))],
    ['alg none', () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`],
    ['no JWT at all', () => 'abc'],
  ];
  for (const [name, token] of refused) {
    it(`the service refuses ${name} with 401 and a challenge`, async () => {
      const response = await call('/log', await token(), line);
      assert.equal(response.status, 401);
      assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer realm="logging", error="invalid_token"/);
    });
  }

  it('the service asks for a token without naming an error when there is none (RFC 6750 §3.1)', async () => {
    const response = await fetch(`${url}/logs`);
    assert.equal(response.status, 401);
    assert.match(response.headers.get('www-authenticate') ?? '', /^Bearer realm="logging"$/);
  });

  it('the service holds a token to its scopes', async () => {
    assert.equal((await call('/log', await shared({ scope: 'logs:write' }), line)).status, 200);
    const response = await call('/logs', await shared({ scope: 'logs:write' }));
    assert.equal(response.status, 403);
    assert.match(response.headers.get('www-authenticate') ?? '', /error="insufficient_scope", scope="logs:read"/);
  });

  const bodies: [string, unknown, number][] = [
    ['malformed JSON', '{"service":', 400],
    ['a body that is no object', [], 400],
    ['an unknown level', { ...line, level: 'LOUD' }, 400],
    ['a body over 64 KiB', { ...line, message: 'x'.repeat(64 * 1024) }, 413],
  ];
  for (const [name, body, status] of bodies) {
    it(`the service refuses ${name} with ${status}`, async () => {
      const response = await call('/log', await shared(), body);
      assert.equal(response.status, status);
      assert.equal(((await response.json()) as { error: string }).error, 'invalid_request');
    });
  }

  it('the service answers GET /ping with OK', async () => {
    assert.equal(await (await fetch(`${url}/ping`)).text(), 'OK');
  });

  const runClient = async (args: string[], env: Record<string, string>) =>
    (
      await promisify(execFile)(python, ['-B', join(samples, 'client.py'), ...args], {
        env: { PATH: process.env.PATH, LOGGING_URL: url, ...env },
      })
    ).stdout;

  it('the client signs its own token with the shared secret, writes a line and reads it back', async () => {
    const env = { JWT_SECRET_KEY: secret, JWT_ISSUER: sharedSecretIssuer };
    assert.match(await runClient(['--sign', 'signed by itself'], env), /INFO python-worker signed by itself\n$/);
  });

  it('the client gets a token with its credentials, form-encoded in Basic (RFC 6749 §2.3.1, §4.4)', async () => {
    const env = { ISSUER: issuer, CLIENT_ID: 'python-worker', CLIENT_SECRET: 'a+b/c' };
    assert.match(await runClient(['by credentials'], env), /INFO python-worker by credentials\n$/);
    assert.equal(tokenRequest.authorization, `Basic ${Buffer.from('python-worker:a%2Bb%2Fc').toString('base64')}`);
    assert.deepEqual(Object.fromEntries(tokenRequest.form), { grant_type: 'client_credentials', audience });
  });
});
