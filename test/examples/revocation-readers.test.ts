// The readers of the revocation feed, beside a running service that revokes tokens.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createRevocationReader } from '../../examples/revocation/reader.ts';
import { addRelyingParty, postForm, type RelyingParty } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';
import { withMovingTime } from '../support/time.ts';

const AUDIENCE = 'reports';
const python = process.env['PYTHON'] ?? 'python3';
const probe = spawnSync(python, ['-c', 'import jwt, requests, cryptography'], { encoding: 'utf8' });
const missing = probe.status === 0 ? undefined : (probe.stderr?.trim().split('\n').at(-1) ?? `no ${python} here`);

/** Answers each line, a `jti`, by what `is_revoked` gives; an empty line lets six seconds pass first. */
const DRIVER = `
import sys, time
sys.path.insert(0, sys.argv[1])
from reader import RevocationReader
reader, real, passed = RevocationReader(sys.argv[2]), time.time, 0
time.time = lambda: real() + passed
for line in sys.stdin:
    if not line.strip():
        passed += 6
        continue
    try:
        print(reader.is_revoked(line.strip()), flush=True)
    except RuntimeError as error:
        print(error, flush=True)
`;

describe('examples: readers of the revocation feed', () => {
  let service: Service;
  let party: RelyingParty;
  before(async () => {
    service = await startService();
    await service.resourceServers.add({ audience: AUDIENCE, scope: '', alg: 'ES256' });
    const metadata = { grant_types: ['client_credentials'], redirect_uris: [] };
    party = await addRelyingParty(service, metadata, { [AUDIENCE]: null });
  });
  after(() => service[Symbol.asyncDispose]());

  async function issue(): Promise<{ jti: string; revoke: () => Promise<unknown> }> {
    const { body } = await postForm(party, '/token', { grant_type: 'client_credentials' });
    const token = String(body['access_token']);
    const { jti } = JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString());
    return { jti, revoke: () => postForm(party, '/revoke', { token }) };
  }

  it('in Node: tells revoked tokens from good ones, five seconds later at most', async () => {
    const isRevoked = createRevocationReader(service.issuer);
    const [revoked, good] = [await issue(), await issue()];
    assert.deepEqual(await Promise.all([isRevoked(revoked.jti), isRevoked(good.jti)]), [false, false]);
    await revoked.revoke();
    await withMovingTime(async (pass) => {
      pass(6);
      assert.deepEqual([await isRevoked(revoked.jti), await isRevoked(good.jti)], [true, false]);
    });
  });

  it('in Node: relies on the list for five minutes when the issuer is gone, then says so', async () => {
    const gone = await startService();
    const isRevoked = createRevocationReader(gone.issuer);
    assert.equal(await isRevoked('any'), false);
    await gone[Symbol.asyncDispose]();
    await withMovingTime(async (pass) => {
      pass(290);
      assert.equal(await isRevoked('any'), false);
      pass(15);
      await assert.rejects(isRevoked('any'), /cannot be read/);
    });
    await assert.rejects(createRevocationReader(gone.issuer)('any'), /cannot be read/);
  });

  const forgeries: [name: string, typ: string, claims: Record<string, unknown>, error: RegExp | undefined][] = [
    ['a list that is cut short', 'revocations+jwt', { complete: false }, /cut short/],
    ['another kind of token', 'at+jwt', {}, /cannot be read/],
    ['a feed of another issuer', 'revocations+jwt', { iss: 'https://other.example' }, /cannot be read/],
    ['a feed without an end', 'revocations+jwt', { exp: undefined }, /cannot be read/],
    ['a feed that is over', 'revocations+jwt', { exp: 1 }, /cannot be read/],
    ['nothing of these', 'revocations+jwt', {}, undefined],
  ];
  for (const [name, typ, claims, error] of forgeries) {
    it(`in Node: ${error ? 'refuses to decide by' : 'decides when it is'} ${name}`, async () => {
      const { privateKey, publicKey } = await generateKeyPair('ES256');
      const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] };
      let jwt = '';
      const server = createServer((request, response) => {
        const isFeed = request.url === '/revocations';
        response.setHeader('content-type', isFeed ? 'application/revocations+jwt' : 'application/json');
        response.end(isFeed ? jwt : JSON.stringify(jwks));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const iss = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const exp = Math.floor(Date.now() / 1000) + 300;
      jwt = await new SignJWT({ iss, exp, complete: true, revoked: [], ...claims })
        .setProtectedHeader({ alg: 'ES256', typ, kid: 'k' })
        .sign(privateKey);
      const answer = createRevocationReader(iss)('any');
      if (error) await assert.rejects(answer, error);
      else assert.equal(await answer, false);
      server.close();
      server.closeAllConnections();
    });
  }

  describe(missing === undefined ? 'in Python' : `in Python (skipped: ${missing}; PYTHON=path chooses one)`, () => {
    let reader: ChildProcess;
    before(function () {
      if (missing !== undefined) this.skip();
    });
    afterEach(() => reader?.kill());

    it('tells revoked tokens from good ones, five seconds later at most', async () => {
      const folder = join(import.meta.dirname, '../../examples/revocation');
      reader = spawn(python, ['-B', '-c', DRIVER, folder, service.issuer], { stdio: ['pipe', 'pipe', 'inherit'] });
      const lines = createInterface({ input: reader.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
      const answer = async (text: string) => {
        reader.stdin?.write(`${text}\n`);
        return (await lines.next()).value;
      };
      const [revoked, good] = [await issue(), await issue()];
      assert.equal(await answer(revoked.jti), 'False');
      await revoked.revoke();
      reader.stdin?.write('\n');
      await withMovingTime(async (pass) => {
        pass(6);
        assert.deepEqual([await answer(revoked.jti), await answer(good.jti)], ['True', 'False']);
      });
      for (let minute = 0; minute < 60; minute += 1) reader.stdin?.write('\n');
      assert.match(
        String(await answer(good.jti)),
        /cannot be read/,
        'six minutes ahead of the issuer, no feed is good',
      );
    });
  });
});
