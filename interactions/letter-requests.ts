// What the pages around letters have in common: their forms are ours, their links open once, their ends lead on.
import type { Context } from 'koa';
import type { AccountDirectory } from '../src/accounts/directory.ts';
import type { LetterLimits } from '../src/accounts/letter-limits.ts';
import type { LinkPurpose, OneTimeLinks, OpenLink, SignInToResume } from '../src/accounts/one-time-links.ts';
import type { PasswordRules } from '../src/accounts/password-rules.ts';
import type { SecondFactorDirectory } from '../src/accounts/second-factors.ts';
import { addressesOf } from '../src/http/addresses.ts';
import { type Parameters, readForm } from '../src/http/body.ts';
import { type FormTokens, refuseForeignForms } from '../src/http/form-guard.ts';
import { textsFor } from '../src/http/languages.ts';
import type { OutcomePage } from '../src/http/page-contents.ts';
import type { PageResponses } from '../src/http/page-responses.ts';
import type { AuditLog } from '../src/logging/events.ts';
import type { Letter } from '../src/mail/delivery.ts';
import { type Letters, linkPaths, textsOfLocale } from '../src/mail/letters.ts';
import type { Mailer } from '../src/mail/mailer.ts';
import type { Notices } from '../src/mail/notices.ts';
import type { AccountSessions } from '../src/provider/account-sessions.ts';
import type { Account } from '../src/store.ts';
import type { Texts } from '../views/texts/en.ts';
import type { Resumptions } from './resumption.ts';

/** What the pages around letters work with. */
export interface LetterParts {
  accounts: AccountDirectory;
  links: OneTimeLinks;
  letters: (texts: Texts) => Letters;
  mailer: Mailer;
  notices: Notices;
  limits: LetterLimits;
  passwordRules: PasswordRules;
  secondFactors: Pick<SecondFactorDirectory, 'factorsOf'>;
  sessions: Pick<AccountSessions, 'endAll'>;
  resumptions: Resumptions;
  pages: PageResponses;
  tokens: FormTokens;
  audit: AuditLog;
  issuer: string;
  allowSignUp: boolean;
}

/** How something ended, by the sentences of `outcome`. */
export type OutcomeName = {
  [Name in keyof Texts['outcome']]: Texts['outcome'][Name] extends { title: string } ? Name : never;
}[keyof Texts['outcome']];

/** The form of a page, which must be ours. @param page what its token is bound to @throws 403 */
export async function formOf(ctx: Context, { issuer, tokens }: LetterParts, page: string): Promise<Parameters> {
  refuseForeignForms(ctx, issuer);
  const form = await readForm(ctx);
  if (!tokens.verify(page, form['csrf']))
    ctx.throw(403, 'the form was not one of ours, or is too old', { expose: true });
  return form;
}

/** The token in the URL with the link that it opens, or undefined once the page says that there is none. */
export async function linkOf(
  ctx: Context,
  parts: LetterParts,
  purpose: LinkPurpose,
): Promise<{ token: string; link: OpenLink } | undefined> {
  const token = String(ctx['params'].token);
  const link = await parts.links.find(purpose, token);
  if (link === undefined) {
    showLinkGone(ctx, parts, purpose);
    return undefined;
  }
  return { token, link };
}

/** Says that the link does not open, whatever the reason, and how to get another one. */
export function showLinkGone(ctx: Context, parts: LetterParts, purpose: LinkPurpose): void {
  const { mailer, allowSignUp, resumptions } = parts;
  const canAskAgain = mailer.isConfigured && (purpose === 'PasswordReset' || (purpose === 'SignUp' && allowSignUp));
  ctx.status = 400;
  const isInvitation = purpose === 'Invitation';
  showOutcome(ctx, parts, isInvitation ? 'invitationGone' : 'linkGone', (words) => {
    if (canAskAgain) return { href: resumptions.url(linkPaths[purpose], undefined), label: words.askAgain };
    // which begins a sign-in
    return { href: resumptions.url('/account', undefined), label: isInvitation ? words.signIn : words.toAccount };
  });
}

/** The page that ends something; the status stays as it is. @param buttonOf where it leads, in the words of `outcome` */
export function showOutcome(
  ctx: Context,
  { pages }: LetterParts,
  name: OutcomeName,
  buttonOf: (words: Texts['outcome']) => { href: string; label: string } | undefined,
  more: Pick<OutcomePage, 'again'> = {},
): void {
  const texts = textsFor(ctx);
  const button = buttonOf(texts.outcome);
  pages.show(ctx, 'outcome', { ...texts.outcome[name], ...(button && { button }), ...more }, { texts });
}

/**
 * The page after a form that asks for a letter: the same whoever asked, and whether one was sent.
 * @param path of the form
 */
export function showSent(ctx: Context, parts: LetterParts, name: OutcomeName, path: string): void {
  const { resumptions } = parts;
  const signIn = resumptions.find(ctx);
  const buttonOf = ({ back, toAccount }: Texts['outcome']) =>
    signIn
      ? { href: resumptions.page(signIn), label: back }
      : { href: resumptions.url('/account', undefined), label: toAccount };
  showOutcome(ctx, parts, name, buttonOf, { again: { href: resumptions.url(path, signIn) } });
}

/** The button that leads into the sign-in, else to the account page, which begins one. */
export function onward({ resumptions }: LetterParts, signIn: SignInToResume | undefined) {
  return (words: Texts['outcome']) =>
    signIn
      ? { href: resumptions.page(signIn), label: words.signIn }
      : { href: resumptions.url('/account', undefined), label: words.toAccount };
}

/** Writes and sends a letter some time after the answer has left, so that no time tells whether there is one. */
export function sendUnseen(
  ctx: Context,
  { mailer }: Pick<LetterParts, 'mailer'>,
  write: () => Promise<Letter | undefined>,
): void {
  ctx.res.once('close', () => mailer.sendUnseen(write));
}

/** Letters in the language of the account, or else of the request. */
export function lettersTo(ctx: Context, { letters }: LetterParts, account?: Account): Letters {
  return letters(textsOfLocale(account?.claims.locale) ?? textsFor(ctx));
}

/** Who and where, for the audit log. */
export function factsOf(ctx: Context, account?: Account) {
  return { requestId: ctx.response.get('x-request-id'), accountId: account?.id, ...addressesOf(ctx) };
}
