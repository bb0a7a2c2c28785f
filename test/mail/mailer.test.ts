// Mail as it leaves: over SMTP to a real server, once, in the background, and with nothing in it that was not meant.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { MailServer } from '../../src/config/mail.ts';
import { createLogger } from '../../src/logging/logger.ts';
import { createPrintedDelivery, createSmtpDelivery, DeliveryFailed, probeMailServer } from '../../src/mail/delivery.ts';
import { createMailer } from '../../src/mail/mailer.ts';
import { type Mailbox, openMailbox } from '../support/mailbox.ts';

const from = { name: 'Zoë’s Accounts', address: 'accounts@example.com' };
const letter = { to: 'alice@example.org', subject: 'Grüße', text: 'Öffnen Sie\n\nhttps://id.example.com/a/b=c\n' };

function recordingLogger() {
  const log: Record<string, unknown>[] = [];
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void log.push(JSON.parse(line)) } });
  return { log, logger };
}

function serverAt(port: number, more: Partial<MailServer> = {}): MailServer {
  return { host: '127.0.0.1', port, tls: 'none', ...more };
}

describe('a letter over SMTP', () => {
  let mailbox: Mailbox;
  before(async () => {
    mailbox = await openMailbox();
  });
  after(() => mailbox[Symbol.asyncDispose]());

  it('arrives as it was written, from the mailbox of the configuration, and asks for no automatic answer (RFC 3834 §5)', async () => {
    await createSmtpDelivery({ server: serverAt(mailbox.port), from })(letter);
    const received = await mailbox.next();
    assert.deepEqual([received.from, received.to], ['accounts@example.com', ['alice@example.org']]);
    assert.equal(received.subject, 'Grüße');
    assert.equal(received.text.replaceAll('\r\n', '\n').trimEnd(), letter.text.trimEnd());
    assert.deepEqual(received.links, ['https://id.example.com/a/b=c']);
    assert.match(String(received.headers['content-type']), /^text\/plain; charset=utf-8/);
    assert.equal(received.headers['auto-submitted'], 'auto-generated');
    assert.match(String(received.headers['message-id']), /@example\.com>$/);
  });

  it('signs in with the credentials of the URL', async () => {
    const credentials = { user: 'mailer@example.com', password: 'p/ss wörd' };
    await createSmtpDelivery({ server: serverAt(mailbox.port, { credentials }), from })(letter);
    assert.equal((await mailbox.next()).user, 'mailer@example.com:p/ss wörd');
  });

  const INJECTIONS: [string, Partial<typeof letter>][] = [
    ['a line break in the subject', { subject: 'Hello\r\nBcc: eve@example.net\r\n\r\nbody' }],
    ['a line separator in the subject', { subject: 'Hello\u2028Bcc: eve@example.net' }],
    ['a header in the text', { text: '\r\n.\r\nRCPT TO:<eve@example.net>\r\n' }],
  ];
  for (const [what, parts] of INJECTIONS) {
    it(`has no other recipient or header for ${what}`, async () => {
      await createSmtpDelivery({ server: serverAt(mailbox.port), from })({ ...letter, ...parts });
      const received = await mailbox.next();
      assert.deepEqual(received.to, ['alice@example.org']);
      assert.equal(received.headers['bcc'], undefined);
      assert.equal(received.headers['to'], 'alice@example.org');
    });
  }

  for (const to of [
    'alice@example.org, eve@example.net',
    'alice@example.org\r\nBcc: eve@example.net',
    'alice@example.org>\r\nRCPT TO:<eve@example.net',
    'Alice <alice@example.org>',
    'alice',
    '',
  ]) {
    it(`never leaves for ${JSON.stringify(to)}`, async () => {
      const before = mailbox.letters.length;
      await assert.rejects(
        createSmtpDelivery({ server: serverAt(mailbox.port), from })({ ...letter, to }),
        DeliveryFailed,
      );
      assert.equal(mailbox.letters.length, before);
    });
  }
});

