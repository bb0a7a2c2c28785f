// Leases: who among the processes on one database does a piece of work, one row of the table `meta` each.
import type { Engine } from './engine.ts';

interface Lease {
  readonly holder: string;
  /** epoch seconds */
  readonly until: number;
}

/** What a holder asks for. `now` is in epoch seconds. */
export interface LeaseRequest {
  readonly name: string;
  readonly holder: string;
  readonly now: number;
  readonly seconds: number;
}

/**
 * Takes or renews the lease by compare-and-set: of two who find it free at once, one gets it.
 * @throws StoreUnavailable
 */
export async function takeLease(engine: Engine, { name, holder, now, seconds }: LeaseRequest): Promise<boolean> {
  const row = `lease:${name}`;
  const found = await engine.read((db) =>
    db.selectFrom('meta').select('value').where('name', '=', row).executeTakeFirst(),
  );
  if (found && isHeldByOther(JSON.parse(found.value), { holder, now, seconds })) return false;
  const value = JSON.stringify({ holder, until: now + seconds } satisfies Lease);
  return engine.write(async (db) => {
    if (!found) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('meta')
        .values({ name: row, value })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirstOrThrow();
      return numInsertedOrUpdatedRows === 1n;
    }
    const { numUpdatedRows } = await db
      .updateTable('meta')
      .set({ value })
      .where('name', '=', row)
      .where('value', '=', found.value)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  });
}

/** A lease that ends later than any could was taken by a clock that has been set back since: it holds nobody up. */
function isHeldByOther(lease: Lease, { holder, now, seconds }: Omit<LeaseRequest, 'name'>): boolean {
  return lease.holder !== holder && lease.until > now && lease.until <= now + seconds;
}
