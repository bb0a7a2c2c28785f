// Tells the applications of a session that it has ended, beside the logouts that the library tells them of itself.
import { type Client, errors, type Provider } from 'oidc-provider';
import type { Logger } from 'pino';
import type { EndedSession } from './account-sessions.ts';

/** The library's types leave the method out. */
type LogoutClient = Client & { backchannelLogout(sub: string, sid: string): Promise<void> };

/**
 * Sends a logout token to each client that asked for it (OpenID Connect Back-Channel Logout §2.5). Never rejects: a
 * client that cannot be reached is a line in the log.
 */
export function createBackChannelLogout(options: {
  /** the one in use */
  provider(): Provider;
  logger: Logger;
}): (session: EndedSession) => Promise<void> {
  return async function tellClients({ accountId, authorizations = {} }) {
    const provider = options.provider();
    await Promise.all(
      Object.entries(authorizations).map(async ([clientId, { sid }]) => {
        try {
          const client = await findClient(provider, clientId);
          if (client?.backchannelLogoutUri) await client.backchannelLogout(accountId, String(sid));
        } catch (error) {
          options.logger.warn({ err: error, clientId, accountId }, 'back-channel logout failed');
        }
      }),
    );
  };
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
