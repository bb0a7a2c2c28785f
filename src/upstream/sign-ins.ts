// Sign-ins that are under way at another provider: what must be remembered until the browser comes back.
import { randomBytes } from 'node:crypto';
import { AlreadyConsumed, type Artifacts, type Clock } from '../store.ts';
import type { UpstreamChecks } from './upstream.ts';

const MODEL = 'UpstreamSignIn';
/** Seconds for typing a password elsewhere. */
const LIFETIME = 15 * 60;

/** The sign-in there is for an interaction that waits for it. */
export interface InteractionPurpose {
  interaction: string;
  query: string;
  /** whether the session is to outlive the browser's */
  remember: boolean;
}

/** What the sign-in there is for: an interaction, or an account that will be linked. */
export type UpstreamPurpose = InteractionPurpose | { accountId: string; sessionUid: string };

export interface PendingSignIn<Purpose extends UpstreamPurpose = UpstreamPurpose> {
  upstream: string;
  purpose: Purpose;
  checks: UpstreamChecks;
}

export interface PendingSignIns {
  /** @param options.anew whether a session there is not enough */
  begin(upstream: string, purpose: UpstreamPurpose, options?: { anew?: boolean }): Promise<PendingSignIn>;
  /** The one of this `state`, as long as nobody has taken it. */
  find(state: unknown): Promise<PendingSignIn | undefined>;
  /** The same, once: whoever comes second gets nothing. */
  take(state: unknown): Promise<PendingSignIn | undefined>;
}

/** @param artifacts writes must take effect at once, whatever is answered */
export function createPendingSignIns(artifacts: Pick<Artifacts, 'find' | 'apply'>, clock: Clock): PendingSignIns {
  async function find(state: unknown): Promise<PendingSignIn | undefined> {
    const found = typeof state === 'string' && state.length <= 64 ? await artifacts.find(MODEL, state) : undefined;
    return found && found['consumed'] === undefined ? (found['pending'] as PendingSignIn) : undefined;
  }

  return {
    find,
    async begin(upstream, purpose, { anew = false } = {}) {
      const [state, nonce, codeVerifier] = [random(), random(), random()];
      const checks = { state, nonce, codeVerifier, ...(anew && { anewSince: clock() }) };
      const pending = { upstream, purpose, checks };
      const owner = 'accountId' in purpose ? { accountId: purpose.accountId } : {};
      const payload = { jti: state, ...owner, pending };
      await artifacts.apply([{ do: 'upsert', model: MODEL, id: state, payload, expiresIn: LIFETIME }]);
      return pending;
    },
    async take(state) {
      const pending = await find(state);
      if (pending === undefined) return undefined;
      try {
        await artifacts.apply([{ do: 'consume', model: MODEL, id: pending.checks.state }]);
        return pending;
      } catch (error) {
        if (error instanceof AlreadyConsumed) return undefined;
        throw error;
      }
    },
  };
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
