// Which applications have access to an account, and how that ends.
import type { Artifacts } from '../store.ts';

/** What one client has been granted, in one browser or several. */
export interface AccessOfClient {
  clientId: string;
  /** OpenID Connect scopes */
  scopes: readonly string[];
  /** the resource servers that it may call for the account */
  resources: readonly string[];
  /** epoch seconds */
  since: number;
}

/** The grants of accounts, by client. */
export interface AccountGrants {
  /** By client id. */
  list(accountId: string): Promise<AccessOfClient[]>;
  /**
   * Ends every grant of the client with all its tokens, the JWTs included. False when there was none.
   * @throws StoreUnavailable
   */
  revoke(accountId: string, clientId: string): Promise<boolean>;
}

/** As the library keeps it: https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/models/grant.js */
interface StoredGrant {
  jti: string;
  clientId: string;
  iat: number;
  openid?: { scope?: string };
  resources?: Record<string, string>;
}

/** @param artifacts the store's own: what is revoked is revoked, whatever becomes of the request */
export function createAccountGrants(artifacts: Artifacts): AccountGrants {
  async function grantsOf(accountId: string): Promise<StoredGrant[]> {
    return (await artifacts.listOf('Grant', accountId)) as unknown as StoredGrant[];
  }

  return {
    async list(accountId) {
      const byClient = Map.groupBy(await grantsOf(accountId), ({ clientId }) => clientId);
      const all = [...byClient].map(([clientId, grants]) => ({
        clientId,
        scopes: unique(grants.flatMap(({ openid }) => openid?.scope?.split(' ') ?? [])),
        resources: unique(grants.flatMap(({ resources = {} }) => Object.keys(resources))),
        since: Math.min(...grants.map(({ iat }) => iat)),
      }));
      return all.sort((a, b) => (a.clientId < b.clientId ? -1 : 1));
    },

    async revoke(accountId, clientId) {
      const grants = (await grantsOf(accountId)).filter((grant) => grant.clientId === clientId);
      if (grants.length === 0) return false;
      await artifacts.apply(grants.map(({ jti }) => ({ do: 'revoke', grantId: jti })));
      return true;
    },
  };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].filter(Boolean).sort();
}
