// The storage adapter that oidc-provider asks for, over the store.
import type { ArtifactPayload, Artifacts } from '../src/store.ts';

/** oidc-provider's adapter of one model: `example/my_adapter.js` in the library says when each method is called. */
export interface ProviderAdapter {
  upsert(id: string, payload: ArtifactPayload, expiresIn?: number): Promise<void>;
  find(id: string): Promise<ArtifactPayload | undefined>;
  findByUid(uid: string): Promise<ArtifactPayload | undefined>;
  findByUserCode(userCode: string): Promise<ArtifactPayload | undefined>;
  consume(id: string): Promise<void>;
  destroy(id: string): Promise<void>;
  revokeByGrantId(grantId: string): Promise<void>;
}

export interface ProviderAdapterOptions {
  readonly artifacts: Artifacts;
  /** client metadata in wire names, as the library's Client takes them */
  readonly findClient: (clientId: string) => Promise<Record<string, unknown> | undefined>;
  /** absent: clients cannot be registered through the library */
  readonly saveClient?: (clientId: string, metadata: Record<string, unknown>) => Promise<void>;
  readonly removeClient?: (clientId: string) => Promise<void>;
  /** turns what the store throws into what the library should see */
  readonly translate: (error: unknown) => unknown;
}

/** Makes the factory that oidc-provider calls once for each model; whatever rejects went through `translate`. */
export function createProviderAdapter(options: ProviderAdapterOptions): (model: string) => ProviderAdapter {
  return (model) =>
    translated(
      model === 'Client' ? createClientAdapter(options) : createArtifactAdapter(model, options),
      options.translate,
    );
}

function createArtifactAdapter(model: string, { artifacts }: ProviderAdapterOptions): ProviderAdapter {
  return {
    find: (id) => artifacts.find(model, id),
    findByUid: (uid) => artifacts.findByUid(model, uid),
    findByUserCode: (userCode) => artifacts.findByUserCode(model, userCode),
    upsert: (id, payload, expiresIn) =>
      artifacts.apply([{ do: 'upsert', model, id, payload, ...(expiresIn !== undefined && { expiresIn }) }]),
    consume: (id) => artifacts.apply([{ do: 'consume', model, id }]),
    // The library destroys a Grant only to revoke it, at the same time as the tokens of each model, in any order.
    destroy: (id) =>
      artifacts.apply([model === 'Grant' ? { do: 'revoke', grantId: id } : { do: 'destroy', model, id }]),
    revokeByGrantId: (grantId) => artifacts.apply([{ do: 'revoke', grantId }]),
  };
}

function createClientAdapter({ findClient, saveClient, removeClient }: ProviderAdapterOptions): ProviderAdapter {
  return {
    find: findClient,
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    async upsert(clientId, metadata) {
      if (!saveClient) throw new Error('clients cannot be registered here');
      await saveClient(clientId, metadata);
    },
    async destroy(clientId) {
      if (!removeClient) throw new Error('clients cannot be removed here');
      await removeClient(clientId);
    },
    consume: async () => undefined,
    revokeByGrantId: async () => undefined,
  };
}

function translated(adapter: ProviderAdapter, translate: (error: unknown) => unknown): ProviderAdapter {
  const guard =
    <Arguments extends unknown[], Answer>(method: (...args: Arguments) => Promise<Answer>) =>
    async (...args: Arguments): Promise<Answer> => {
      try {
        return await method(...args);
      } catch (error) {
        throw translate(error);
      }
    };
  return {
    find: guard(adapter.find),
    findByUid: guard(adapter.findByUid),
    findByUserCode: guard(adapter.findByUserCode),
    upsert: guard(adapter.upsert),
    consume: guard(adapter.consume),
    destroy: guard(adapter.destroy),
    revokeByGrantId: guard(adapter.revokeByGrantId),
  };
}
