// The sample logging back end over HTTP: whom it believes, what it stores, what it refuses.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, exportSPKI, type GenerateKeyPairResult, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { type LoggingBackendConfig, parseLoggingBackendConfig } from '../../examples/logging-backend/config.ts';
import { secretFingerprint } from '../../examples/logging-backend/secret-fingerprint.ts';
import { startLoggingBackend } from '../../examples/logging-backend/server.ts';

const currentSecret = 'J1x0pQv7Zk3mTt9yWc5rBn8sLd2fGh6a';
const previousSecret = 'm4Yw8Ee2Uu6Ii0Oo5Pp9Aa3Ss7Dd1Ff6';
const foreignSecret = 'Xx2Cc6Vv0Bb4Nn8Mm3Ll7Kk1Jj5Hh9Gg';
const sharedSecretIssuer = 'identity-backend';
const audience = 'logging-service';
const line = { service: 'careergpt', level: 'INFO', message: 'Log test', context: { user: 'alice' } };

const bytes = (secret: string) => new TextEncoder().encode(secret);
const now = () => Math.floor(Date.now() / 1000);

describe('examples: logging back end', () => {
  let folder: string;
  let provider: Server;
  let issuer: string;
  let backend: Awaited<ReturnType<typeof startLoggingBackend>>;
  let config: LoggingBackendConfig;
  const pairs = new Map<string, GenerateKeyPairResult>();

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'logging-backend-'));
    for (const alg of ['ES256', 'EdDSA', 'RS256', 'PS256']) {
      pairs.set(alg, await generateKeyPair(alg, { extractable: true }));
    }
    const keys = await Promise.all(
      [...pairs].map(async ([alg, pair]) => ({
        ...(await exportJWK(pair.publicKey)),
        kid: `${alg}-1`,
        alg,
        use: 'sig',
      })),
    );
    provider = createServer((request, response) => {
      const metadata = { issuer, jwks_uri: `${issuer}/jwks` };
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(request.url === '/jwks' ? { keys } : metadata));
    });
    provider.listen(0, '127.0.0.1');
    await once(provider, 'listening');
    issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    config = {
      audience,
      shared: { secrets: [currentSecret, previousSecret], issuer: sharedSecretIssuer },
      provider: { issuer },
      databasePath: join(folder, 'logs.db'),
      development: true,
      host: '127.0.0.1',
      port: 0,
    };
    backend = await startLoggingBackend(config);
  });

  after(async () => {
    await backend.close();
    provider.close();
    rmSync(folder, { recursive: true });
  });

  const claims = (overrides: Record<string, unknown> = {}): JWTPayload => ({
    iss: sharedSecretIssuer,
    sub: 'careergpt-backend',
    aud: audience,
    iat: now(),
    exp: now() + 900,
    ...overrides,
  });

  const sharedToken = (overrides: Record<string, unknown> = {}, secret = currentSecret, typ?: string) =>
    new SignJWT(claims(overrides)).setProtectedHeader({ alg: 'HS256', ...(typ && { typ }) }).sign(bytes(secret));

  const providerToken = (
    alg: string,
    overrides: Record<string, unknown> = {},
    header: { typ?: string; kid?: string } = {},
  ) =>
    new SignJWT(claims({ iss: issuer, ...overrides }))
      .setProtectedHeader({ alg, kid: `${alg}-1`, typ: 'at+jwt', ...header })
      .sign((pairs.get(alg) as GenerateKeyPairResult).privateKey);

  const writeLog = (token: string, body: string = JSON.stringify(line), type = 'application/json') =>
    fetch(`${backend.url}/log`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': type },
      body,
    });

  const readLogs = (token: string, query = '') =>
    fetch(`${backend.url}/logs${query}`, { headers: { Authorization: `Bearer ${token}` } });

  describe('accepts', () => {
    const accepted: [string, () => Promise<string>][] = [
      ['a token that a service signed itself with the shared secret', () => sharedToken()],
      ['an older shared secret that is still listed', () => sharedToken({}, previousSecret)],
      ['a shared-secret token of type JWT', () => sharedToken({}, currentSecret, 'JWT')],
      ['a shared-secret token of type at+jwt', () => sharedToken({}, currentSecret, 'at+jwt')],
      ['a list of audiences that names it', () => sharedToken({ aud: ['careergpt', audience] })],
      ['a token that expired within the tolerance', () => sharedToken({ exp: now() - 5 })],
      ...['ES256', 'EdDSA', 'RS256', 'PS256'].map((alg): [string, () => Promise<string>] => [
        `${alg} with a key that the discovered provider publishes`,
        () => providerToken(alg),
      ]),
    ];
    for (const [name, token] of accepted) {
      it(name, async () => {
        const response = await writeLog(await token());
        assert.equal(response.status, 200);
        assert.equal(((await response.json()) as { status: string }).status, 'ok');
      });
    }
  });

  describe('refuses with 401 and a challenge (RFC 6750 §3)', () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = (alg: string) => `${encode({ alg })}.${encode(claims())}.`;
    const refused: [string, () => Promise<string> | string, RegExp][] = [
      ['a token for another audience', () => sharedToken({ aud: 'careergpt' }), /'aud'/],
      ['a token of another issuer', () => sharedToken({ iss: 'someone-else' }), /'iss'/],
      ['an expired token', () => sharedToken({ exp: now() - 60 }), /has expired/],
      ['a token that is not valid yet', () => sharedToken({ nbf: now() + 60 }), /'nbf'/],
      ['a token without an expiry', () => sharedToken({ exp: undefined }), /'exp'/],
      ['an expiry beyond all integers', () => sharedToken({ exp: 1e300 }), /no usable expiry/],
      ['a token without a subject', () => sharedToken({ sub: undefined }), /'sub'/],
      ['a scope that is no string', () => sharedToken({ scope: ['logs:write'] }), /no usable scope/],
      ['another secret', () => sharedToken({}, foreignSecret), /cannot be verified/],
      ['a logout token', () => sharedToken({}, currentSecret, 'logout+jwt'), /not an access token/],
      ['alg none', () => unsigned('none'), /cannot be verified/],
      ['alg NONE', () => unsigned('NONE'), /cannot be verified/],
      ['no JWT at all', () => 'abc', /cannot be verified/],
      ['an ID token', () => providerToken('RS256', {}, { typ: 'JWT' }), /'typ'/],
      [
        'a provider token under the shared-secret issuer',
        () => providerToken('ES256', { iss: sharedSecretIssuer }),
        /'iss'/,
      ],
      ['a provider token for another audience', () => providerToken('ES256', { aud: 'careergpt' }), /'aud'/],
      ['a key that nobody published', () => providerToken('ES256', {}, { kid: 'unknown' }), /cannot be verified/],
      [
        'HS256 keyed with the published public key (RFC 8725 §2.1)',
        async () => sharedToken({}, await exportSPKI((pairs.get('RS256') as GenerateKeyPairResult).publicKey)),
        /cannot be verified/,
      ],
      [
        'another key under a published kid',
        async () =>
          new SignJWT(claims({ iss: issuer }))
            .setProtectedHeader({ alg: 'ES256', kid: 'ES256-1', typ: 'at+jwt' })
            .sign((await generateKeyPair('ES256')).privateKey),
        /cannot be verified/,
      ],
    ];
    for (const [name, token, description] of refused) {
      it(name, async () => {
        const response = await writeLog(await token());
        assert.equal(response.status, 401);
        const wanted = response.headers.get('www-authenticate') ?? '';
        assert.match(wanted, /^Bearer realm="logging", error="invalid_token", error_description="[^"]+"$/);
        assert.match(wanted, description);
      });
    }

    for (const path of ['/log', '/logs']) {
      it(`a request for ${path} without a token, and names no error`, async () => {
        const response = await fetch(backend.url + path, { method: path === '/log' ? 'POST' : 'GET' });
        assert.equal(response.status, 401);
        assert.equal(response.headers.get('www-authenticate'), 'Bearer realm="logging"');
      });
    }
  });

  describe('refuses a body', () => {
    const deep = `${'{"a":'.repeat(20)}1${'}'.repeat(20)}`;
    const refused: [string, string, number, string?][] = [
      ['that is malformed JSON', '{"service":', 400],
      ['that is not an object', '[]', 400],
      ['without a service', JSON.stringify({ ...line, service: undefined }), 400],
      ['with an unknown level', JSON.stringify({ ...line, level: 'LOUD' }), 400],
      ['without a message', JSON.stringify({ ...line, message: undefined }), 400],
      ['with a context that is no object', JSON.stringify({ ...line, context: 'alice' }), 400],
      ['with a context nested too deep', JSON.stringify({ ...line, context: JSON.parse(deep) }), 400],
      ['with a member __proto__', '{"service":"a","level":"INFO","message":"b","context":{"__proto__":{}}}', 400],
      ['over 64 KiB', JSON.stringify({ ...line, message: 'x'.repeat(64 * 1024) }), 413],
      ['sent as a form', 'service=careergpt', 415, 'application/x-www-form-urlencoded'],
      ['sent as text', JSON.stringify(line), 415, 'text/plain'],
    ];
    for (const [name, body, status, type] of refused) {
      it(`${name} with ${status}`, async () => {
        const response = await writeLog(await sharedToken(), body, type);
        assert.equal(response.status, status);
        assert.equal(((await response.json()) as { error: string }).error, 'invalid_request');
      });
    }
  });

  describe('scopes', () => {
    const rules: [string, string | undefined, number, number][] = [
      ['a token without a scope member does both', undefined, 200, 200],
      ['logs:write writes only', 'logs:write', 200, 403],
      ['logs:read reads only', 'logs:read', 403, 200],
      ['both scopes do both', 'logs:write logs:read', 200, 200],
      ['an empty scope does nothing', '', 403, 403],
      ['a longer word is another scope', 'logs:writes xlogs:read', 403, 403],
    ];
    for (const [name, scope, write, read] of rules) {
      it(name, async () => {
        const token = await sharedToken(scope === undefined ? {} : { scope });
        assert.equal((await writeLog(token)).status, write);
        assert.equal((await readLogs(token)).status, read);
      });
    }

    it('a refusal names the missing scope (RFC 6750 §3.1)', async () => {
      const response = await readLogs(await sharedToken({ scope: 'logs:write' }));
      assert.match(response.headers.get('www-authenticate') ?? '', /error="insufficient_scope", scope="logs:read"/);
    });
  });

  describe('GET /logs', () => {
    it('gives lines back as they were written, with their author, newest last', async () => {
      const token = await sharedToken({ sub: 'reader-of-its-own-lines' });
      await writeLog(token, JSON.stringify({ ...line, message: 'first' }));
      await writeLog(token, JSON.stringify({ ...line, level: 'warning', message: 'second' }));
      const [first, second] = (await (await readLogs(token, '?limit=2')).json()) as Record<string, unknown>[];
      assert.deepEqual(Object.keys(second ?? {}), [
        'id',
        'service',
        'level',
        'message',
        'context',
        'sub',
        'created_at',
      ]);
      assert.equal(first?.message, 'first');
      assert.equal(second?.message, 'second');
      assert.equal(second?.level, 'WARNING');
      assert.deepEqual(second?.context, line.context);
      assert.equal(second?.sub, 'reader-of-its-own-lines');
      assert.ok(Math.abs(Date.parse(String(second?.created_at)) - Date.now()) < 60_000);
    });

    for (const limit of ['0', '1001', '-1', 'many', '1&limit=2']) {
      it(`refuses limit=${limit}`, async () => {
        assert.equal((await readLogs(await sharedToken(), `?limit=${limit}`)).status, 400);
      });
    }

    it('finds the lines when the same file is opened again', async () => {
      const token = await sharedToken();
      await writeLog(token, JSON.stringify({ ...line, message: 'before reopening' }));
      const reopened = await startLoggingBackend(config);
      const response = await fetch(`${reopened.url}/logs?limit=1`, { headers: { Authorization: `Bearer ${token}` } });
      const [last] = (await response.json()) as { message: string }[];
      await reopened.close();
      assert.equal(last?.message, 'before reopening');
    });
  });

  it('answers 503 while the keys of the provider cannot be fetched', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const jwksUri = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/jwks`;
    closed.close();
    const lonely = await startLoggingBackend({ ...config, provider: { issuer, jwksUri } });
    const response = await fetch(`${lonely.url}/logs`, {
      headers: { Authorization: `Bearer ${await providerToken('ES256')}` },
    });
    await lonely.close();
    assert.equal(response.status, 503);
    assert.ok(response.headers.has('retry-after'));
  });

  it('does not take keys from metadata that speaks for another issuer (OpenID Connect Discovery §4.3)', async () => {
    const other = `${issuer}/other`;
    const deceived = await startLoggingBackend({ ...config, provider: { issuer: other } });
    const response = await fetch(`${deceived.url}/logs`, {
      headers: { Authorization: `Bearer ${await providerToken('ES256', { iss: other })}` },
    });
    await deceived.close();
    assert.equal(response.status, 503);
  });

  it('answers GET /ping with OK', async () => {
    const response = await fetch(`${backend.url}/ping`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    assert.equal(await response.text(), 'OK');
  });

  it('keeps its lines where nobody else on the machine can read them', () => {
    for (const file of ['logs.db', 'logs.db-wal', 'logs.db-shm']) {
      assert.equal((statSync(join(folder, file)).mode & 0o777).toString(8), '600', file);
    }
  });

  it('shows fingerprints of its secrets at /debug-env, never a secret', async () => {
    const text = await (await fetch(`${backend.url}/debug-env`)).text();
    const { JWT_SECRET_KEY: fingerprints } = JSON.parse(text);
    assert.deepEqual(fingerprints, [secretFingerprint(currentSecret), secretFingerprint(previousSecret)]);
    assert.match(String(fingerprints[0]), /^[0-9a-f]{8}$/);
    assert.ok(!text.includes(currentSecret) && !text.includes(previousSecret));
  });

  it('has no /debug-env outside development', async () => {
    const production = await startLoggingBackend({ ...config, development: false });
    const response = await fetch(`${production.url}/debug-env`);
    await production.close();
    assert.equal(response.status, 404);
  });

  it('computes fingerprints that other services can compare', () => {
    // printf %s SECRET | openssl dgst -sha256 -hmac 'identity-backend debug-env fingerprint v1'
    assert.equal(secretFingerprint('0123456789abcdef0123456789abcdef'), '2d9aa46e');
  });

  describe('as a process', () => {
    const entry = join(import.meta.dirname, '../../examples/logging-backend/server.ts');

    it('listens, and ends cleanly at SIGTERM', async () => {
      const env = {
        PORT: '0',
        DATABASE_PATH: join(folder, 'process.db'),
        JWT_SECRET_KEY: currentSecret,
        JWT_ISSUER: 'i',
      };
      const child = spawn(process.execPath, [entry], { env });
      const [greeting] = await once(child.stdout, 'data');
      const url = /listening on (\S+)/.exec(String(greeting))?.[1];
      assert.equal(await (await fetch(`${url}/ping`)).text(), 'OK');
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
    });
  });

  describe('refuses the configuration', () => {
    const refused: [string, Record<string, string>, RegExp][] = [
      ['without any key', {}, /JWT_SECRET_KEY or ISSUER/],
      ['with a short secret', { JWT_SECRET_KEY: `${currentSecret},short-one`, JWT_ISSUER: 'i' }, /JWT_SECRET_KEY/],
      ['with a secret but no issuer', { JWT_SECRET_KEY: currentSecret }, /JWT_ISSUER/],
      ['with keys but no issuer', { JWKS_URI: 'https://idp.example/jwks' }, /ISSUER/],
      ['with a port out of range', { JWT_SECRET_KEY: currentSecret, JWT_ISSUER: 'i', PORT: '70000' }, /PORT/],
    ];
    for (const [name, env, problem] of refused) {
      it(`${name}, without showing a secret`, () => {
        assert.throws(
          () => parseLoggingBackendConfig(env),
          (error: Error) => {
            assert.match(error.message, problem);
            assert.ok(!error.message.includes(currentSecret) && !error.message.includes('short-one'));
            return true;
          },
        );
      });
    }

    it('unless it has all it needs, and takes a URL in JWT_ISSUER for the OpenID Provider too', () => {
      const parsed = parseLoggingBackendConfig({ JWT_SECRET_KEY: currentSecret, JWT_ISSUER: 'https://idp.example' });
      assert.deepEqual(parsed.provider, { issuer: 'https://idp.example' });
      assert.equal(parsed.audience, 'logging-service');
      assert.equal(parsed.port, 5001);
      assert.equal(parsed.development, false);
    });
  });
});
