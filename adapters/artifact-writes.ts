// Applies one batch of artifact writes inside a transaction that the caller owns.
import { CompiledQuery, type Kysely } from 'kysely';
import {
  AlreadyConsumed,
  type ArtifactWrite,
  CLIENT_ASSERTION,
  type Clock,
  DPOP_PROOF,
  GrantRevoked,
  type SecretBox,
} from '../src/store.ts';
import { grantIdOf } from './artifact-grants.ts';
import type { ArtifactQueries } from './artifact-queries.ts';
import type { Engine } from './engine.ts';
import { hashId } from './id-hash.ts';
import { revokeGrant } from './revocations.ts';
import { denyToken } from './revoked-tokens.ts';
import type { Schema } from './schema.ts';

/** What the writes need beside their transaction. */
export interface WriteContext {
  readonly queries: ArtifactQueries;
  readonly clock: Clock;
  readonly box: SecretBox;
  /** by hashes of grants: neither of a write for a grant and its revocation must overlook the other */
  readonly lock: Engine['lock'];
}

/** Why a batch takes no effect, and the grant that dies for it. */
interface Refusal {
  error: AlreadyConsumed | GrantRevoked;
  revoke?: string;
}

const SAVEPOINT = CompiledQuery.raw('savepoint batch');
const RELEASE = CompiledQuery.raw('release savepoint batch');

type Upsert = Extract<ArtifactWrite, { do: 'upsert' }>;

/** Who remembers a proof or an assertion looks first and writes then, so the write decides. */
const SEEN_ONCE: ReadonlySet<string> = new Set([CLIENT_ASSERTION, DPOP_PROOF]);

/**
 * Applies the writes in order, all or none, under a savepoint, so that several batches can share one commit.
 *
 * Answers with the refusal instead of throwing it, because the transaction must still be committed: a lost `consume`
 * undoes its batch and revokes the grant in the same transaction (RFC 9700 §4.14.2). Rejects only when the database
 * does; the batch is undone then too.
 */
export async function applyBatch(
  transaction: Kysely<Schema>,
  writes: readonly ArtifactWrite[],
  context: WriteContext,
): Promise<AlreadyConsumed | GrantRevoked | undefined> {
  await transaction.executeQuery(SAVEPOINT);
  let refusal: Refusal | undefined;
  try {
    await context.lock(transaction, grantsOf(writes));
    for (const write of writes) {
      refusal = await applyWrite(transaction, write, context);
      if (refusal) break;
    }
  } catch (error) {
    await undo(transaction).catch(() => undefined); // the engine may have ended the whole transaction already
    throw error;
  }
  if (!refusal) {
    await transaction.executeQuery(RELEASE);
    return undefined;
  }
  await undo(transaction);
  if (refusal.revoke !== undefined) {
    await context.lock(transaction, [refusal.revoke]);
    await revokeGrant(transaction, refusal.revoke, context.clock());
  }
  return refusal.error;
}

/** Hashes of the grants that the writes are known to concern before anything is looked up. */
function grantsOf(writes: readonly ArtifactWrite[]): string[] {
  return writes.flatMap((write) => {
    if (write.do === 'revoke') return [hashId(write.grantId)];
    const grantId = write.do === 'upsert' ? grantIdOf(write.model, write.id, write.payload) : undefined;
    return grantId === undefined ? [] : [hashId(grantId)];
  });
}

async function undo(transaction: Kysely<Schema>): Promise<void> {
  await transaction.executeQuery(CompiledQuery.raw('rollback to savepoint batch'));
  await transaction.executeQuery(RELEASE);
}

async function applyWrite(
  transaction: Kysely<Schema>,
  write: ArtifactWrite,
  context: WriteContext,
): Promise<Refusal | undefined> {
  switch (write.do) {
    case 'upsert':
      return upsert(transaction, write, context);
    case 'consume':
      return consume(transaction, write.model, hashId(write.id), context);
    case 'destroy':
      await context.queries.destroy(transaction, { model: write.model, idHash: hashId(write.id) });
      return undefined;
    case 'revoke':
      await revokeGrant(transaction, hashId(write.grantId), context.clock());
      return undefined;
    case 'deny':
      await denyToken(transaction, { jti: write.jti, expiresAt: write.expiresAt, now: context.clock() });
      return undefined;
  }
}

async function upsert(
  transaction: Kysely<Schema>,
  { model, id, payload, expiresIn }: Upsert,
  { queries, clock, box }: WriteContext,
): Promise<Refusal | undefined> {
  const idHash = hashId(id);
  const grantHash = hashOf(grantIdOf(model, id, payload));
  if (grantHash !== null) {
    const { rows } = await queries.findTombstone(transaction, { grantHash });
    if (rows.length > 0) return { error: new GrantRevoked(`${model} is of a grant that has been revoked`) };
  }
  const uidHash = hashOf(payload['uid']);
  if (uidHash !== null) await queries.takeUid(transaction, { model, idHash, hash: uidHash });
  const userCodeHash = hashOf(payload['userCode']);
  if (userCodeHash !== null) await queries.takeUserCode(transaction, { model, idHash, hash: userCodeHash });
  const row = {
    model,
    id_hash: idHash,
    payload: box.seal(JSON.stringify(payload), sealContext(model, idHash)),
    grant_hash: grantHash,
    uid_hash: uidHash,
    user_code_hash: userCodeHash,
    account_id: typeof payload['accountId'] === 'string' ? payload['accountId'] : null,
    client_id: typeof payload['clientId'] === 'string' ? payload['clientId'] : null,
    consumed_at: typeof payload['consumed'] === 'number' ? payload['consumed'] : null,
    expires_at: expiresIn === undefined ? null : clock() + expiresIn,
  };
  if (!SEEN_ONCE.has(model)) {
    await queries.upsert(transaction, row);
    return undefined;
  }
  const { numAffectedRows } = await queries.insertNew(transaction, { ...row, now: clock() });
  return numAffectedRows === 1n ? undefined : { error: new AlreadyConsumed(model, 'was seen before') };
}

/**
 * Compare-and-set: only the update that finds the row unconsumed and unexpired wins. Whoever consumed it before loses
 * the whole grant; a row that merely expired, or is gone, was not used twice and takes nothing with it.
 */
async function consume(
  transaction: Kysely<Schema>,
  model: string,
  idHash: string,
  { queries, clock }: WriteContext,
): Promise<Refusal | undefined> {
  const { numAffectedRows } = await queries.consume(transaction, { model, idHash, now: clock() });
  if (numAffectedRows === 1n) return undefined;
  const [row] = (await queries.findConsumption(transaction, { model, idHash })).rows;
  const usedTwice = row !== undefined && row.consumed_at !== null;
  const error = new AlreadyConsumed(model, usedTwice ? 'was consumed before' : 'is gone');
  return usedTwice && row.grant_hash !== null ? { error, revoke: row.grant_hash } : { error };
}

/** A payload opens only in the row it was sealed for. */
export function sealContext(model: string, idHash: string): string {
  return `${model}:${idHash}`;
}

function hashOf(value: unknown): string | null {
  return typeof value === 'string' ? hashId(value) : null;
}
