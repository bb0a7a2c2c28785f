// `identity db backup`: the database and its keys in one encrypted file, while the server runs.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type BackupManifest, createBackup } from '../../adapters/backup.ts';
import type { Config } from '../config.ts';
import { openKeyring } from '../keys/signing-keys.ts';
import { signProof } from './db-proof.ts';
import { Failure, instant, type JsonOption, report, type Terminal } from './terminal.ts';
import { loadConfig, openConfiguredStore } from './workspace.ts';

/** @throws Failure on another engine */
export function sqlitePath({ database }: Config, cwd: string, otherwise: string): string {
  if (database.engine !== 'sqlite') throw new Failure(otherwise);
  return resolve(cwd, database.path);
}

/** The manifest in wire names, without the token. */
export function shownManifest({ createdAt, migrations, rows, bytes, sha256, proof }: BackupManifest) {
  return { created_at: createdAt, issuer: proof.issuer, migrations, rows, bytes, sha256 };
}

/** What a person wants to recognise the backup by. */
export function rowsInWords(rows: BackupManifest['rows']): string {
  const interesting = ['accounts', 'clients', 'resource_servers', 'signing_keys', 'artifacts'];
  return interesting.map((table) => `${table.replaceAll('_', ' ')} ${rows[table] ?? 0}`).join(', ');
}

/** @throws Failure, BackupRefused, StoreRefused, StoreUnavailable, UnsealFailed */
export async function backUp(terminal: Terminal, file: string, options: JsonOption): Promise<void> {
  const config = loadConfig(terminal);
  const database = sqlitePath(
    config,
    terminal.cwd,
    'the data is in Postgres: back it up with pg_dump, as docs/backup.md shows',
  );
  if (!existsSync(database)) throw new Failure(`there is no database at ${database}`);
  const clock = () => Math.floor(Date.now() / 1000);
  await using store = await openConfiguredStore(config, clock, terminal.cwd);
  const keyring = await openKeyring({ keys: store.keys, clock });
  const manifest = await createBackup({
    database,
    file: resolve(terminal.cwd, file),
    encryptionKeys: config.encryptionKeys,
    clock,
    proof: await signProof(keyring, config.issuer, config.identitySub, clock()),
  });
  report(terminal, options, { file, ...shownManifest(manifest) }, [
    `backed up to ${file}, as of ${instant(manifest.createdAt)}`,
    rowsInWords(manifest.rows),
    'It opens with the first ENCRYPTION_KEY only: keep a copy of that apart from it.',
  ]);
}
