// Runs the real `identity` program on a folder of its own, and keeps what it printed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { runIdentity } from '../../src/cli/program.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** what stdout says as JSON */
  json(): Record<string, unknown>;
}

/** A folder with a configuration and, once a command ran, a database. Disposing it removes both. */
export interface Installation extends Disposable {
  readonly folder: string;
  /** `stdin` is all of standard input; `env` replaces the environment of a test installation. */
  run(argv: readonly string[], options?: { stdin?: string | Buffer; env?: Record<string, string> }): Promise<Outcome>;
}

/** A complete environment; paths are relative to the folder. */
export const environment = {
  NODE_ENV: 'test',
  PUBLIC_URL: 'http://localhost:3000',
  JWT_ISSUER: 'http://localhost:3000',
  COOKIE_SECRET: '3kQp0Vb8mZ1xT6yR9wLs4nGd7hJc2fUa-cookie',
  JWT_SECRET_KEY: 'Zt5Ry8Ku1Ws4Xe7Dc0Fv3Gb6Hn9Jm2Ql-token',
  ENCRYPTION_KEY: 'b7Nq2Mw5Ev8Rc1Tx4Zy6Ua9Is3Op0Lk-encrypt',
  BROWSER_UI_CLIENT_SECRET: 'Yh4Gf7Dd1Sa9Po6Iu3',
  BROWSER_UI_REDIRECT_URIS: 'http://localhost:5000/callback',
};

export function createInstallation(): Installation {
  const folder = mkdtempSync(join(tmpdir(), 'identity-cli-'));
  return {
    folder,
    async run(argv, { stdin = '', env = environment } = {}) {
      const out: string[] = [];
      const err: string[] = [];
      const code = await runIdentity({
        argv,
        env,
        stdin: Readable.from([Buffer.from(stdin)]),
        stdout: { write: (text) => out.push(text) },
        stderr: { write: (text) => err.push(text) },
        cwd: folder,
      });
      const stdout = out.join('');
      return { code, stdout, stderr: err.join(''), json: () => JSON.parse(stdout) };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
