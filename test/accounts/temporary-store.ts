// A real store on a temporary SQLite file, with a clock that the test sets.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../adapters/open-store.ts';
import { createSecretBox } from '../../src/keys/secret-box.ts';
import type { Store } from '../../src/store.ts';

/** A store, migrated, and the time it goes by. Disposing it removes the file. */
export interface TemporaryStore extends AsyncDisposable {
  readonly store: Store;
  /** epoch seconds; set `now` to move on */
  readonly time: { now: number };
  readonly clock: () => number;
}

export async function openTemporaryStore(): Promise<TemporaryStore> {
  const folder = mkdtempSync(join(tmpdir(), 'identity-'));
  const time = { now: 1_800_000_000 };
  const clock = () => time.now;
  const store = await openStore({
    database: { engine: 'sqlite', path: join(folder, 'identity.db') },
    clock,
    box: createSecretBox(['an encryption key of this test, 32 bytes']),
  });
  await store.migrate();
  return {
    store,
    time,
    clock,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}
