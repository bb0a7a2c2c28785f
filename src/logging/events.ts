// The security events of this service: one name, level and sentence each, so that a log can be searched for them.
import { createHash } from 'node:crypto';
import type { Level, Logger } from 'pino';

const events = {
  started: ['info', 'started'],
  interactionStarted: ['info', 'interaction started'],
  loginSucceeded: ['info', 'login succeeded'],
  loginFailed: ['warn', 'login failed'],
  consentGranted: ['info', 'consent granted'],
  consentRefused: ['info', 'consent refused'],
  logoutSucceeded: ['info', 'logout succeeded'],
  clientAuthenticationFailed: ['warn', 'client authentication failed'],
  tokenIssued: ['info', 'token issued'],
  tokenRefused: ['warn', 'token refused'],
  codeReplayed: ['error', 'authorization code replayed, its tokens are revoked'],
  refreshTokenReused: ['error', 'refresh token reused, its tokens are revoked'],
  grantRevoked: ['info', 'grant revoked'],
  tokenRevoked: ['info', 'token revoked'],
  signingKeyPublished: ['info', 'the next signing key is published'],
  signingKeyForgotten: ['info', 'a signing key that was removed is forgotten'],
} as const satisfies Record<string, readonly [Level, string]>;

/**
 * What is known about an event. What a person typed as a login is not among it: people type passwords there.
 */
export interface EventFacts {
  requestId?: string | undefined;
  clientId?: string | undefined;
  /** the subject; only of an account that exists */
  accountId?: string | undefined;
  /** a token, code or its id; logged as `tokenHash`, never as it is */
  tokenId?: string | undefined;
  /** the address of the connection */
  peer?: string | undefined;
  /** the address behind trusted proxies */
  ip?: string | undefined;
  grantType?: string | undefined;
  audience?: string | undefined;
  scope?: string | undefined;
  /** the RFC's error code that the client got */
  error?: string | undefined;
  /** why, for the operator */
  reason?: string | undefined;
  /** of the settings the process runs with */
  configHash?: string | undefined;
}

/** Writes one line per event, with the event's name in `event`. */
export type AuditLog = { readonly [name in keyof typeof events]: (facts: EventFacts) => void };

/** Names a token in the log so that its events can be told together: SHA-256, base64url, the first 16 characters. */
export function tokenHash(tokenId: string): string {
  return createHash('sha256').update(tokenId).digest('base64url').slice(0, 16);
}

/** Creates the audit log on top of a logger. */
export function createAuditLog(logger: Logger): AuditLog {
  const writers = Object.entries(events).map(([event, [level, message]]) => [
    event,
    ({ tokenId, ...facts }: EventFacts) => {
      const token = tokenId === undefined ? {} : { tokenHash: tokenHash(tokenId) };
      logger[level]({ event, ...facts, ...token }, message);
    },
  ]);
  return Object.fromEntries(writers) as AuditLog;
}
