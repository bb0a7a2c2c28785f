// What a failure of Postgres means: try again, not now, for the operator to mend, or a defect of ours.
import { DatabaseError } from 'pg';
import { StoreRefused, StoreUnavailable } from '../src/store.ts';

const UNIQUE_VIOLATION = '23505';

/**
 * After these nothing of the transaction has happened, and the same work may well succeed: it lost to another
 * transaction (serialization_failure, deadlock_detected, lock_not_available), or looked before the other one had
 * committed what it now collides with (unique_violation) and will see it when it looks again.
 */
const TRANSIENT: ReadonlySet<string | undefined> = new Set(['40001', '40P01', '55P03', UNIQUE_VIOLATION]);

/** What time can mend. 57014 is the statement timeout, 25006 a primary that has become a standby, 40003 a lost COMMIT. */
const OUTAGES = /^(08...|53...|57P..|58...|57014|25006|25P03|40001|40003|40P01|55P03|26000|42P05)$/;

/** The server closes the connection after these, or it leads to the wrong server by now. */
const LAST_WORDS = /^(08...|57P..|25006|25P03)$/;

/** A prepared statement that is not there, or is there already: a pooler has swapped the connection behind ours. */
const POOLED = /^(26000|42P05)$/;

/** The server is there, or will be shortly, but cannot be talked to now. */
const UNREACHABLE = /^(ECONN\w+|E(HOST|NET)UNREACH|ETIMEDOUT|EPIPE|EAI_AGAIN)$/;

/** What to do when the database cannot be opened, by SQLSTATE, by Node's error code or by the message. */
const ADVICE: readonly [RegExp, string][] = [
  [/^28|^SASL/, 'Check user and password in the database URL, and whether the server demands TLS (sslmode).'],
  [/^3D000$/, 'Create it, or check its name in the database URL.'],
  [/^42501$/, 'Let the role connect to it.'],
  [/^ENOTFOUND$/, 'Check the host in the database URL.'],
  [/^(ENOENT|EACCES)$/, 'Check the paths in the database URL.'],
  [/does not support SSL/, 'Switch TLS on at the server, or take sslmode out of the database URL.'],
  [
    /^(SELF_SIGNED|UNABLE_TO|DEPTH_ZERO|CERT_|ERR_TLS|ERR_OSSL|HOSTNAME)/,
    'Name its CA by sslrootcert=FILE in the URL.',
  ],
];

/** Whether the whole transaction may be run again. */
export function isTransient(error: unknown): boolean {
  return error instanceof DatabaseError && (TRANSIENT.has(error.code) || isStaleStatement(error));
}

/** Whether it lost to a row that another transaction has committed since it looked. */
export function isCollision(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === UNIQUE_VIOLATION;
}

/**
 * Whether a prepared statement no longer fits: a migration changed its columns under it ("cached plan must not change
 * result type"), or a pooler has given us another server connection, which does not know it.
 */
export function isStaleStatement({ code, routine }: DatabaseError): boolean {
  return routine === 'RevalidateCachedQuery' || POOLED.test(code ?? '');
}

/** Whether the connection is of no use after this error. */
export function endsConnection(error: DatabaseError): boolean {
  return LAST_WORDS.test(error.code ?? '') || isStaleStatement(error);
}

/** An outage as StoreUnavailable; anything else as it is. */
export function toStoreError(error: unknown): unknown {
  if (!(error instanceof DatabaseError) || !(OUTAGES.test(error.code ?? '') || isStaleStatement(error))) return error;
  const hint = POOLED.test(error.code ?? '')
    ? ': a pooler is in between, so add prepare=false to the database URL'
    : '';
  return new StoreUnavailable(`the database cannot be used now (${error.code})${hint}`, { cause: error });
}

/** The same when opening: what no waiting mends is StoreRefused, with what to do. */
export function toOpeningError(error: unknown): unknown {
  if (error instanceof StoreRefused) return error;
  const cause = error instanceof StoreUnavailable && error.cause !== undefined ? error.cause : error;
  if (cause instanceof StoreRefused) return cause;
  const { code, message } = cause as { code?: string; message: string };
  const advice = ADVICE.find(([pattern]) => pattern.test(code ?? '') || pattern.test(message))?.[1];
  if (advice !== undefined) return new StoreRefused(`the database cannot be opened (${message}). ${advice}`, { cause });
  const unreachable = cause instanceof DatabaseError ? OUTAGES.test(code ?? '') : UNREACHABLE.test(code ?? '');
  if (!unreachable && !/^(Connection terminated|timeout|Query read timeout)/.test(message)) return error;
  return new StoreUnavailable(`the database does not answer (${code ?? message}): start it, or check the URL`, {
    cause,
  });
}
