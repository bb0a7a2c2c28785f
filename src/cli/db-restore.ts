// `identity db restore`: proves that a backup can be used, makes it safe to use, and puts it in place.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { openBackup, type RestoredDatabase } from '../../adapters/backup-restore.ts';
import { openStore } from '../../adapters/open-store.ts';
import type { Config } from '../config.ts';
import { createKeyring } from '../keys/keyring.ts';
import { createSecretBox } from '../keys/secret-box.ts';
import { rowsInWords, shownManifest, sqlitePath } from './db-backup.ts';
import { verifyProof } from './db-proof.ts';
import { Failure, instant, type JsonOption, report, type Terminal, warn } from './terminal.ts';
import { loadConfig } from './workspace.ts';

export interface RestoreOptions extends JsonOption {
  verify?: true;
  replace?: true;
}

/**
 * Everything happens to a copy beside the database, which is moved in at the end; `verify` leaves that step out.
 * @throws Failure, BackupRefused, StoreRefused, StoreUnavailable, UnsealFailed
 */
export async function restore(terminal: Terminal, file: string, options: RestoreOptions): Promise<void> {
  const config = loadConfig(terminal);
  const database = sqlitePath(
    config,
    terminal.cwd,
    'the data is in Postgres: restore it with pg_restore, as docs/backup.md shows',
  );
  if (!options.verify && !options.replace && existsSync(database)) {
    throw new Failure(
      `${database} is there already: stop the server and add --replace, which keeps it under another name`,
    );
  }
  using restored = await openBackup({
    file: resolve(terminal.cwd, file),
    database,
    encryptionKeys: config.encryptionKeys,
  });
  const { manifest } = restored;
  const signingKeys = await proveAndVoid(restored, config);
  const kept = options.verify ? undefined : restored.putInPlace();

  if (manifest.proof.issuer !== config.issuer) {
    warn(terminal, `the backup is of the issuer ${manifest.proof.issuer}, and this one is ${config.issuer}`);
  }
  const result = {
    file,
    ...shownManifest(manifest),
    signing_keys: signingKeys,
    voided_artifacts: manifest.rows['artifacts'] ?? 0,
    restored: !options.verify,
    ...(kept !== undefined && { replaced: kept }),
  };
  report(terminal, options, result, [
    `${file} is of ${instant(manifest.createdAt)}: ${rowsInWords(manifest.rows)}`,
    'It is complete and undamaged, its keys open, and a token of its time verifies.',
    `Every session, code and token in it (${result.voided_artifacts}) is void: people sign in again.`,
    options.verify ? 'Nothing was put in place.' : `restored to ${database}`,
    ...(kept === undefined ? [] : [`What was there is now ${kept}: remove it once you need it no more.`]),
  ]);
}

/** Answers with how many signing keys there are. */
async function proveAndVoid({ path, manifest }: RestoredDatabase, config: Config): Promise<number> {
  await using store = await openStore({
    database: { engine: 'sqlite', path },
    clock: () => Math.floor(Date.now() / 1000),
    box: createSecretBox(config.encryptionKeys),
  });
  await store.migrate();
  const keys = await store.keys.list();
  await verifyProof(await createKeyring(keys, manifest.createdAt), manifest.proof, manifest.createdAt);
  // beside the copy there is no marker, so it counts as rolled back
  await store.recover();
  return keys.length;
}
