// Answers what a JWT access token of ours stands for (RFC 7662), to a client that may know.
import type { ClientRecord } from '../store.ts';
import type { VerifiedClaims } from './claim-rules.ts';
import type { Verifier } from './verification.ts';

/** The answer in wire names (RFC 7662 §2.2). */
export type Introspection = { active: false } | ({ active: true; token_type: string } & Record<string, unknown>);

/** An authenticated client; a public one only says who it is. */
export interface AskingClient {
  readonly clientId: string;
  readonly isPublic: boolean;
}

/**
 * A token that is not active, and one that is none of the asking client's business, get the same answer (RFC 7662 §4).
 * @param options `findClient` finds what a client was granted
 */
export function createIntrospection(options: {
  inspect: Verifier['inspect'];
  findClient: (clientId: string) => Promise<ClientRecord | undefined>;
}): (token: string, asking: AskingClient) => Promise<Introspection> {
  return async function introspect(token, asking) {
    const verification = await options.inspect(token);
    if (!verification.valid) return { active: false };
    const { claims } = verification;
    if (!(await mayKnow(asking, claims))) return { active: false };
    // the names of claims are the names of members, except for these two
    return { ...claims, active: true, token_type: isBoundToProof(claims) ? 'DPoP' : 'Bearer' };
  };

  /**
   * The client that the token was issued to, and the resource server that it is for, which is known by its client id
   * being the audience or by having been granted that audience. A public client could be anybody: its own tokens only.
   */
  async function mayKnow({ clientId, isPublic }: AskingClient, claims: VerifiedClaims): Promise<boolean> {
    if (clientOf(claims) === clientId) return true;
    const audience = String([claims.aud].flat()[0]);
    if (isPublic) return false;
    if (audience === clientId) return true;
    const client = await options.findClient(clientId);
    return client !== undefined && Object.hasOwn(client.audiences, audience);
  }
}

/** The client that the token was issued to; a service that signed it itself names itself in `sub`. */
export function clientOf(claims: VerifiedClaims): unknown {
  return claims['client_id'] ?? claims.sub;
}

function isBoundToProof(claims: VerifiedClaims): boolean {
  const confirmation = claims['cnf'];
  return typeof confirmation === 'object' && confirmation !== null && 'jkt' in confirmation;
}
