// The rules for issuers: which URLs may be one, and how PUBLIC_URL and JWT_ISSUER go together.
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { shown } from './values.ts';
import type { Environment, Mode } from './variables.ts';

/** The two issuers of an installation. */
export interface Issuers {
  /** of the OpenID Provider: a URL */
  readonly issuer: string;
  /** of tokens signed with the shared secret: the same URL, or a plain name */
  readonly sharedSecretIssuer: string;
}

/** True for `localhost` and the names below it (RFC 6761 §6.3), 127.0.0.0/8 and `[::1]`, as `URL` spells host names. */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return true;
  const address = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

/** A URL that can be an issuer (RFC 8414 §2). `http` is for a loopback host outside production. */
export function issuerUrl(production: boolean) {
  return z.string().transform((text, context) => {
    const fault = issuerFault(text, production);
    if (fault) context.addIssue(`must be ${fault}, got ${shown(text)}`);
    return text;
  });
}

/** An issuer URL, or the plain name that stands in the `iss` of shared-secret tokens. */
export function tokenIssuer(production: boolean) {
  return z.string().transform((text, context) => {
    const fault = tokenIssuerFault(text, production);
    if (fault) context.addIssue(`must be ${fault}, got ${shown(text)}`);
    return text;
  });
}

/** What is wrong between `PUBLIC_URL` and `JWT_ISSUER`, when each alone is what the schema wants. */
export function issuerProblems(env: Environment, mode: Mode): string[] {
  const { PUBLIC_URL: publicUrl, JWT_ISSUER: jwtIssuer } = env;
  const production = mode === 'production';
  if (production && !jwtIssuer) {
    return ['JWT_ISSUER: must be set in production to the issuer, an https URL or a plain name, got nothing'];
  }
  if (publicUrl && issuerFault(publicUrl, production)) return [];
  if (jwtIssuer && tokenIssuerFault(jwtIssuer, production)) return [];
  if (publicUrl && jwtIssuer && isUrl(jwtIssuer) && jwtIssuer !== publicUrl) {
    return [`PUBLIC_URL: must be the same URL as JWT_ISSUER, or JWT_ISSUER a plain name, got ${shown(publicUrl)}`];
  }
  if (production && jwtIssuer && !publicUrl && !isUrl(jwtIssuer)) {
    return ['PUBLIC_URL: must be set to an https URL, because JWT_ISSUER is a plain name, got nothing'];
  }
  return [];
}

/** The issuers of an environment without problems. */
export function issuersOf(env: Environment, port: number): Issuers {
  const { PUBLIC_URL: publicUrl, JWT_ISSUER: jwtIssuer } = env;
  const url = jwtIssuer && isUrl(jwtIssuer) ? jwtIssuer : undefined;
  const issuer = publicUrl ?? url ?? `http://localhost:${port}`;
  return { issuer, sharedSecretIssuer: jwtIssuer ?? issuer };
}

/** An `iss` with a colon has to be a URI (RFC 7519 §2), so only a name without one is plain. */
function isUrl(text: string): boolean {
  return text.includes(':');
}

function tokenIssuerFault(text: string, production: boolean): string | undefined {
  return isUrl(text) ? issuerFault(text, production) : nameFault(text);
}

/** What the text would have to be, or undefined when it is an issuer already. */
function issuerFault(text: string, production: boolean): string | undefined {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return 'an https URL such as https://id.example.com';
  const url = new URL(text);
  if (/[?#]/.test(text)) return 'an issuer without query or fragment';
  if (text.includes('@')) return 'an issuer without user name or password';
  if (text.endsWith('/')) return 'an issuer without a trailing slash';
  // The path becomes the path of cookies and the mount point: nothing that either would read in its own way.
  if (!/^(\/[\w.~-]+)*\/?$/.test(url.pathname)) return 'an issuer whose path has only letters, digits and - . _ ~';
  if (url.href !== text && url.href !== `${text}/`) return `an issuer in its normal form, ${shown(normalForm(url))}`;
  if (url.protocol === 'https:') return undefined;
  if (production) return 'an https URL in production';
  return isLoopback(url.hostname) ? undefined : 'an https URL (http for loopback only)';
}

function normalForm(url: URL): string {
  return url.href.replace(/\/$/, '');
}

/** A name with a slash is a URL that lost its scheme. */
function nameFault(text: string): string | undefined {
  const plain = /^[^\p{C}\s/](?:[^\p{C}/]{0,253}[^\p{C}\s/])?$/u.test(text);
  return plain ? undefined : 'an https URL, or a plain name of at most 255 characters without a slash';
}
