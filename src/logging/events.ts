// The security events of this service: one name, level and sentence each, so that a log can be searched for them.
import { hash, randomBytes } from 'node:crypto';
import type { Level } from 'pino';
import type { AuditEvent, Clock } from '../store.ts';
import { type Logger, logClean } from './logger.ts';
import { cleanFields } from './redaction.ts';

const events = {
  started: ['info', 'serves with these settings'],
  interactionStarted: ['info', 'interaction started'],
  loginSucceeded: ['info', 'login succeeded'],
  loginFailed: ['warn', 'login failed'],
  loginThrottled: ['warn', 'login not considered, after too many failures'],
  secondFactorFailed: ['warn', 'second factor failed'],
  secondFactorEnrolled: ['info', 'second factor enrolled'],
  secondFactorRemoved: ['info', 'second factor removed'],
  recoveryCodeUsed: ['warn', 'recovery code used'],
  recoveryCodesReplaced: ['info', 'recovery codes replaced'],
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
  passwordResetRequested: ['info', 'letter to choose a new password sent'],
  passwordReset: ['info', 'password reset by a letter'],
  invitationAccepted: ['info', 'invitation accepted'],
  signedUp: ['info', 'end-user signed up'],
  emailVerified: ['info', 'e-mail address verified'],
  signingKeyPublished: ['info', 'the next signing key is published'],
  signingKeyForgotten: ['info', 'a signing key that was removed is forgotten'],
  identityLinked: ['info', 'identity elsewhere linked'],
  identityUnlinked: ['info', 'identity elsewhere unlinked'],
  passkeyAdded: ['info', 'passkey added'],
  passkeyRemoved: ['info', 'passkey removed'],
  passkeyRefused: ['warn', 'passkey refused'],
  profileChanged: ['info', 'profile changed by the end-user'],
  emailChangeRequested: ['info', 'another e-mail address asked for by the end-user'],
  passwordChanged: ['info', 'password changed by the end-user'],
  sessionEnded: ['info', 'session ended by the end-user'],
  otherSessionsEnded: ['info', 'other sessions and tokens ended by the end-user'],
  accessEnded: ['info', 'access of a client ended by the end-user'],
  administration: ['info', 'changed by an administrator'],
  eventsLost: ['error', 'audit events were lost'],
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
  /** who, when it is neither client nor end-user: `cli:` and the name of the operating system's user */
  actor?: string | undefined;
  /** what an administrator did: the command as it was given */
  command?: string | undefined;
  /** how many, where events are counted */
  count?: number | undefined;
}

export type EventName = keyof typeof events;

/** Whether there is an event of that name. */
export function isEventName(name: string): name is EventName {
  return Object.hasOwn(events, name);
}

/** Writes one line per event, with the event's name in `event`, and records it where events are kept. */
export type AuditLog = { readonly [name in EventName]: (facts: EventFacts) => void };

/** Names a token in the log so that its events can be told together: SHA-256, base64url, the first 16 characters. */
export function tokenHash(tokenId: string): string {
  return hash('sha256', tokenId, 'base64url').slice(0, 16);
}

declare const clean: unique symbol;

/** What is known, fit to be read: the token's hash in the place of the token, and nothing that is empty. */
export type CleanFacts = Readonly<Record<string, unknown>> & { clientId?: string; accountId?: string; [clean]: true };

export function cleanFacts({ tokenId, ...facts }: EventFacts): CleanFacts {
  const token = tokenId === undefined ? undefined : tokenHash(tokenId);
  return cleanFields(definedOnly({ ...facts, tokenHash: token })) as CleanFacts;
}

/** Makes events as they are kept. */
export function createEventFactory(clock: Clock): (event: EventName, facts: CleanFacts) => AuditEvent {
  const process = randomBytes(6).toString('base64url');
  let number = 0;
  return (event, { clientId, accountId, ...facts }) => {
    number += 1;
    return {
      id: `${base36(Date.now(), 9)}${base36(number, 8)}${process}`,
      at: clock(),
      event,
      ...(clientId !== undefined && { clientId }),
      ...(accountId !== undefined && { accountId }),
      facts,
    };
  };
}

/** Sorts like the number in every collation. */
function base36(value: number, digits: number): string {
  return value.toString(36).padStart(digits, '0');
}

function definedOnly(facts: Record<string, unknown>): Record<string, unknown> {
  const defined: Record<string, unknown> = {};
  for (const name in facts) if (facts[name] !== undefined && facts[name] !== '') defined[name] = facts[name];
  return defined;
}

/** Creates the audit log on top of a logger. `record`, where given, takes each event as well. */
export function createAuditLog(
  logger: Logger,
  { record }: { record?: (event: EventName, facts: CleanFacts) => void } = {},
): AuditLog {
  const writers = Object.entries(events).map(([name, [level, message]]) => [
    name,
    (facts: EventFacts) => {
      const cleaned = cleanFacts(facts);
      logClean(logger, level, { event: name, ...cleaned }, message);
      record?.(name as EventName, cleaned);
    },
  ]);
  return Object.fromEntries(writers) as AuditLog;
}
