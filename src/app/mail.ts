// Letters and the links in them: what is sent, how it leaves, how often, and what a link opens.
import { createLetterLimits } from '../accounts/letter-limits.ts';
import { createOneTimeLinks } from '../accounts/one-time-links.ts';
import { createPrintedDelivery, createSmtpDelivery, type Deliver } from '../mail/delivery.ts';
import { createLetters } from '../mail/letters.ts';
import { createMailer } from '../mail/mailer.ts';
import { createNotices } from '../mail/notices.ts';
import type { Account } from '../store.ts';
import type { AppOptions } from './domain.ts';

export function createMail(
  { config, store, logger, clock, letterOutput }: AppOptions,
  findAccount: (id: string) => Promise<Account | undefined>,
) {
  const [encryptionKey] = config.encryptionKeys as [string];
  const mailer = createMailer({ deliver: deliveryOf(config, letterOutput), logger });
  const letters = createLetters({ installation: config.installation.name, issuer: config.issuer, clock });
  const limits = createLetterLimits({ rateLimits: store.rateLimits, encryptionKey, clock });
  return {
    mailer,
    /** without mail nobody can prove an address */
    allowSignUp: config.allowSignUp && mailer.isConfigured,
    letters,
    notices: createNotices({ letters, mailer, limits }),
    links: createOneTimeLinks({ artifacts: store.artifacts, findAccount }),
    limits,
  };
}

/** Undefined where there is no mail. Printed in development only: whoever reads the output can open every account. */
function deliveryOf({ mail, mode }: AppOptions['config'], output: AppOptions['letterOutput']): Deliver | undefined {
  if (mail) return createSmtpDelivery(mail);
  return output && mode === 'development' ? createPrintedDelivery(output) : undefined;
}
