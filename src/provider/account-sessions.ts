// Where an account is signed in, and how that ends: the session with its tokens, and every application told.
import type { Session } from 'oidc-provider';
import { type ArtifactPayload, type Artifacts, type ArtifactWrite, sessionGrant } from '../store.ts';
import type { Device, SessionFacts } from './sessions.ts';

/** One browser in which somebody is signed in. */
export interface AccountSession {
  uid: string;
  /** epoch seconds */
  signedInAt: number;
  /** epoch seconds: when an application last asked who is signed in */
  usedAt: number;
  /** unknown of sessions that were begun by an earlier version */
  device?: Device;
  /** the clients that somebody signed in to there */
  clientIds: readonly string[];
}

/**
 * The sessions of accounts. What ends, ends with all its tokens, those for offline access and the JWTs included, and
 * has ended for every process once the promise resolves; a request that is under way then fails. With it ends an address
 * that waits for its letter.
 */
export interface AccountSessions {
  /** The one that was used last comes first. */
  list(accountId: string): Promise<AccountSession[]>;
  /** False when the account has no such session. @throws StoreUnavailable */
  end(accountId: string, uid: string): Promise<boolean>;
  /**
   * Ends all sessions, the sign-ins that are under way, and all tokens of the account, wherever they came from. Answers
   * how many sessions there were.
   * @param options.except uid of the session to leave alone, with its tokens
   * @throws StoreUnavailable
   */
  endAll(accountId: string, options?: { except?: string | undefined }): Promise<number>;
}

type StoredSession = ArtifactPayload & Session & SessionFacts & { accountId: string };

/** What is left to be known of a session that has ended; by client id, in the library's words. */
export type EndedSession = Pick<StoredSession, 'accountId' | 'authorizations'>;

/** @param options.artifacts the store's own, since nothing may keep a session alive because its request failed */
export function createAccountSessions(options: {
  artifacts: Artifacts;
  /** told of each session after it has ended; must not reject */
  onEnd?: (session: EndedSession) => Promise<void>;
}): AccountSessions {
  const { artifacts, onEnd = async () => {} } = options;

  async function sessionsOf(accountId: string): Promise<StoredSession[]> {
    return (await artifacts.listOf('Session', accountId)) as StoredSession[];
  }

  /** Of the account, but for those of a session that goes on; a session that has ended makes no more of them. */
  async function revokeGrants(accountId: string, kept: ReadonlySet<string>): Promise<void> {
    const grants = (await artifacts.listOf('Grant', accountId)).map(({ jti }) => String(jti));
    const others = grants.filter((grantId) => !kept.has(grantId));
    if (others.length > 0) await artifacts.apply(others.map((grantId) => ({ do: 'revoke', grantId })));
  }

  /** Whoever ends sessions that are not theirs means what was asked for there, too: an address that waits for its letter. */
  async function endPendingAddress(accountId: string): Promise<ArtifactWrite[]> {
    const links = await artifacts.listOf('EmailVerification', accountId);
    return links.map(({ jti }) => ({ do: 'destroy', model: 'EmailVerification', id: String(jti) }));
  }

  /** Ends what there is at this moment. */
  async function endFound(accountId: string, except: string | undefined) {
    const [sessions, interactions] = await Promise.all([
      sessionsOf(accountId),
      artifacts.listOf('Interaction', accountId),
    ]);
    const kept = sessions.find(({ uid }) => uid === except);
    const ended = sessions.filter((session) => session !== kept);
    await artifacts.apply([
      ...ended.flatMap(endingOf),
      ...interactions.map(({ jti }): ArtifactWrite => ({ do: 'destroy', model: 'Interaction', id: String(jti) })),
      ...(await endPendingAddress(accountId)),
    ]);
    return { kept, ended, signIns: interactions.length };
  }

  return {
    async list(accountId) {
      const sessions = (await sessionsOf(accountId)).map(present);
      return sessions.sort((a, b) => b.usedAt - a.usedAt);
    },

    async end(accountId, uid) {
      const session = (await sessionsOf(accountId)).find((one) => one.uid === uid);
      if (session === undefined) return false;
      await artifacts.apply([...endingOf(session), ...(await endPendingAddress(accountId))]);
      await onEnd(session);
      return true;
    },

    async endAll(accountId, { except } = {}) {
      const first = await endFound(accountId, except);
      // a sign-in that was found may have become a session before it was ended
      const second = first.signIns > 0 ? await endFound(accountId, except) : undefined;
      const { kept } = second ?? first;
      await revokeGrants(accountId, new Set(kept && grantsOf(kept)));
      const ended = [...first.ended, ...(second?.ended ?? [])];
      await Promise.all(ended.map(onEnd));
      return ended.length;
    },
  };
}

function endingOf(session: StoredSession): ArtifactWrite[] {
  const grantIds = [...grantsOf(session), sessionGrant(session.uid)];
  return [
    ...grantIds.map((grantId): ArtifactWrite => ({ do: 'revoke', grantId })),
    // one that an earlier version has written does not end with its grant
    { do: 'destroy', model: 'Session', id: session.jti },
  ];
}

function grantsOf({ authorizations = {} }: StoredSession): string[] {
  return Object.values(authorizations).flatMap(({ grantId }) => grantId ?? []);
}

function present({
  uid,
  iat,
  loginTs = iat,
  usedAt = loginTs,
  device,
  authorizations = {},
}: StoredSession): AccountSession {
  return { uid, signedInAt: loginTs, usedAt, ...(device && { device }), clientIds: Object.keys(authorizations) };
}
