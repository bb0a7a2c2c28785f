// Runs what `identity snippet` prints for Node and Python against the real service: both ends, and every refusal.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SignJWT } from 'jose';
import { express } from '../../src/snippets/express.ts';
import type { Snippet, SnippetFacts } from '../../src/snippets/facts.ts';
import { pythonFlask } from '../../src/snippets/python.ts';
import type { AccessTokenAlg } from '../../src/store.ts';
import { addRelyingParty, logIn } from '../support/relying-party.ts';
import { type Service, startService } from '../support/service.ts';

const python = process.env['PYTHON'] ?? 'python3';
const probe = spawnSync(python, ['-c', 'import flask, jwt, requests, cryptography'], { encoding: 'utf8' });
const missing = probe.status === 0 ? '' : (probe.stderr?.trim().split('\n').at(-1) ?? `no ${python} here`);

/** How a service made from a snippet is asked. */
interface Guarded {
  /** the status of `/`, which wants the scope `read`, or of `/admin`, which wants another one */
  status(token: string, path?: string): Promise<number>;
  end(): Promise<void>;
}

const ALGS = ['ES256', 'HS256'] as const satisfies readonly AccessTokenAlg[];

describe('snippets', () => {
  let service: Service;
  let folder: string;
  let secret: string;
  const audienceOf = (alg: AccessTokenAlg) => `snippet-${alg.toLowerCase()}`;

  before(async () => {
    service = await startService();
    folder = mkdtempSync(join(tmpdir(), 'identity-snippets-'));
    symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'));
    for (const alg of [...ALGS, 'EdDSA'] as const) {
      await service.resourceServers.add({ audience: audienceOf(alg), scope: 'read', alg });
    }
    const audiences = { 'snippet-es256': null, 'snippet-hs256': null, 'snippet-eddsa': null };
    const client = { clientId: 'caller', metadata: { grant_types: ['client_credentials'] }, audiences };
    ({ secret } = await service.addClient(client));
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  function factsFor(alg: AccessTokenAlg): SnippetFacts {
    const { issuer, clockSkew } = service.config;
    return {
      issuer,
      tokenEndpoint: `${issuer}/token`,
      verifyEndpoint: `${issuer}/verify`,
      jwksUri: `${issuer}/jwks`,
      audience: audienceOf(alg),
      alg,
      clockSkew,
      clientId: 'caller',
    };
  }

  function write(name: string, code: string): string {
    const file = join(folder, name);
    writeFileSync(file, code);
    return file;
  }

  async function tokenFor(aud: string): Promise<string> {
    const response = await fetch(`${service.issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ sub: 'caller', aud, client_secret: secret }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  /** By somebody who knows the shared secret. */
  function signed(claims: object, typ = 'at+jwt', key = String(service.config.jwtSecrets[0])): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const usual = { iss: service.issuer, sub: 'caller', aud: 'snippet-hs256', iat: now, exp: now + 60, scope: 'read' };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: 'HS256', typ })
      .sign(new TextEncoder().encode(key));
  }

  /** What both languages have to do alike. */
  function describeBothEnds(start: (alg: AccessTokenAlg) => Promise<{ guarded: Guarded; token: string }>): void {
    for (const alg of ALGS) {
      it(`gets a token and accepts it, once and for its scope (${alg})`, async () => {
        const { guarded, token } = await start(alg);
        try {
          assert.equal(await guarded.status(token), 200);
          assert.equal(await guarded.status(await tokenFor(audienceOf(alg))), 200);
          assert.equal(await guarded.status(token, '/admin'), 403);
        } finally {
          await guarded.end();
        }
      });
    }

    it('refuses every other token (RFC 8725)', async () => {
      const [byKey, bySecret] = [await start('ES256'), await start('HS256')];
      try {
        const party = await addRelyingParty(service);
        const { tokens } = await logIn(party);
        const altered = byKey.token.replace(/\.([^.]{10})/, '.e30AAAAAAA');
        const [header, payload] = byKey.token.split('.');
        const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`;
        for (const [name, guarded, token] of [
          ['none', byKey.guarded, ''],
          ['garbage', byKey.guarded, 'a.b.c'],
          ['one for another audience', byKey.guarded, await tokenFor('snippet-eddsa')],
          ['one by the shared secret where keys sign', byKey.guarded, await signed({ aud: 'snippet-es256' })],
          ['one that was altered', byKey.guarded, altered],
          ['one without its signature', byKey.guarded, `${header}.${payload}.`],
          ['one of alg none', byKey.guarded, unsigned],
          ['an ID token', byKey.guarded, String(tokens.id_token)],
          ['one by another secret', bySecret.guarded, await signed({}, 'at+jwt', 'x'.repeat(40))],
          ['one by a key where the secret signs', bySecret.guarded, byKey.token],
          ['one of another type', bySecret.guarded, await signed({}, 'JWT')],
          ['one of another issuer', bySecret.guarded, await signed({ iss: 'https://other.example' })],
          ['one without exp', bySecret.guarded, await signed({ exp: undefined })],
          ['one without a subject', bySecret.guarded, await signed({ sub: undefined })],
          ['one that has expired', bySecret.guarded, await signed({ exp: Math.floor(Date.now() / 1000) - 60 })],
          ['one from the future', bySecret.guarded, await signed({ nbf: Math.floor(Date.now() / 1000) + 60 })],
        ] as const) {
          assert.equal(await guarded.status(token), 401, name);
        }
        assert.equal(await bySecret.guarded.status(await signed({})), 200);
      } finally {
        await byKey.guarded.end();
        await bySecret.guarded.end();
      }
    });
  }

  function asking(port: number, end: () => Promise<void>): Guarded {
    return {
      async status(token, path = '/') {
        const headers = { authorization: `Bearer ${token}` };
        return (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).status;
      },
      end,
    };
  }

  describe('for Express', () => {
    type Guard = (request: IncomingMessage, response: object, next: (error?: unknown) => void) => void;
    let made = 0;

    async function load(code: Snippet) {
      made += 1;
      const caller = await import(pathToFileURL(write(`caller-${made}.mjs`, code.caller)).href);
      const verifier = await import(pathToFileURL(write(`verifier-${made}.mjs`, code.verifier)).href);
      return { accessToken: caller.accessToken, requireToken: verifier.requireToken as (scope: string) => Guard };
    }

    /** What of Express the verifier touches. */
    function asExpress(response: ServerResponse) {
      return Object.assign(response, {
        status: (status: number) => Object.assign(response, { statusCode: status }),
        json: (body: unknown) => response.end(JSON.stringify(body)),
      });
    }

    before(() => {
      process.env['CLIENT_SECRET'] = secret;
      process.env['JWT_SECRET_KEY'] = service.config.jwtSecrets.join();
    });
    after(() => {
      delete process.env['CLIENT_SECRET'];
      delete process.env['JWT_SECRET_KEY'];
    });

    describeBothEnds(async (alg) => {
      const { accessToken, requireToken } = await load(express(factsFor(alg)));
      const [read, admin] = [requireToken('read'), requireToken('admin')];
      const server: Server = createServer((request, response) => {
        const guard = request.url === '/admin' ? admin : read;
        guard(request, asExpress(response), (error) =>
          asExpress(response)
            .status(error ? 500 : 200)
            .end(),
        );
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const end = async () => {
        server.close();
        server.closeAllConnections();
      };
      return { guarded: asking((server.address() as AddressInfo).port, end), token: await accessToken() };
    });
  });

  describe(`for Flask${missing && ` (skipped: ${missing}; PYTHON=path chooses an interpreter)`}`, () => {
    before(function skipWithoutPackages() {
      if (missing) this.skip();
    });

    describeBothEnds(async (alg) => {
      const { caller, verifier } = pythonFlask(factsFor(alg));
      write(`caller_${alg}.py`, caller);
      write(`verifier_${alg}.py`, verifier);
      const app = write(
        `app_${alg}.py`,
        `import sys
from flask import Flask
from werkzeug.serving import make_server
from caller_${alg} import access_token
from verifier_${alg} import require_token

app = Flask(__name__)
app.get("/")(require_token("read")(lambda: "ok"))
app.get("/admin", endpoint="admin")(require_token("admin")(lambda: "ok"))
server = make_server("127.0.0.1", 0, app)
print(server.server_port, access_token(), flush=True)
server.serve_forever()
`,
      );
      const child: ChildProcess = spawn(python, [app], {
        cwd: folder,
        env: { PATH: process.env['PATH'], CLIENT_SECRET: secret, JWT_SECRET_KEY: service.config.jwtSecrets.join() },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      assert.ok(child.stdout);
      const [line] = await once(child.stdout, 'data');
      const [port, token] = String(line).trim().split(' ');
      const end = async () => {
        child.kill('SIGKILL');
        await once(child, 'exit');
      };
      return { guarded: asking(Number(port), end), token: String(token) };
    });
  });
});
