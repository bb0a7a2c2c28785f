// The readiness check of the store: a real write and a real read.
import { randomUUID } from 'node:crypto';
import { StoreUnavailable } from '../src/store.ts';
import type { Engine } from './engine.ts';

/**
 * Commits a new value and reads the row back outside of the transaction. The value is not compared: another process
 * may be probing the same database.
 * @throws StoreUnavailable
 */
export async function probeStore(engine: Engine): Promise<void> {
  const value = randomUUID();
  await engine.write((db) =>
    db
      .insertInto('meta')
      .values({ name: 'probe', value })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
      .execute(),
  );
  const row = await engine.read((db) =>
    db.selectFrom('meta').select('value').where('name', '=', 'probe').executeTakeFirst(),
  );
  if (!row) throw new StoreUnavailable('what was written cannot be read back');
}
