// The schema of the environment: the values that each variable may have on its own.
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isLoopback, issuerUrl, tokenIssuer } from './issuer.ts';
import { mailbox, mailServer } from './mail.ts';
import { clientSecret, secretList } from './secrets.ts';
import { VOUCHING_IDS } from './upstreams.ts';
import { reading, shown } from './values.ts';
import type { Mode, VariableName } from './variables.ts';

export const FEATURES = [
  'registration',
  'open-registration',
  'device',
  'ciba',
  'jarm',
  'mtls',
  'token-exchange',
  'implicit',
  'pairwise',
  'fapi2',
] as const;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/**
 * The schema of an `Environment`: what each variable means on its own. Rules between variables are in `config.ts`,
 * because a schema stops at the first bad field and an operator wants every problem at once.
 */
export function environmentSchema(mode: Mode) {
  const production = mode === 'production';
  return z.object({
    NODE_ENV: z.string().optional(),
    PUBLIC_URL: issuerUrl(production).optional(),
    JWT_ISSUER: tokenIssuer(production).optional(),
    COOKIE_SECRET: secretList().optional(),
    FLASK_SECRET_KEY: secretList().optional(),
    JWT_SECRET_KEY: secretList(),
    ENCRYPTION_KEY: secretList(),
    JWT_EXPIRATION_MINUTES: integer(1, 1440).default(15),
    KEY_PUBLISH_DAYS: integer(1, 365).default(14),
    KEY_SIGN_DAYS: integer(1, 3650).default(90),
    // tokens live for a day at most, and some verifier's clock or cache is late
    KEY_RETIRE_DAYS: integer(2, 365).default(14),
    SESSION_IDLE_MINUTES: integer(5, 43_200).default(720),
    SESSION_DAYS: integer(1, 365).default(30),
    DATABASE_URL: databaseUrl(production).default({ engine: 'sqlite', path: 'data/identity.db' }),
    PORT: integer(0, 65_535).default(3000),
    HOST: reading('an IP address or a host name', hostName).default(production ? '0.0.0.0' : '127.0.0.1'),
    WEB_CONCURRENCY: integer(1, 64).default(1),
    TRUSTED_PROXIES: listOf('IP addresses or CIDR ranges', addressRange).default([]),
    BROWSER_UI_CLIENT_SECRET: clientSecret(production).optional(),
    BROWSER_UI_REDIRECT_URIS: redirectUris(production).optional(),
    UPSTREAM_GOOGLE_CLIENT_ID: upstreamClientId.optional(),
    UPSTREAM_GOOGLE_CLIENT_SECRET: upstreamSecret.optional(),
    UPSTREAM_MICROSOFT_CLIENT_ID: upstreamClientId.optional(),
    UPSTREAM_MICROSOFT_CLIENT_SECRET: upstreamSecret.optional(),
    UPSTREAM_MICROSOFT_TENANT: reading('a tenant id, a domain, common, organizations or consumers', tenant).optional(),
    UPSTREAM_GITHUB_CLIENT_ID: upstreamClientId.optional(),
    UPSTREAM_GITHUB_CLIENT_SECRET: upstreamSecret.optional(),
    UPSTREAM_OIDC_ISSUER: backendUrl(production).optional(),
    UPSTREAM_OIDC_NAME: reading('1 to 64 printable characters', nameOf64).optional(),
    UPSTREAM_OIDC_CLIENT_ID: upstreamClientId.optional(),
    UPSTREAM_OIDC_CLIENT_SECRET: upstreamSecret.optional(),
    UPSTREAM_LINK_BY_EMAIL: listOf(`any of ${VOUCHING_IDS.join(', ')}`, (text) =>
      VOUCHING_IDS.find((id) => id === text),
    ).default([]),
    SMTP_URL: mailServer(production).optional(),
    MAIL_FROM: mailbox().optional(),
    ALLOW_SIGN_UP: reading('1, true, yes, on, 0, false, no or off', truth).default(false),
    INSTALLATION_NAME: reading('1 to 64 printable characters', nameOf64).optional(),
    INSTALLATION_LOGO_URL: logoUrl(production).optional(),
    INSTALLATION_COLOR: reading('a colour as rrggbb or #rrggbb', hexColor).optional(),
    LOGGING_BACKEND_URL: backendUrl(production).optional(),
    LOGGING_BACKEND_AUD: reading('1 to 255 printable characters', nameOf255).default('logging-service'),
    IDENTITY_SUB: reading('1 to 255 printable characters', nameOf255).default('identity-backend'),
    DEMO_USERNAME: reading('1 to 255 printable characters', nameOf255).optional(),
    DEMO_PASSWORD: z.string().optional(),
    ALLOW_UNAUTHENTICATED_TOKENS: reading('1, true, yes, on, 0, false, no or off', truth).default(false),
    OIDC_FEATURES: listOf(`any of ${FEATURES.join(', ')}`, (text) => FEATURES.find((f) => f === text)).default([]),
    CLOCK_SKEW_SECONDS: integer(0, 60).default(15),
    LOG_LEVEL: reading(`one of ${LOG_LEVELS.join(', ')}`, (text) =>
      LOG_LEVELS.find((level) => level === text.toLowerCase()),
    ).default('info'),
  } satisfies Record<VariableName, z.ZodType>);
}

