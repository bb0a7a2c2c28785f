// Remembers the JWT access tokens of end-users, and revokes one that its client hands back (RFC 7009).
import { type Artifacts, type ArtifactWrite, type Clock, JWT_ACCESS_TOKEN } from '../store.ts';
import { clientOf } from './introspection.ts';
import type { Verifier } from './verification.ts';

/** What is remembered of a JWT: enough to find it when its grant, account or client ends. */
export interface IssuedAccessToken {
  readonly jti: string;
  /** epoch seconds */
  readonly exp: number;
  readonly clientId: string | undefined;
  readonly accountId: string;
  readonly grantId: string | undefined;
}

/** @param artifacts those of the request that issues the token: it is remembered when the answer is true, or not at all */
export function createAccessTokenMemory(
  artifacts: Artifacts,
  clock: Clock,
): (token: IssuedAccessToken) => Promise<void> {
  return ({ jti, exp, clientId, accountId, grantId }) =>
    artifacts.apply([
      {
        do: 'upsert',
        model: JWT_ACCESS_TOKEN,
        id: jti,
        payload: { jti, exp, clientId, accountId, grantId },
        expiresIn: exp - clock(),
      },
    ]);
}

/**
 * `revoked` says what was revoked. `ignored`: there is nothing to revoke, or it is another client's, which is no error
 * (RFC 7009 §2.2). `nameless`: a token without `jti`, which cannot be told from others, so that it stays good.
 */
export type Revocation =
  | { outcome: 'revoked'; jti: string; accountId?: string }
  | { outcome: 'ignored' }
  | { outcome: 'nameless' };

/**
 * Revokes a JWT for the client that it was issued to, with the grant that it came from, if any: as with an opaque token,
 * its refresh token ends too (RFC 7009 §2.1).
 * @param options `artifacts` are those of the request
 */
export function createRevocation(options: {
  inspect: Verifier['inspect'];
  artifacts: Artifacts;
}): (token: string, clientId: string) => Promise<Revocation> {
  const { inspect, artifacts } = options;
  return async function revoke(token, clientId) {
    const verification = await inspect(token);
    if (!verification.valid || clientOf(verification.claims) !== clientId) return { outcome: 'ignored' };
    const { jti, exp } = verification.claims;
    if (typeof jti !== 'string') return { outcome: 'nameless' };

    const remembered = await artifacts.find(JWT_ACCESS_TOKEN, jti);
    // Whoever has the shared secret can sign a token of its own with the `jti` of another client's.
    if (remembered !== undefined && remembered['clientId'] !== clientId) return { outcome: 'ignored' };
    const writes: ArtifactWrite[] = [{ do: 'deny', jti, expiresAt: exp }];
    if (typeof remembered?.['grantId'] === 'string') writes.push({ do: 'revoke', grantId: remembered['grantId'] });
    await artifacts.apply(writes);
    const accountId = remembered?.['accountId'];
    return { outcome: 'revoked', jti, ...(typeof accountId === 'string' && { accountId }) };
  };
}
