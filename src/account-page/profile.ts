// The pages of what an account says about its owner: the name, and the e-mail address.

import type { Texts } from '../../views/texts/en.ts';
import { InvalidClaim, isClaim } from '../accounts/claim-values.ts';
import type { AccountDirectory } from '../accounts/directory.ts';
import type { LetterLimits } from '../accounts/letter-limits.ts';
import { loginKey } from '../accounts/login-keys.ts';
import type { OneTimeLinks } from '../accounts/one-time-links.ts';
import { type Letters, textsOfLocale } from '../mail/letters.ts';
import type { Mailer } from '../mail/mailer.ts';
import { type Account, Conflict } from '../store.ts';
import type { AccountPageParts, AccountRequest, AccountSection, SubmittedRequest } from './section.ts';

export interface ProfileParts extends Pick<AccountPageParts, 'audit'> {
  accounts: Pick<AccountDirectory, 'changeProfile' | 'findByUsername'>;
  mailer: Mailer;
  letters: (texts: Texts) => Letters;
  links: Pick<OneTimeLinks, 'create'>;
  limits: LetterLimits;
}

const PAGE = '/profile';
const EMAIL = '/email';

export function profile(parts: ProfileParts): AccountSection {
  return ({ entry, get, post }) => {
    entry(PAGE, ({ accountFrame }) => accountFrame.links.profile);
    get(PAGE, (request) => showProfile(request, request.account.claims.name ?? ''));
    post(PAGE, (request) => saveName(parts, request));
    get(EMAIL, (request) => showEmail(parts, request, request.account.claims.email ?? ''), { fresh: true });
    post(EMAIL, (request) => changeEmail(parts, request), { fresh: true });
  };
}

function showProfile(request: AccountRequest, name: string, error?: string): void {
  const { email, email_verified: isVerified } = request.account.claims;
  request.show('account-profile', {
    action: request.pathOf(PAGE),
    csrf: request.csrf,
    username: request.account.username,
    name,
    ...(email !== undefined && { email: { address: email, isVerified: isVerified === true } }),
    changeEmail: { href: request.pathOf(EMAIL) },
    ...(error !== undefined && { error }),
  });
}

async function saveName({ accounts, audit }: ProfileParts, request: SubmittedRequest): Promise<void> {
  const name = typeof request.form['name'] === 'string' ? request.form['name'].trim() : '';
  try {
    await accounts.changeProfile(request.account.id, { name });
  } catch (error) {
    if (!(error instanceof InvalidClaim)) throw error;
    request.ctx.status = 400;
    return showProfile(request, name, request.texts['account-profile'].unusable);
  }
  audit.profileChanged({ ...request.facts(), reason: 'name' });
  request.finish(PAGE, 'profileSaved');
}

function showEmail({ mailer }: ProfileParts, request: AccountRequest, email: string, error?: string): void {
  request.show('account-email', {
    action: request.pathOf(EMAIL),
    csrf: request.csrf,
    email,
    back: { href: request.pathOf(PAGE) },
    isConfirmed: mailer.isConfigured,
    ...(error !== undefined && { error }),
  });
}

/** With mail, an address is changed by whoever reads what is sent there, and the page says the same for every address. */
async function changeEmail(parts: ProfileParts, request: SubmittedRequest): Promise<void> {
  const { account, ctx, texts } = request;
  const email = typeof request.form['email'] === 'string' ? request.form['email'].trim() : '';
  await parts.limits.admit(ctx.ip);
  const refused = parts.mailer.isConfigured ? await sendLink(parts, request, email) : await take(parts, account, email);
  if (refused !== undefined) {
    ctx.status = 400;
    return showEmail(parts, request, email, texts['account-email'][refused]);
  }
  if (!parts.mailer.isConfigured) {
    parts.audit.profileChanged({ ...request.facts(), reason: 'email' });
    return request.finish(PAGE, 'emailSaved');
  }
  parts.audit.emailChangeRequested(request.facts());
  request.finish(PAGE, 'emailSent');
}

type Refusal = 'unusable' | 'tooMany';

/** Nobody can be asked for the address: it is the account's, unverified. */
async function take({ accounts }: ProfileParts, { id }: Account, email: string): Promise<Refusal | undefined> {
  try {
    await accounts.changeProfile(id, { email });
    return undefined;
  } catch (error) {
    if (error instanceof InvalidClaim || error instanceof Conflict) return 'unusable';
    throw error;
  }
}

async function sendLink(
  { accounts, letters, limits, links, mailer }: ProfileParts,
  { account, texts }: SubmittedRequest,
  email: string,
): Promise<Refusal | undefined> {
  // whether somebody reads what is sent there, the link tells
  if (!isClaim('email', email)) return 'unusable';
  const isAllowed = (owner: string) => limits.allows('EmailVerification', owner);
  if (!(await isAllowed(account.id)) || !(await isAllowed(loginKey(email)))) return 'tooMany';
  mailer.sendUnseen(async () => {
    const owner = await accounts.findByUsername(email);
    if (owner !== undefined && owner.id !== account.id) return undefined;
    const token = await links.create('EmailVerification', { accountId: account.id, email });
    return letters(textsOfLocale(account.claims.locale) ?? texts).emailVerification(email, token);
  });
  return undefined;
}
