// The ways in which a letter leaves: to a message submission server, or, in development, to the terminal.
import type { MailServer, MailSettings, MailTls } from '../config/mail.ts';

/** A letter as it leaves: plain text, no picture that tells when it was read. */
export interface Letter {
  /** one address (RFC 5321 §2.3.11) */
  to: string;
  subject: string;
  text: string;
}

/** The letter did not leave; `permanent` when trying again would change nothing. Names neither recipient nor content. */
export class DeliveryFailed extends Error {
  override name = 'DeliveryFailed';
  readonly permanent: boolean;
  constructor(reason: string, permanent: boolean) {
    super(reason);
    this.permanent = permanent;
  }
}

/** Resolves once the letter is the next server's business. @throws DeliveryFailed */
export type Deliver = (letter: Letter) => Promise<void>;

const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

const TLS: Record<MailTls, { secure?: true; requireTLS?: true; ignoreTLS?: true }> = {
  implicit: { secure: true },
  required: { requireTLS: true },
  offered: {},
  none: { ignoreTLS: true },
};

/** Hands each letter to the server, on a connection of its own; certificates are always checked. */
export function createSmtpDelivery({ server, from }: MailSettings): Deliver {
  let transport: ReturnType<typeof transportTo> | undefined;
  return async ({ to, subject, text }) => {
    const recipient = recipientOf(to);
    transport ??= transportTo(server);
    try {
      await (await transport).sendMail({
        from: { name: from.name ?? '', address: from.address },
        to: { name: '', address: recipient },
        subject: oneLine(subject),
        text,
        // nobody's holiday notice comes back (RFC 3834 §5)
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    } catch (error) {
      throw failureOf(error);
    }
  };
}

/** Connects and signs in, and sends nothing. @throws DeliveryFailed */
export async function probeMailServer({ server }: MailSettings): Promise<void> {
  try {
    await (await transportTo(server)).verify();
  } catch (error) {
    throw failureOf(error);
  }
}

/** The library is loaded with the first letter: most processes never send one. */
async function transportTo({ host, port, tls, credentials }: MailServer) {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host,
    port,
    ...TLS[tls],
    ...(credentials && { auth: { user: credentials.user, pass: credentials.password } }),
    tls: { minVersion: 'TLSv1.2' },
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** Prints each letter so that a person can read it, and follow its link. */
export function createPrintedDelivery(out: { write(text: string): unknown }): Deliver {
  return async ({ to, subject, text }) => {
    const rule = '-'.repeat(78);
    out.write(`${rule}\nTo: ${recipientOf(to)}\nSubject: ${oneLine(subject)}\n\n${text.trimEnd()}\n${rule}\n`);
  };
}

/** One address, and nothing that a header or an SMTP command would read as more than that. */
function recipientOf(address: string): string {
  if (/^[^\s@<>(),;:\\"[\]\p{C}]+@[^\s@<>(),;:\\"\p{C}]+$/u.test(address)) return address;
  throw new DeliveryFailed('the recipient is not one address', true);
}

function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}

/** The server's own words may repeat the recipient, so only its codes are kept. */
function failureOf(error: unknown): DeliveryFailed {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  const answer = typeof responseCode === 'number' ? ` ${responseCode}` : '';
  const permanent = typeof responseCode === 'number' && responseCode >= 500;
  return new DeliveryFailed(`${typeof code === 'string' ? code : 'failed'}${answer}`, permanent);
}