describe('TLS to a mail server', () => {
  it('is not done without where it is required: a server that offers none does not get the password', async () => {
    const told: unknown[] = [];
    await using mailbox = await openMailbox({
      onAuth: ({ password }, _session, done) => {
        told.push(password);
        done(null, { user: 'mailer' });
      },
    });
    const credentials = { user: 'mailer', password: 'a-password-for-mail' };
    const deliverOver = (tls: MailServer['tls']) =>
      createSmtpDelivery({ server: serverAt(mailbox.port, { tls, credentials }), from })(letter);
    await assert.rejects(deliverOver('required'), DeliveryFailed);
    assert.deepEqual([told, mailbox.letters.length], [[], 0]);
    await deliverOver('none');
    assert.deepEqual([told, mailbox.letters.length], [['a-password-for-mail'], 1]);
  });

  it('is not done with a certificate that nobody vouches for', async () => {
    await using mailbox = await openMailbox({ hideSTARTTLS: false });
    for (const tls of ['required', 'offered'] as const) {
      const deliver = createSmtpDelivery({ server: serverAt(mailbox.port, { tls }), from });
      await assert.rejects(deliver(letter), DeliveryFailed, tls);
    }
    assert.equal(mailbox.letters.length, 0);
  });
});

describe('a mail server', () => {
  it('is tried without a letter: whether it answers, speaks TLS where it must, and takes the password', async () => {
    await using mailbox = await openMailbox({
      authOptional: false,
      onAuth: ({ password }, _session, done) => done(password === 'right' ? null : new Error('no'), { user: 'a' }),
    });
    const probe = (more: Partial<MailServer>) => probeMailServer({ server: serverAt(mailbox.port, more), from });
    await probe({ credentials: { user: 'mailer', password: 'right' } });
    const REFUSED: [Partial<MailServer>, RegExp][] = [
      [{ credentials: { user: 'mailer', password: 'wrong' } }, /^EAUTH 535$/],
      [{ tls: 'required' }, /^E\w+( \d+)?$/],
      [{ tls: 'implicit' }, /^E\w+$/],
      [{ port: await closedPort() }, /^ESOCKET$/],
    ];
    for (const [more, reason] of REFUSED) {
      await assert.rejects(probe(more), (error) => error instanceof DeliveryFailed && reason.test(error.message));
    }
    assert.deepEqual(mailbox.letters, []);
  });
});

