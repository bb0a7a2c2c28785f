// Where an account is signed in, and how that ends: the session with its tokens, and every application told.
import { type Client, errors, type Provider, type Session } from 'oidc-provider';
import type { Logger } from 'pino';
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
 * has ended for every process once the promise resolves; a request that is under way then fails. Clients that asked to
 * be told are told (OpenID Connect Back-Channel Logout §2.5); whether they can be reached changes nothing.
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

/** The library's types leave the method out. */
type LogoutClient = Client & { backchannelLogout(sub: string, sid: string): Promise<void> };

type StoredSession = ArtifactPayload & Session & SessionFacts;

/** @param options.artifacts the store's own, since nothing may keep a session alive because its request failed */
export function createAccountSessions(options: {
  artifacts: Artifacts;
  /** the one in use */
  provider(): Provider;
  logger: Logger;
}): AccountSessions {
  const { artifacts, logger } = options;

  async function sessionsOf(accountId: string): Promise<StoredSession[]> {
    return (await artifacts.listOf('Session', accountId)) as StoredSession[];
  }

  async function tellClients({ accountId, authorizations = {} }: StoredSession): Promise<void> {
    const provider = options.provider();
    await Promise.all(
      Object.entries(authorizations).map(async ([clientId, { sid }]) => {
        try {
          const client = await findClient(provider, clientId);
          if (client?.backchannelLogoutUri) await client.backchannelLogout(String(accountId), String(sid));
        } catch (error) {
          logger.warn({ err: error, clientId, accountId }, 'back-channel logout failed');
        }
      }),
    );
  }

  async function endSessions(sessions: readonly StoredSession[], beside: readonly ArtifactWrite[]): Promise<void> {
    await artifacts.apply([...sessions.flatMap(endingOf), ...beside]);
    await Promise.all(sessions.map(tellClients));
  }

  return {
    async list(accountId) {
      const sessions = (await sessionsOf(accountId)).map(present);
      return sessions.sort((a, b) => b.usedAt - a.usedAt);
    },

    async end(accountId, uid) {
      const session = (await sessionsOf(accountId)).find((one) => one.uid === uid);
      if (session === undefined) return false;
      await endSessions([session], []);
      return true;
    },

    async endAll(accountId, { except } = {}) {
      const [sessions, grants, interactions] = await Promise.all([
        sessionsOf(accountId),
        artifacts.listOf('Grant', accountId),
        artifacts.listOf('Interaction', accountId),
      ]);
      const kept = sessions.find(({ uid }) => uid === except);
      const keptGrants = new Set(grantsOf(kept));
      const ended = sessions.filter((session) => session !== kept);
      await endSessions(ended, [
        ...grants
          .filter(({ jti }) => !keptGrants.has(String(jti)))
          .map(({ jti }): ArtifactWrite => ({ do: 'revoke', grantId: String(jti) })),
        ...interactions.map(({ jti }): ArtifactWrite => ({ do: 'destroy', model: 'Interaction', id: String(jti) })),
      ]);
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

function grantsOf(session: StoredSession | undefined): string[] {
  return Object.values(session?.authorizations ?? {}).flatMap(({ grantId }) => grantId ?? []);
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

/** A client that is gone, or that the library takes nothing from any more, is not told anything. */
async function findClient(provider: Provider, clientId: string): Promise<LogoutClient | undefined> {
  try {
    return (await provider.Client.find(clientId)) as LogoutClient | undefined;
  } catch (error) {
    if (error instanceof errors.InvalidClient) return undefined;
    throw error;
  }
}
