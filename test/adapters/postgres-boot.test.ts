// What a Postgres database must be like before the store opens it, and what the operator is told otherwise.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'mocha';
import { openStore } from '../../adapters/open-store.ts';
import { toOpeningError } from '../../adapters/postgres-errors.ts';
import { parsePostgresUrl } from '../../adapters/postgres-pool.ts';
import { type PostgresDatabase, type PostgresServer, sharedPostgres } from '../support/postgres.ts';
import { startProcess } from './fixtures/second-process.ts';
import { box } from './fixtures/temporary-database.ts';

/** The request for TLS that comes before everything else (PostgreSQL documentation, "SSLRequest"). */
const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex');

describe('opening a Postgres database', () => {
  let server: PostgresServer;
  let database: PostgresDatabase;

  before(async () => {
    server = await sharedPostgres();
    database = await server.createDatabase();
  });
  after(() => database.drop());

  const open = (url: string) => openStore({ database: { engine: 'postgres', url }, clock: () => 1, box });
  const withOptions = (...settings: string[]) =>
    `${database.url}?options=${encodeURIComponent(settings.map((setting) => `-c ${setting}`).join(' '))}`;
  const refused = (message: RegExp) => (error: Error) => {
    assert.equal(error.name, 'StoreRefused', error.stack);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /a password of the tests/);
    return true;
  };

  const refusals: [name: string, url: () => string, message: RegExp][] = [
    ['a wrong password', () => server.url(database.name, 'wrong'), /Check user and password/],
    ['a database that does not exist', () => server.url('nowhere'), /"nowhere" does not exist.*Create it/],
    ['a host that does not exist', () => 'postgres://u:p@nowhere.invalid/d', /Check the host/],
    ['a certificate file that does not exist', () => `${database.url}?sslrootcert=/nowhere.pem`, /Check the paths/],
    ['TLS that the server does not speak', () => `${database.url}?sslmode=require`, /Switch TLS on at the server/],
    ['a server that takes no writes', () => withOptions('default_transaction_read_only=on'), /primary server/],
    ['commits that are not awaited', () => withOptions('synchronous_commit=off'), /synchronous_commit = on/],
    ['a pool too small for itself', () => `${database.url}?pool_size=1`, /pool_size.*2 to 999/],
    ['a switch that is neither on nor off', () => `${database.url}?prepare=maybe`, /prepare.*true nor false/],
  ];
  for (const [name, url, message] of refusals) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(open(url()), refused(message));
    });
  }

  it('refuses a missing password', () => {
    // As the driver says it. For real it would leave a connection behind, which the server keeps for a minute.
    const error = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string');
    assert.ok(refused(/Check user and password/)(toOpeningError(error) as Error));
  });

  it('refuses another encoding than UTF-8', async () => {
    await database.query("create database latin1 template template0 encoding 'LATIN1'");
    await assert.rejects(open(server.url('latin1')), refused(/encoded in LATIN1/));
    await database.query('drop database latin1 with (force)');
  });

  it('refuses a server older than Postgres 13', async () => {
    await using shadow = await shadowFunction(
      "current_setting(text) returns text language sql as $$ select case $1 when 'server_version_num' then '120022' else pg_catalog.current_setting($1) end $$",
    );
    await assert.rejects(open(shadow.url), refused(/is Postgres 12: upgrade/));
  });

  it('goes over to serializable transactions where advisory locks do nothing', async () => {
    await using shadow = await shadowFunction(
      'pg_try_advisory_xact_lock(bigint) returns boolean language sql as $$ select true $$',
    );
    await using store = await open(shadow.url);
    await store.migrate();
    await database.query(
      `create function note_isolation() returns trigger language plpgsql as $$ begin
         insert into isolation values (current_setting('transaction_isolation')); return new; end $$;
       create table isolation (level text);
       create trigger note_isolation before insert or update on meta for each row execute function note_isolation()`,
    );
    await store.probe();
    assert.deepEqual(await database.query('select level from isolation'), [{ level: 'serializable' }]);
    await database.query('drop function note_isolation() cascade; drop table isolation');
  });

  /** Puts a function of ours before one of the server's. */
  async function shadowFunction(definition: string): Promise<AsyncDisposable & { url: string }> {
    await database.query(`create function public.${definition}`);
    return {
      url: withOptions('search_path=public,pg_catalog'),
      async [Symbol.asyncDispose]() {
        await database.query(`drop function public.${definition.slice(0, definition.indexOf(')') + 1)}`);
      },
    };
  }

  const foreignSchemas: [name: string, table: string, message: RegExp][] = [
    ['of another program', 'create table migrations (id int, migration text)', /another program/],
    [
      'of a newer version',
      "create table migrations (name text); insert into migrations values ('2999-01-01-x')",
      /newer version/,
    ],
  ];
  for (const [name, table, message] of foreignSchemas) {
    it(`refuses the schema ${name}`, async () => {
      const other = await server.createDatabase();
      await other.query(table);
      await assert.rejects(open(other.url), refused(message));
      await other.drop();
    });
  }

  it('refuses to migrate as a role that may not create tables', async () => {
    const other = await server.createDatabase();
    await other.query("create role guest login password 'guest'");
    const url = new URL(other.url);
    url.username = 'guest';
    url.password = 'guest';
    await using store = await open(url.href);
    await assert.rejects(store.migrate(), refused(/owner of the database/));
    await store[Symbol.asyncDispose]();
    await other.query('drop role guest');
    await other.drop();
  });

  it('says within 5 s that a server does not answer, which is not a reason to configure anything else', async () => {
    await using silent = await listen(() => undefined);
    const began = performance.now();
    await assert.rejects(open(silent.url), { name: 'StoreUnavailable', message: /does not answer/ });
    assert.ok(performance.now() - began < 5_000);
    await silent[Symbol.asyncDispose]();
    await assert.rejects(open(silent.url), { name: 'StoreUnavailable', message: /does not answer \(ECONNREFUSED\)/ });
  });

  for (const mode of ['prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']) {
    it(`never says anything in the clear with sslmode=${mode}`, async () => {
      const heard: Buffer[] = [];
      await using listener = await listen((socket) => {
        socket.on('data', (bytes) => heard.push(bytes));
        socket.once('data', () => socket.write('N'));
      });
      await assert.rejects(open(`${listener.url}?sslmode=${mode}`), refused(/Switch TLS on/));
      assert.deepEqual(Buffer.concat(heard), SSL_REQUEST);
    });
  }

  it('checks the certificate and its name, unless told not to', () => {
    const modeOf = (parameters: string) =>
      new URL(parsePostgresUrl(`postgres://h/d?${parameters}`).connectionString).searchParams.get('sslmode');
    for (const mode of ['prefer', 'require', 'verify-ca', 'verify-full']) {
      assert.equal(modeOf(`sslmode=${mode}`), 'verify-full');
    }
    assert.equal(modeOf('sslmode=no-verify'), 'no-verify');
    assert.equal(modeOf('sslmode=require&uselibpqcompat=true'), 'require');
    assert.equal(modeOf('sslmode=disable'), 'disable');
    assert.equal(modeOf(''), null);
  });

  it('takes its own parameters out of the URL and leaves the rest to the driver', () => {
    assert.deepEqual(parsePostgresUrl('postgres://u:p%20w@h:1/d?pool_size=20&prepare=false&application_name=a'), {
      connectionString: 'postgres://u:p%20w@h:1/d?application_name=a',
      poolSize: 20,
      prepares: false,
    });
    assert.deepEqual(parsePostgresUrl('postgresql:///d?host=/var/run/postgresql'), {
      connectionString: 'postgresql:///d?host=%2Fvar%2Frun%2Fpostgresql',
      poolSize: 10,
      prepares: true,
    });
  });

  it('lets three processes migrate an empty database at once', async () => {
    const empty = await server.createDatabase();
    await using stack = new AsyncDisposableStack();
    const processes = await Promise.all(Array.from({ length: 3 }, () => startProcess('migrate', empty.url)));
    for (const one of processes) stack.use(one);
    await Promise.all(processes.map((one) => one.go()));
    assert.deepEqual(await empty.query("select count(*)::int as n from meta where name = 'epoch'"), [{ n: 1 }]);
    assert.deepEqual(await empty.query('select name from migrations group by name having count(*) > 1'), []);
    await empty.drop();
  });
});

/** Something that takes connections but is no Postgres. */
async function listen(onConnection: (socket: Socket) => void): Promise<AsyncDisposable & { url: string }> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    url: `postgres://u:p@127.0.0.1:${port}/d`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (listener.listening) await new Promise((resolve) => listener.close(resolve));
    },
  };
}
