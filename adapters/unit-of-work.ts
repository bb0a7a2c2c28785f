// Collects the artifact writes of one request, so that they are committed together or not at all.
import type { ArtifactPayload, Artifacts, ArtifactWrite, Clock } from '../src/store.ts';
import { grantIdOf } from './artifact-grants.ts';

/**
 * The artifacts as one request sees them: its own writes on top of what is committed. Nothing reaches the store before
 * `commit`, which applies everything in one transaction.
 */
export interface UnitOfWork extends Artifacts {
  /**
   * Applies the writes collected so far; without any it does nothing.
   * @throws AlreadyConsumed, GrantRevoked, StoreUnavailable
   */
  commit(): Promise<void>;
}

/** What the request made of one artifact: its payload as JSON, which nobody can change afterwards; absent: destroyed. */
type Change = { json?: string };

export function createUnitOfWork(artifacts: Artifacts, clock: Clock): UnitOfWork {
  let writes: ArtifactWrite[] = [];
  const changes = new Map<string, Change>();
  const consumed = new Set<string>();
  const revoked = new Set<string>();

  /** The artifact after this request's writes, given what the store has. */
  function seen(model: string, id: string, stored: ArtifactPayload | undefined): ArtifactPayload | undefined {
    const change = changes.get(keyOf(model, id));
    const payload = change ? parse(change) : stored;
    if (payload === undefined || isRevoked(model, id, payload)) return undefined;
    if (consumed.has(keyOf(model, id))) payload['consumed'] ??= clock();
    return payload;
  }

  function isRevoked(model: string, id: string, payload: ArtifactPayload): boolean {
    const grantId = grantIdOf(model, id, payload);
    return grantId !== undefined && revoked.has(grantId);
  }

  /** By uid or user code: what this request wrote under it, else what the store has, seen through its writes. */
  async function findBy(member: string, model: string, value: string, stored: Promise<ArtifactPayload | undefined>) {
    for (const [key, change] of changes) {
      const [changedModel, id] = JSON.parse(key) as [string, string];
      if (changedModel === model && parse(change)?.[member] === value) return seen(model, id, undefined);
    }
    const payload = await stored;
    return payload && seen(model, String(payload['jti']), payload);
  }

  async function find(model: string, id: string): Promise<ArtifactPayload | undefined> {
    return seen(model, id, changes.has(keyOf(model, id)) ? undefined : await artifacts.find(model, id));
  }

  return {
    find,
    findByUid: (model, uid) => findBy('uid', model, uid, artifacts.findByUid(model, uid)),
    findByUserCode: (model, code) => findBy('userCode', model, code, artifacts.findByUserCode(model, code)),

    async listOf(model, accountId) {
      const ids = new Set((await artifacts.listOf(model, accountId)).map(({ jti }) => String(jti)));
      for (const key of changes.keys()) {
        const [changedModel, id] = JSON.parse(key) as [string, string];
        if (changedModel === model) ids.add(id);
      }
      const found = await Promise.all([...ids].map((id) => find(model, id)));
      return found.filter((payload) => payload !== undefined).filter((payload) => payload['accountId'] === accountId);
    },

    async apply(more) {
      for (const write of more) {
        writes.push(write);
        if (write.do === 'upsert') changes.set(keyOf(write.model, write.id), { json: JSON.stringify(write.payload) });
        else if (write.do === 'destroy') changes.set(keyOf(write.model, write.id), {});
        else if (write.do === 'consume') consumed.add(keyOf(write.model, write.id));
        else if (write.do === 'revoke') revoked.add(write.grantId);
      }
    },

    async commit() {
      const batch = writes;
      writes = [];
      if (batch.length > 0) await artifacts.apply(batch);
    },
  };
}

function parse({ json }: Change): ArtifactPayload | undefined {
  return json === undefined ? undefined : JSON.parse(json);
}

function keyOf(model: string, id: string): string {
  return JSON.stringify([model, id]);
}
