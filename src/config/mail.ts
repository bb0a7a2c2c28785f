// What the environment says about mail: the server that takes it, whom it comes from, and whether strangers may sign up.
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isLoopback } from './issuer.ts';
import { reading } from './values.ts';
import type { Environment, Mode } from './variables.ts';

/** How connections to a mail server are protected: from the first byte, by STARTTLS or not at all, or if it offers. */
export type MailTls = 'implicit' | 'required' | 'offered' | 'none';

/** A message submission server (RFC 6409). */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly tls: MailTls;
  readonly credentials?: { readonly user: string; readonly password: string };
}

/** Whom mail comes from (RFC 5322 §3.4). */
export interface Mailbox {
  readonly name?: string;
  readonly address: string;
}

/** How mail leaves. */
export interface MailSettings {
  readonly server: MailServer;
  readonly from: Mailbox;
}

/** The URL may hold a password, so a bad one is never shown. */
export function mailServer(production: boolean) {
  return z.string().transform((text, context): MailServer => {
    const server = serverOf(text, production);
    if (server) return server;
    context.addIssue('must be smtp://USER:PASSWORD@HOST:PORT or smtps://…, and nothing behind it, got something else');
    return z.NEVER;
  });
}

/** `address`, or `Name <address>`. */
export function mailbox() {
  return reading('an e-mail address, or Name <address>', (text): Mailbox | undefined => {
    const [, quoted, plain, address = text] = /^\s*(?:"([^"\\]*)"|([^"<>]*?))\s*<([^<>]*)>\s*$/u.exec(text) ?? [];
    const name = (quoted ?? plain ?? '').trim();
    if (!/^[^\s@<>(),;:\\"[\]\p{C}]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/u.test(address))
      return undefined;
    if (/\p{C}/u.test(name) || [...name].length > 64) return undefined;
    return { ...(name && { name }), address };
  });
}

/** What is missing between the variables of mail. */
export function mailProblems(env: Environment, mode: Mode): string[] {
  const problems: string[] = [];
  if (env.SMTP_URL && !env.MAIL_FROM) problems.push('MAIL_FROM: must be set with SMTP_URL, got nothing');
  if (mode === 'production' && env.MAIL_FROM && !env.SMTP_URL) {
    problems.push('SMTP_URL: must be set with MAIL_FROM, got nothing');
  }
  return problems;
}

/** Undefined when mail is off. */
export function mailOf(values: { SMTP_URL?: MailServer | undefined; MAIL_FROM?: Mailbox | undefined }) {
  const { SMTP_URL: server, MAIL_FROM: from } = values;
  return server && from ? { server, from } : undefined;
}

function serverOf(text: string, production: boolean): MailServer | undefined {
  if (!/^smtps?:\/\/[^\s\\?#\p{C}]+$/u.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, hostname, port, pathname, username, password } = new URL(text);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const isHost = ipaddr.isValid(host) || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(host);
  if (!isHost || (pathname !== '' && pathname !== '/') || port === '0' || !username !== !password) return undefined;
  const implicit = protocol === 'smtps:';
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === undefined || secret === undefined) return undefined;
  return {
    host,
    port: port ? Number(port) : implicit ? 465 : 587,
    tls: implicit ? 'implicit' : tlsTo(hostname, production),
    ...(user && { credentials: { user, password: secret } }),
  };
}

/** A relay on the same machine rarely has a certificate for `localhost`, and nobody listens in between. */
function tlsTo(hostname: string, production: boolean): MailTls {
  if (isLoopback(hostname)) return 'none';
  return production ? 'required' : 'offered';
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
