// The specification of the JWT issuer, command by command: as written but for host and port.
import assert from 'node:assert/strict';
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose';
import { type Platform, startPlatform } from '../support/platform.ts';
import { hasProgram, invokeRestMethod, shell } from './command-line.ts';

interface TokenResponse {
  token: string;
  access_token: string;
  token_type: string;
  expires_in: number;
}

const json = { 'Content-Type': 'application/json' };

for (const [setting, env, issuerOf] of [
  ['JWT_ISSUER is the URL', {}, ({ identity }: Platform) => identity],
  ['JWT_ISSUER=identity-backend', { JWT_ISSUER: 'identity-backend' }, () => 'identity-backend'],
] as const) {
  describe(`spec: endpoints and testing, ${setting}`, () => {
    let platform: Platform;
    let identity: string;
    let logging: string;

    before(async () => {
      platform = await startPlatform(env);
      ({ identity, logging } = platform);
    });
    after(() => platform[Symbol.asyncDispose]());

    const tokenByPowerShell = async (sub = 'careergpt-backend', aud = 'logging-service') =>
      (await invokeRestMethod({
        uri: `${identity}/token`,
        method: 'POST',
        headers: json,
        body: JSON.stringify({ sub, aud }),
      })) as TokenResponse;
    const verify = (token: string, aud = 'logging-service') =>
      fetch(`${identity}/verify`, { method: 'POST', headers: json, body: JSON.stringify({ token, aud }) });

    describe('by curl', () => {
      before(async function () {
        if (!(await hasProgram('curl'))) this.skip();
      });

      it('1. answers the health check with OK', async () => {
        assert.equal(await shell(`curl -X GET "${identity}/ping"`), 'OK');
      });

      it('2. generates a JWT', async () => {
        const command = `curl -X POST "${identity}/token"   -H "Content-Type: application/json"   -d '{"sub":"careergpt-backend","aud":"logging-service"}'`;
        const { token } = JSON.parse(await shell(command));
        assert.equal(decodeJwt(token).sub, 'careergpt-backend');
      });

      it('3. verifies a JWT', async () => {
        const { token } = await tokenByPowerShell();
        const command = `curl -X POST "${identity}/verify"   -H "Content-Type: application/json"   -d '{"token":"${token}","aud":"logging-service"}'`;
        assert.equal(JSON.parse(await shell(command)).valid, true);
      });
    });

    describe('by PowerShell', () => {
      it('1. answers the health check with OK', async () => {
        assert.equal(await invokeRestMethod({ uri: `${identity}/ping` }), 'OK');
      });

      it('2. generates a JWT with the claims that the services expect', async () => {
        const response = await tokenByPowerShell();
        const { iss, sub, aud, iat = 0, exp } = decodeJwt(response.token);
        assert.deepEqual(
          { iss, sub, aud },
          { iss: issuerOf(platform), sub: 'careergpt-backend', aud: 'logging-service' },
        );
        assert.equal(decodeProtectedHeader(response.token).alg, 'HS256');
        assert.equal(response.access_token, response.token);
        assert.equal(response.token_type, 'Bearer');
        assert.equal(response.expires_in, 15 * 60);
        assert.equal(exp, iat + 5 + 15 * 60, 'iat is back-dated by 5 seconds');
      });

      it('3. verifies a JWT', async () => {
        const { token } = await tokenByPowerShell();
        const verification = await invokeRestMethod({
          uri: `${identity}/verify`,
          method: 'POST',
          headers: json,
          body: JSON.stringify({ token, aud: 'logging-service' }),
        });
        assert.deepEqual(verification, { valid: true, claims: decodeJwt(token) });
      });

      it('4. and 5. generates a token, writes a log and reads it back', async () => {
        const { token } = await tokenByPowerShell();
        const headers = { Authorization: `Bearer ${token}`, ...json };
        const body =
          '{"service":"careergpt","level":"INFO","message":"Testing full flow write","context":{"user":"saad"}}';
        await invokeRestMethod({ uri: `${logging}/log`, method: 'POST', headers, body });
        const lines = await invokeRestMethod({
          uri: `${logging}/logs`,
          headers: { Authorization: `Bearer ${token}` },
        });
        const { service, level, message, context, sub } = (lines as Record<string, unknown>[]).at(-1) ?? {};
        assert.deepEqual({ service, level, message, context }, JSON.parse(body));
        assert.equal(sub, 'careergpt-backend');
      });
    });

    describe('common issues', () => {
      it('Invalid audience: the token is for another service', async () => {
        const { token } = await tokenByPowerShell();
        const answer = await verify(token, 'careergpt-service');
        const { valid, error, reason } = (await answer.json()) as Record<string, unknown>;
        assert.deepEqual([answer.status, valid, error, reason], [401, false, 'invalid_token', 'audience']);
      });

      it('an audience that nobody registered gets no token', async () => {
        await assert.rejects(tokenByPowerShell('careergpt-backend', 'unknown-service'), /403 .*invalid_target/);
      });

      for (const [issue, claims, reason, words] of [
        ['Expired token', { exp: Math.floor(Date.now() / 1000) - 3600 }, 'expired', /401 .*expired/],
        ['Invalid issuer', { iss: 'another-issuer' }, 'issuer', /401 .*iss/],
      ] as const) {
        it(`${issue}: both services say so`, async () => {
          const now = Math.floor(Date.now() / 1000);
          const token = await new SignJWT({
            iss: issuerOf(platform),
            sub: 'careergpt-backend',
            aud: 'logging-service',
            iat: now - 7200,
            exp: now + 60,
            ...claims,
          })
            .setProtectedHeader({ alg: 'HS256' })
            .sign(Buffer.from(platform.service.config.jwtSecrets[0] ?? ''));
          const answer = await verify(token);
          assert.equal(answer.status, 401);
          assert.equal(((await answer.json()) as Record<string, unknown>)['reason'], reason);
          const logs = { uri: `${logging}/logs`, headers: { Authorization: `Bearer ${token}` } };
          await assert.rejects(invokeRestMethod(logs), words);
        });
      }

      it('a forged token is refused without a reason', async () => {
        const { token } = await tokenByPowerShell();
        const [header, , signature] = token.split('.');
        const payload = Buffer.from(JSON.stringify({ ...decodeJwt(token), sub: 'somebody-else' })).toString(
          'base64url',
        );
        const forged = `${header}.${payload}.${signature}`;
        const answer = await verify(forged);
        assert.equal(answer.status, 401);
        assert.deepEqual(await answer.json(), { valid: false, error: 'invalid_token', reason: 'unverifiable' });
        await assert.rejects(
          invokeRestMethod({ uri: `${logging}/logs`, headers: { Authorization: `Bearer ${forged}` } }),
          /401/,
        );
      });
    });

    it('both services show the same fingerprint of their secret, and the same issuer', async () => {
      const [own, other] = (await Promise.all(
        [identity, logging].map((url) => invokeRestMethod({ uri: `${url}/debug-env` })),
      )) as [Record<string, unknown>, Record<string, unknown>];
      assert.deepEqual(own['JWT_SECRET_KEY'], other['JWT_SECRET_KEY']);
      assert.match(String(own['JWT_SECRET_KEY']), /^[0-9a-f]{8}$/);
      assert.equal(own['JWT_ISSUER'], issuerOf(platform));
      assert.equal(other['JWT_ISSUER'], issuerOf(platform));
      assert.equal(own['LOGGING_BACKEND_AUD'], other['LOGGING_BACKEND_AUD']);
    });
  });
}
