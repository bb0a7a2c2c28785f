// Remembers what may be presented only once: client assertions (RFC 7523 §3) and DPoP proofs (RFC 9449 §11.1).
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { errors, Provider } from 'oidc-provider';
import { type Artifacts, CLIENT_ASSERTION, type Clock, DPOP_PROOF } from '../store.ts';

/** A signed statement, by what makes it unique; `exp` in epoch seconds: later it is refused for that. */
export interface Statement {
  readonly issuer: string;
  readonly jti: string;
  readonly exp: number;
}

export interface Replays {
  /**
   * False when it was presented before, which `request` is remembered for. Of two at once, the commit of the request
   * lets one through: the other one's fails with AlreadyConsumed.
   */
  isFirst(
    request: IncomingMessage | undefined,
    model: typeof CLIENT_ASSERTION | typeof DPOP_PROOF,
    statement: Statement,
  ): Promise<boolean>;
  /** Whether the request presented something for another time: it has guessed at nothing. */
  isReplay(request: IncomingMessage): boolean;
}

export function createReplays(options: { artifacts: Pick<Artifacts, 'find' | 'apply'>; clock: Clock }): Replays {
  const { artifacts, clock } = options;
  const replays = new WeakSet<IncomingMessage>();
  return {
    isReplay: (request) => replays.has(request),
    async isFirst(request, model, { issuer, jti, exp }) {
      const id = createHash('sha256')
        .update(JSON.stringify([issuer, jti]))
        .digest('base64url');
      if (await artifacts.find(model, id)) {
        if (request) replays.add(request);
        return false;
      }
      const payload = { iss: issuer, jti: id, kind: model };
      await artifacts.apply([{ do: 'upsert', model, id, payload, expiresIn: exp - clock() + 1 }]);
      return true;
    },
  };
}

/**
 * The library keeps both kinds in one place, and answers a replayed proof at the token endpoint with `invalid_grant`;
 * it is an invalid proof (RFC 9449 §5).
 * https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/models/replay_detection.js
 */
export function rememberReplaysOurselves({ ReplayDetection }: Provider, replays: Replays): void {
  const authenticated = new WeakSet<IncomingMessage>();

  ReplayDetection.unique = async function isFirst(issuer, jti, exp) {
    const { ctx } = Provider;
    const model = ctx && isAboutAssertion(ctx.req, ctx.oidc.params) ? CLIENT_ASSERTION : DPOP_PROOF;
    const first = await replays.isFirst(ctx?.req, model, { issuer, jti, exp });
    if (!first && model === DPOP_PROOF && ctx?.path === '/token') {
      throw new errors.InvalidDpopProof('the DPoP proof was used before');
    }
    return first;
  };

  /** Clients are authenticated before anything else is looked at. */
  function isAboutAssertion(request: IncomingMessage, parameters: Record<string, unknown> = {}): boolean {
    if (parameters['client_assertion'] === undefined || authenticated.has(request)) return false;
    authenticated.add(request);
    return true;
  }
}
