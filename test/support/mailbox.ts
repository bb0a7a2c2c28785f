// A mail server for tests: takes letters over SMTP on loopback, and hands them to the test as a person would read them.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A letter as it arrived. */
export interface ReceivedLetter {
  /** of the envelope (RFC 5321 §2.3.1) */
  readonly from: string;
  readonly to: readonly string[];
  /** header fields by lower-case name, unfolded */
  readonly headers: Readonly<Record<string, string>>;
  /** decoded words (RFC 2047) */
  readonly subject: string;
  readonly text: string;
  /** every byte of it */
  readonly source: string;
  /** the links in it, in order */
  readonly links: readonly string[];
  readonly secure: boolean;
  readonly user: string | undefined;
}

export interface Mailbox extends AsyncDisposable {
  /** for SMTP_URL */
  readonly url: string;
  readonly port: number;
  /** everything that arrived, in order */
  readonly letters: readonly ReceivedLetter[];
  /** The next letter that nobody has taken yet. @throws Error when none comes */
  next(): Promise<ReceivedLetter>;
  /** the next so many attempts are answered with this SMTP code */
  refuse(code: number, times: number): void;
}

/** @param options of the server, on top of: no TLS, no authentication */
export async function openMailbox(options: SMTPServerOptions = {}): Promise<Mailbox> {
  const letters: ReceivedLetter[] = [];
  const arrivals: (() => void)[] = [];
  let taken = 0;
  let refusal = { code: 0, times: 0 };
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    logger: false,
    onAuth: (auth, _session, done) => done(null, { user: `${auth.username}:${auth.password}` }),
    onData(stream, session, done) {
      void text(stream).then((source) => {
        if (refusal.times > 0) {
          refusal = { ...refusal, times: refusal.times - 1 };
          done(Object.assign(new Error('not now'), { responseCode: refusal.code }));
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        const from = mailFrom ? mailFrom.address : '';
        const to = rcptTo.map(({ address }) => address);
        const user = typeof session.user === 'string' ? session.user : undefined;
        letters.push({ from, to, ...read(source), source, secure: session.secure, user });
        for (const arrived of arrivals.splice(0)) arrived();
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  const listener = server.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    letters,
    async next() {
      const deadline = AbortSignal.timeout(5_000);
      while (letters.length <= taken) {
        await new Promise<void>((resolve, reject) => {
          arrivals.push(resolve);
          deadline.addEventListener('abort', () => reject(new Error('no letter came')), { once: true });
        });
      }
      taken += 1;
      return letters[taken - 1] as ReceivedLetter;
    },
    refuse(code, times) {
      refusal = { code, times };
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function read(source: string): Pick<ReceivedLetter, 'headers' | 'subject' | 'text' | 'links'> {
  const end = source.indexOf('\r\n\r\n');
  const fields = source
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => [
      field.slice(0, field.indexOf(':')).toLowerCase(),
      field.slice(field.indexOf(':') + 1).trim(),
    ]),
  );
  const body = decode(source.slice(end + 4), headers['content-transfer-encoding'] ?? '7bit');
  const subject = (headers['subject'] ?? '')
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_, kind: string, word: string) => {
      return kind.toLowerCase() === 'b'
        ? decode(word, 'base64')
        : decode(word.replaceAll('_', ' '), 'quoted-printable');
    });
  return { headers, subject, text: body, links: body.match(/https?:\/\/\S+/g) ?? [] };
}

function decode(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString();
  if (encoding !== 'quoted-printable') return body;
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([\dA-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
