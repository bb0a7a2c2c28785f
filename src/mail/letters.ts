// The letters themselves: what each says, in the language of its reader, with the one link that it is sent for.
import type { Texts } from '../../views/texts/en.ts';
import { languages } from '../http/languages.ts';
import type { Clock } from '../store.ts';
import type { Letter } from './delivery.ts';

/** Where the links of letters lead, below the issuer; a link is one of these, a slash and its token. */
export const linkPaths = {
  PasswordReset: '/reset-password',
  Invitation: '/invitation',
  EmailVerification: '/verify-email',
  SignUp: '/sign-up',
} as const;

/** What was changed about the ways into an account. */
export interface SignInChange {
  what: keyof Texts['letters']['signInChanged']['changes'];
  /** the other provider, as people here know it */
  elsewhere?: string;
}

/** Letters in one language. Nothing that a stranger has typed stands in them, but the address they go to. */
export interface Letters {
  passwordReset(to: string, account: { username: string }, token: string): Letter;
  passwordChanged(to: string, account: { username: string }): Letter;
  signInChanged(to: string, account: { username: string }, change: SignInChange): Letter;
  invitation(to: string, token: string): Letter;
  emailVerification(to: string, token: string): Letter;
  signUp(to: string, token: string): Letter;
  /** to somebody who signs up with the address of an account */
  alreadySignedUp(to: string): Letter;
  /** to the address that an account had until now */
  emailChanged(to: string, account: { username: string }): Letter;
}

/** The URL that a letter carries. @param issuer whose URL all others are built from, never a request's host */
export function linkUrl(issuer: string, purpose: keyof typeof linkPaths, token: string): string {
  return `${issuer}${linkPaths[purpose]}/${token}`;
}

/** @returns the letters in the language of those texts; times in them are UTC */
export function createLetters(parts: {
  /** what end-users know this service as */
  installation: string;
  issuer: string;
  clock: Clock;
}): (texts: Texts) => Letters {
  const { installation, issuer, clock } = parts;
  const signature = `${installation}\n${issuer}`;
  return ({ dates, letters }) => {
    const write = (to: string, { subject }: Words, ...paragraphs: (string | undefined)[]): Letter => {
      const text = [letters.greeting, ...paragraphs.filter((paragraph) => paragraph !== undefined), signature];
      return { to, subject: subject(installation), text: `${text.join('\n\n')}\n` };
    };
    const withLink = (to: string, words: InvitingWords, purpose: keyof typeof linkPaths, token: string): Letter =>
      write(to, words, words.before(installation), linkUrl(issuer, purpose, token), words.after);
    const at = () => instantIn(dates, clock());
    const forgotten = `${issuer}${linkPaths.PasswordReset}`;
    return {
      passwordReset(to, { username }, token) {
        const words = letters.passwordReset;
        return write(to, words, words.before(username), linkUrl(issuer, 'PasswordReset', token), words.after);
      },
      passwordChanged(to, { username }) {
        const words = letters.passwordChanged;
        return write(to, words, words.before(username, at()), forgotten);
      },
      signInChanged(to, { username }, { what, elsewhere = '' }) {
        const { changes, advice } = letters.signInChanged;
        return write(to, changes[what], changes[what].before(username, at(), elsewhere), advice, `${issuer}/account`);
      },
      invitation: (to, token) => withLink(to, letters.invitation, 'Invitation', token),
      emailVerification: (to, token) => withLink(to, letters.emailVerification, 'EmailVerification', token),
      signUp: (to, token) => withLink(to, letters.signUp, 'SignUp', token),
      alreadySignedUp(to) {
        const words = letters.alreadySignedUp;
        return write(to, words, words.before(installation), forgotten, words.after);
      },
      emailChanged(to, { username }) {
        const words = letters.emailChanged;
        return write(to, words, words.before(username, at()));
      },
    };
  };
}

interface Words {
  subject(installation: string): string;
}

interface InvitingWords extends Words {
  before(installation: string): string;
  after: string;
}

/** The texts in the language of an account (its claim `locale`), if we speak it. */
export function textsOfLocale(locale: string | undefined): Texts | undefined {
  const [language] = (locale ?? '').toLowerCase().split(/[-_]/);
  return languages.find((texts) => texts.language === language);
}

function instantIn(language: string, seconds: number): string {
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  return `${format.format(seconds * 1000)} UTC`;
}