describe('the mailer', () => {
  it('answers before the mail server does, and its letter arrives all the same', async () => {
    await using mailbox = await openMailbox();
    const { logger, log } = recordingLogger();
    const mailer = createMailer({ deliver: createSmtpDelivery({ server: serverAt(mailbox.port), from }), logger });
    await mailer.send(letter);
    assert.equal(mailbox.letters.length, 0);
    await mailer.drain(5_000);
    assert.equal(mailbox.letters.length, 1);
    assert.deepEqual(log, []);
  });

  it('tries again when the server says later (RFC 5321 §4.2.1), without a word in the log', async () => {
    await using mailbox = await openMailbox();
    mailbox.refuse(451, 2);
    const { logger, log } = recordingLogger();
    const deliver = createSmtpDelivery({ server: serverAt(mailbox.port), from });
    const mailer = createMailer({ deliver, logger, retryMs: [1, 1, 1] });
    await mailer.send(letter);
    await mailbox.next();
    await mailer.drain(5_000);
    assert.equal(mailbox.letters.length, 1);
    assert.deepEqual(log, []);
  });

  it('gives up at once when the server says never, and logs that once, naming nobody', async () => {
    await using mailbox = await openMailbox();
    mailbox.refuse(550, 1);
    const { logger, log } = recordingLogger();
    const mailer = createMailer({ deliver: createSmtpDelivery({ server: serverAt(mailbox.port), from }), logger });
    await mailer.send(letter);
    await mailer.drain(5_000);
    assert.deepEqual(mailbox.letters, []);
    assert.deepEqual(
      log.map(({ msg, reason, attempts }) => [msg, reason, attempts]),
      [['a letter could not be sent', 'EMESSAGE 550', 1]],
    );
    assert.doesNotMatch(JSON.stringify(log), /alice|id\.example\.com/);
  });

  it('gives up after its last attempt, and logs that once', async () => {
    const port = await closedPort();
    const { logger, log } = recordingLogger();
    const deliver = createSmtpDelivery({ server: serverAt(port), from });
    const given = Promise.withResolvers<void>();
    const warn = (...said: Parameters<typeof logger.warn>) => {
      logger.warn(...said);
      given.resolve();
    };
    const mailer = createMailer({ deliver, logger: { warn, error: warn } as typeof logger, retryMs: [1, 1] });
    await mailer.send(letter);
    await given.promise;
    await mailer.drain(5_000);
    assert.deepEqual(
      log.map(({ reason, attempts }) => [reason, attempts]),
      [['ESOCKET', 3]],
    );
  });

  it('makes one last attempt for what waits when the process ends', async () => {
    await using mailbox = await openMailbox();
    mailbox.refuse(451, 1);
    const { logger, log } = recordingLogger();
    const deliver = createSmtpDelivery({ server: serverAt(mailbox.port), from });
    const failed = Promise.withResolvers<void>();
    const mailer = createMailer({
      deliver: (sent) =>
        deliver(sent).catch((error) => {
          failed.resolve();
          throw error;
        }),
      logger,
      retryMs: [3_600_000],
    });
    await mailer.send(letter);
    await failed.promise;
    await mailer.drain(5_000);
    assert.equal(mailbox.letters.length, 1);
    assert.deepEqual(log, []);
  });

  it('ends in time beside a server that never answers, and logs that letters are lost', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const sockets: { destroy(): unknown }[] = [];
    silent.on('connection', (socket) => void sockets.push(socket));
    try {
      const { logger, log } = recordingLogger();
      const server = serverAt((silent.address() as AddressInfo).port);
      const mailer = createMailer({ deliver: createSmtpDelivery({ server, from }), logger });
      for (let number = 0; number < 3; number += 1) await mailer.send(letter);
      const before = performance.now();
      await mailer.drain(50);
      assert.ok(performance.now() - before < 2_000);
      assert.deepEqual(
        log.map(({ msg, count }) => [msg, count]),
        [['letters are lost: the process ends before they are sent', 3]],
      );
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it('holds so many letters and no more, and logs each that is lost', async () => {
    const { logger, log } = recordingLogger();
    const hold = Promise.withResolvers<void>();
    const mailer = createMailer({ deliver: () => hold.promise, logger, queueLimit: 2, concurrency: 1 });
    for (let number = 0; number < 4; number += 1) await mailer.send(letter);
    assert.deepEqual(
      log.map(({ msg }) => msg),
      ['a letter is lost: too many are waiting'],
    );
    hold.resolve();
    await mailer.drain(1_000);
  });

  it('writes a letter in the background as well, sends none where there is none, and logs when that fails', async () => {
    await using mailbox = await openMailbox();
    const { logger, log } = recordingLogger();
    const mailer = createMailer({ deliver: createSmtpDelivery({ server: serverAt(mailbox.port), from }), logger });
    mailer.sendLater(async () => letter);
    mailer.sendLater(async () => undefined);
    mailer.sendLater(async () => {
      throw new Error('the store is gone');
    });
    await mailer.drain(5_000);
    assert.equal(mailbox.letters.length, 1);
    assert.deepEqual(
      log.map(({ msg }) => msg),
      ['a letter could not be written'],
    );
  });

  it('writes one that must not be seen at a time that nobody can foresee, in order, and before it ends', async () => {
    const { logger } = recordingLogger();
    const mailer = createMailer({ deliver: async () => {}, logger });
    const began = performance.now();
    const written: { name: number; afterMs: number }[] = [];
    for (let name = 0; name < 10; name += 1) {
      mailer.sendUnseen(async () => {
        written.push({ name, afterMs: performance.now() - began });
        return undefined;
      });
    }
    assert.equal(written.length, 0);
    await mailer.drain(5_000);
    assert.deepEqual(
      written.map(({ name }) => name),
      [...Array(10).keys()],
    );
    // ten that were all due in the first tenth of the time: one of 10^10
    assert.ok(Number(written.at(-1)?.afterMs) > 50);
  });

  it('does nothing where there is no mail', async () => {
    const { logger, log } = recordingLogger();
    const mailer = createMailer({ logger });
    assert.equal(mailer.isConfigured, false);
    await mailer.send(letter);
    mailer.sendLater(async () => assert.fail('nothing is to be written'));
    mailer.sendUnseen(async () => assert.fail('nothing is to be written'));
    await mailer.drain(1_000);
    assert.deepEqual(log, []);
  });

  it('prints letters for a person in development', async () => {
    let printed = '';
    const deliver = createPrintedDelivery({
      write: (text) => {
        printed += text;
      },
    });
    await deliver({ ...letter, subject: 'Two\nlines' });
    assert.match(
      printed,
      /^To: alice@example\.org\nSubject: Two lines\n\nÖffnen Sie\n\nhttps:\/\/id\.example\.com\/a\/b=c\n-+\n$/m,
    );
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
