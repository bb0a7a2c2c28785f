// Opens the store: picks the engine and puts the tables over it.
import { resolve } from 'node:path';
import type { Clock, SecretBox, Store } from '../src/store.ts';
import { createAccounts } from './accounts.ts';
import { createArtifacts } from './artifacts.ts';
import { createAuditEvents } from './audit-events.ts';
import { createClientUses } from './client-uses.ts';
import { createClients } from './clients.ts';
import type { Engine } from './engine.ts';
import { createJwksFetches } from './jwks-fetches.ts';
import { createKeys } from './keys.ts';
import { takeLease } from './leases.ts';
import { createLinkedIdentities } from './linked-identities.ts';
import { createPasskeys } from './passkeys.ts';
import { openPostgres } from './postgres.ts';
import { probeStore } from './probing.ts';
import { createRateLimits } from './rate-limits.ts';
import { reEncrypt } from './re-encryption.ts';
import { createResourceServers } from './resource-servers.ts';
import { createRevokedTokens } from './revoked-tokens.ts';
import { createRollbackMarker } from './rollback-marker.ts';
import { applyMigrations, refuseNewerSchema } from './schema-migrations.ts';
import { createSecondFactors } from './second-factors.ts';
import { openSqlite } from './sqlite.ts';
import { sweepExpired } from './sweeping.ts';
import { createSweepingThread } from './sweeping-thread.ts';

/** Where the data is. */
export type DatabaseLocation =
  | { readonly engine: 'sqlite'; readonly path: string }
  | { readonly engine: 'postgres'; readonly url: string };

export interface StoreOptions {
  readonly database: DatabaseLocation;
  readonly clock: Clock;
  readonly box: SecretBox;
}

/**
 * Opens the database, creating a SQLite file and its folder when there are none. The schema is not touched: call `migrate`.
 * @throws StoreRefused when the database is not ours to write, and is left as it was
 * @throws StoreUnavailable when it is locked for longer than a request would wait
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return createStore(await openEngine(options.database), options);
}

/** The tables over an open engine, which is closed with the store. */
export function createStore(engine: Engine, { database, clock, box }: StoreOptions): Store {
  const file = database.engine === 'sqlite' ? resolve(database.path) : undefined;
  const marker = file === undefined ? undefined : createRollbackMarker(engine, file);
  const thread = file === undefined ? undefined : createSweepingThread({ engine, file, clock });
  return {
    artifacts: createArtifacts({ engine, clock, box }),
    accounts: createAccounts({ engine, clock }),
    secondFactors: createSecondFactors({ engine, box }),
    passkeys: createPasskeys(engine),
    linkedIdentities: createLinkedIdentities(engine),
    rateLimits: createRateLimits(engine),
    clients: createClients({ engine, clock, box }),
    clientUses: createClientUses(engine),
    resourceServers: createResourceServers(engine),
    keys: createKeys({ engine, box }),
    revokedTokens: createRevokedTokens({ engine, clock }),
    jwksFetches: createJwksFetches(engine),
    auditEvents: createAuditEvents(engine),
    migrate: () => applyMigrations(engine, clock),
    probe: () => probeStore(engine),
    reEncrypt: () => reEncrypt({ engine, box, clock }),
    recover: async () => (await marker?.recover()) ?? 'same',
    async sweep(limit) {
      const swept = await (thread?.sweep(limit) ?? sweepExpired(engine, clock, limit));
      if (!swept.more) await marker?.rotate();
      return swept;
    },
    takeLease: (name, holder, seconds) => takeLease(engine, { name, holder, now: clock(), seconds }),
    async [Symbol.asyncDispose]() {
      await thread?.[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}

/** @throws StoreRefused, StoreUnavailable */
export function openEngine(database: DatabaseLocation): Promise<Engine> {
  return database.engine === 'sqlite'
    ? openSqlite({ path: database.path, refuseSchema: refuseNewerSchema })
    : openPostgres({ url: database.url, refuseSchema: refuseNewerSchema });
}
