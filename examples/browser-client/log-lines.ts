// Calls the logging service on behalf of the end-user, with an access token that was issued for it.
import type { BrowserClientConfig } from './config.ts';

export interface LogLine {
  readonly service: string;
  readonly level: string;
  readonly message: string;
  readonly created_at: string;
}

export interface LogLines {
  /** @throws LoggingFailed */
  write(accessToken: string, message: string, user: string): Promise<void>;
  /** The latest lines, newest first. @throws LoggingFailed */
  latest(accessToken: string): Promise<LogLine[]>;
}

/** The logging service did not do it; the message says why and may be shown. */
export class LoggingFailed extends Error {}

export function createLogLines({ loggingUrl }: Pick<BrowserClientConfig, 'loggingUrl'>): LogLines {
  async function call(path: string, accessToken: string, body?: object): Promise<unknown> {
    const response = await fetch(loggingUrl + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { Authorization: `Bearer ${accessToken}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'error', // a bearer token must not follow anyone anywhere else
      signal: AbortSignal.timeout(5000),
    }).catch((cause) => {
      throw new LoggingFailed(`The logging service at ${loggingUrl} does not answer.`, { cause });
    });
    const answer = (await response.json().catch(() => ({}))) as { error_description?: string };
    if (response.ok) return answer;
    throw new LoggingFailed(
      `The logging service refused (${response.status}): ${answer.error_description ?? 'no reason given'}.`,
    );
  }

  return {
    async write(accessToken, message, user) {
      await call('/log', accessToken, { service: 'browser-client', level: 'INFO', message, context: { user } });
    },
    async latest(accessToken) {
      return ((await call('/logs?limit=10', accessToken)) as LogLine[]).reverse();
    },
  };
}
