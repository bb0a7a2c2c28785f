// Issues access tokens to services that authenticated as themselves: no end-user, no store, one signature.
import { randomUUID } from 'node:crypto';
import type { Keyring } from '../keys/keyring.ts';
import type { Clock, ResourceServer } from '../store.ts';
import {
  accessTokenKey,
  accessTokenTimes,
  type Issuers,
  importSharedSecret,
  issuerFor,
  signAccessToken,
} from './access-token.ts';

/** A service token and its lifetime in seconds. */
export interface ServiceToken {
  readonly token: string;
  readonly jti: string;
  readonly expiresIn: number;
}

/** What a service token says; that the client may have it was decided before. */
export interface ServiceTokenRequest {
  /** becomes `sub` and `client_id` (RFC 9068 §2.2) */
  readonly clientId: string;
  readonly resourceServer: ResourceServer;
  /** space-delimited; absent or empty leaves the claim out */
  readonly scope?: string | undefined;
  /** further claims; none of those that every token has */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface ServiceTokens {
  issue(request: ServiceTokenRequest): Promise<ServiceToken>;
}

/**
 * @param options `sharedSecret` is the one that signs (the first of the list); `defaultLifetime` is in seconds and
 *   yields to the resource server's own
 */
export function createServiceTokens(
  options: Issuers & { keyring: Keyring; sharedSecret: string; defaultLifetime: number; clock: Clock },
): ServiceTokens {
  const { keyring, defaultLifetime, clock } = options;
  const sources = { keyring, sharedSecret: importSharedSecret(options.sharedSecret) };

  return {
    async issue({ clientId, resourceServer, scope, extra }) {
      const { audience, alg, expiresIn = defaultLifetime } = resourceServer;
      const jti = randomUUID();
      const claims = {
        ...extra,
        iss: issuerFor(alg, options),
        sub: clientId,
        aud: audience,
        client_id: clientId,
        ...(scope && { scope }),
        jti,
        ...accessTokenTimes(clock(), expiresIn),
      };
      return { token: await signAccessToken(claims, accessTokenKey(alg, sources)), jti, expiresIn };
    },
  };
}
