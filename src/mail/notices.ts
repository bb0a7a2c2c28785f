// Letters that nobody asked for: they tell the owner of an account what was changed about it, whoever changed it.
import type { Texts } from '../../views/texts/en.ts';
import type { LetterLimits } from '../accounts/letter-limits.ts';
import type { Account } from '../store.ts';
import type { Letter } from './delivery.ts';
import { type Letters, type SignInChange, textsOfLocale } from './letters.ts';
import type { Mailer } from './mailer.ts';

/**
 * Each goes to the verified address of the account as it is given, in its language, else in that of the texts; without such
 * an address there is none, nor for what is done over and over. Nobody waits for them, and a change is made whether or not
 * they arrive.
 */
export interface Notices {
  passwordChanged(account: Account, texts: Texts): void;
  signInChanged(account: Account, texts: Texts, change: SignInChange): void;
  /** @param account as it was, with the address that it has no more */
  emailChanged(account: Account, texts: Texts): void;
}

export function createNotices(parts: {
  letters: (texts: Texts) => Letters;
  mailer: Pick<Mailer, 'sendLater'>;
  limits: Pick<LetterLimits, 'allowsNotice'>;
}): Notices {
  /** @param kind of the change, each of which is counted by itself */
  function tell(account: Account, texts: Texts, kind: string, write: (letters: Letters, to: string) => Letter): void {
    const { email, email_verified: isVerified, locale } = account.claims;
    if (email === undefined || !isVerified) return;
    const letter = write(parts.letters(textsOfLocale(locale) ?? texts), email);
    parts.mailer.sendLater(async () => {
      return (await parts.limits.allowsNotice(kind, account.id)) ? letter : undefined;
    });
  }

  return {
    passwordChanged: (account, texts) =>
      tell(account, texts, 'passwordChanged', (letters, to) => letters.passwordChanged(to, account)),
    signInChanged: (account, texts, change) =>
      tell(account, texts, change.what, (letters, to) => letters.signInChanged(to, account, change)),
    emailChanged: (account, texts) =>
      tell(account, texts, 'emailChanged', (letters, to) => letters.emailChanged(to, account)),
  };
}