/** `true` and `false` in an operator's words; anything else is undefined. */
export function truth(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(word)) return true;
  if (['0', 'false', 'no', 'off'].includes(word)) return false;
  return undefined;
}

function integer(min: number, max: number) {
  return reading(`a whole number from ${min} to ${max}`, (text) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

function listOf<T>(expected: string, parse: (element: string) => T | undefined) {
  return z.string().transform((text, context) =>
    text.split(',').flatMap((part) => {
      const element = part.trim();
      const value = element === '' ? undefined : parse(element);
      if (value === undefined) context.addIssue(`must be ${expected}, comma-separated, got ${shown(element)}`);
      return value === undefined ? [] : [value];
    }),
  );
}

/** Made elsewhere, so its strength is theirs to judge; never shown. */
const upstreamSecret = z
  .string()
  .refine((text) => /^[!-~]+$/.test(text), 'must be printable ASCII without spaces, got something else');

const upstreamClientId = reading('1 to 255 printable characters', nameOf255);

function tenant(text: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/.test(text) ? text : undefined;
}

function hostName(text: string): string | undefined {
  return ipaddr.isValid(text) || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text) ? text : undefined;
}

/** Four-part IPv4 only: `10` and `127.1` are addresses to the library but typing errors to a person. */
function addressRange(text: string): string | undefined {
  const valid =
    ipaddr.IPv4.isValidFourPartDecimal(text) ||
    ipaddr.IPv4.isValidCIDRFourPartDecimal(text) ||
    ipaddr.IPv6.isValid(text) ||
    ipaddr.IPv6.isValidCIDR(text);
  return valid ? text : undefined;
}

function nameOf255(text: string): string | undefined {
  return /^[^\p{C}\s](?:[^\p{C}]{0,253}[^\p{C}\s])?$/u.test(text) ? text : undefined;
}

function nameOf64(text: string): string | undefined {
  return [...text].length <= 64 ? nameOf255(text) : undefined;
}

function hexColor(text: string): string | undefined {
  const digits = /^#?([\da-f]{6})$/i.exec(text)?.[1];
  return digits && `#${digits.toLowerCase()}`;
}

/** The text as a URL with neither user name nor characters that a URL parser would silently drop or turn. */
function httpUrl(text: string): URL | undefined {
  if (!/^https?:\/\/[^\s\\\p{C}]+$/u.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === '' && url.password === '' && !text.includes('#') ? url : undefined;
}

function isSafe(url: URL, production: boolean): boolean {
  return !production || url.protocol === 'https:' || isLoopback(url.hostname);
}

/** Kept as typed: redirect URIs are compared by exact string (RFC 9700 §2.1). */
function redirectUris(production: boolean) {
  const expected = production ? 'https URLs (http for loopback only)' : 'http or https URLs';
  return listOf(`${expected} without user name or fragment`, (text) => {
    const url = httpUrl(text);
    return url && isSafe(url, production) ? text : undefined;
  });
}

function backendUrl(production: boolean) {
  const expected = production ? 'an https URL (http for loopback only)' : 'an http or https URL';
  return reading(`${expected} without user name, query or fragment`, (text) => {
    const url = httpUrl(text);
    return url && !text.includes('?') && isSafe(url, production) ? text.replace(/\/+$/, '') : undefined;
  });
}

/** Pages name its host in their Content-Security-Policy, which knows no address of IPv6. */
function logoUrl(production: boolean) {
  const expected = production ? 'an https URL' : 'an http or https URL';
  return reading(`${expected} without user name or fragment`, (text) => {
    const url = httpUrl(text);
    const isFit = url && /^[\w.-]+$/.test(url.hostname) && !(production && url.protocol === 'http:');
    return isFit ? url.href : undefined;
  });
}

type Database = { engine: 'sqlite'; path: string } | { engine: 'postgres'; url: string };

/** A database URL may hold a password, so a bad one is never shown. */
function databaseUrl(production: boolean) {
  return z.string().transform((text, context): Database => {
    const path = /^sqlite:(?!\/\/)(\S(?:.*\S)?)$/.exec(text)?.[1];
    const inMemory = path?.startsWith(':') ?? false;
    if (path !== undefined && !(inMemory && production)) return { engine: 'sqlite', path };
    if (/^postgres(ql)?:\/\/\S+$/.test(text) && URL.canParse(text)) return { engine: 'postgres', url: text };
    context.addIssue(
      inMemory
        ? 'must be kept on disk in production, got a database in memory'
        : 'must be sqlite:PATH or postgres://…, got something else',
    );
    return z.NEVER;
  });
}
