// What SQLite's errors mean, and how long one waits for what another process has locked.
import { setTimeout } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { StoreRefused, StoreUnavailable } from '../src/store.ts';

/** How long a read or a write waits for others in all, without holding up the event loop. */
export const PATIENCE_MS = 2_000;

/** Pauses between two attempts are drawn from this range, so that two waiting processes do not march in step. */
const PAUSE_MS = { min: 10, max: 50 };

/** What an operator, or time, can mend: everything else that SQLite reports is a defect. */
const OUTAGES = /^SQLITE_(BUSY|LOCKED|PROTOCOL|FULL|IOERR|READONLY|CANTOPEN)(_|$)/;

/**
 * Tries again while another process holds the lock, until `deadline` (by `performance.now()`).
 * Whoever comes after the deadline, having queued behind others, is turned away without an attempt: each would stop
 * the event loop for a while, and there may be many.
 * @throws StoreUnavailable
 */
export async function patiently<T>(
  attempt: () => T | Promise<T>,
  deadline: number = performance.now() + PATIENCE_MS,
): Promise<T> {
  let lastError: unknown;
  while (performance.now() < deadline) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error)) throw toStoreError(error);
      lastError = error;
    }
    await setTimeout(PAUSE_MS.min + Math.random() * (PAUSE_MS.max - PAUSE_MS.min));
  }
  throw new StoreUnavailable('the database is busy', { cause: lastError });
}

function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED|PROTOCOL)(_|$)/.test(error.code);
}

/** StoreUnavailable for an outage, else the error itself. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof Database.SqliteError) || !OUTAGES.test(error.code)) return error;
  return new StoreUnavailable(`the database cannot be used now (${error.code})`, { cause: error });
}

/** A file that cannot be written when it is opened is for the operator to mend, not for a client to try again. */
export function toOpeningError(error: unknown, file: string): unknown {
  const { cause } = error as { cause?: unknown };
  if (!(cause instanceof Database.SqliteError) || !/^SQLITE_(READONLY|CANTOPEN)(_|$)/.test(cause.code)) return error;
  return new StoreRefused(`${file} cannot be written to (${cause.code}). Check its owner and mode, and its folder's.`, {
    cause,
  });
}
