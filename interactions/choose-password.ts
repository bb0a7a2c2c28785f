// The page on which a password is chosen by the link of a letter: shown as often as it is asked for, taken once.
import type { Context } from 'koa';
import type Router from 'koa-router';
import type { LinkPurpose, OpenLink } from '../src/accounts/one-time-links.ts';
import type { PasswordFault } from '../src/accounts/password-rules.ts';
import { hasSecondFactor } from '../src/accounts/second-factors.ts';
import { textsFor } from '../src/http/languages.ts';
import { seeOther } from '../src/http/redirects.ts';
import { linkPaths } from '../src/mail/letters.ts';
import type { Account } from '../src/store.ts';
import type { Texts } from '../views/texts/en.ts';
import {
  formOf,
  type LetterParts,
  linkOf,
  type OutcomeName,
  onward,
  showLinkGone,
  showOutcome,
} from './letter-requests.ts';

/** What differs between the letters that lead to such a page. */
export interface PasswordLetter {
  purpose: Extract<LinkPurpose, 'PasswordReset' | 'Invitation' | 'SignUp'>;
  words: (texts: Texts['choose-password']) => { title: string; submit: string };
  /** what the end of it is called */
  outcome: OutcomeName;
  /** the same after a link that proves no address, where that makes a difference */
  outcomeUnproven?: OutcomeName;
  /**
   * Does what the link is for, and uses it; `gone` when somebody else was first.
   * @throws UnacceptablePassword, PasswordQueueFull
   */
  act(ctx: Context, chosen: { token: string; link: OpenLink; password: string }): Promise<'done' | 'gone' | 'taken'>;
}

/** Adds the page, and the one that says that it is done. */
export function addPasswordPage(router: Router, parts: LetterParts, letter: PasswordLetter): void {
  const { purpose } = letter;
  const path = linkPaths[purpose];
  const { resumptions } = parts;

  router.get(`${path}/done`, (ctx) => {
    showOutcome(ctx, parts, letter.outcome, onward(parts, resumptions.find(ctx)));
  });

  const { outcomeUnproven } = letter;
  if (outcomeUnproven) {
    router.get(`${path}/done/unproven`, (ctx) => {
      showOutcome(ctx, parts, outcomeUnproven, onward(parts, resumptions.find(ctx)));
    });
  }

  router.get(`${path}/:token`, async (ctx) => {
    const found = await linkOf(ctx, parts, purpose);
    if (found) await show(ctx, parts, letter, found);
  });

  router.post(`${path}/:token`, async (ctx) => {
    const form = await formOf(ctx, parts, pageOf(letter, String(ctx.params.token)));
    const found = await linkOf(ctx, parts, purpose);
    if (!found) return;
    const { token, link } = found;
    const password = typeof form['password'] === 'string' ? form['password'] : '';
    const fault = await parts.passwordRules.faultOf(password, await choiceOf(parts, link));
    if (fault) {
      ctx.status = 400;
      return show(ctx, parts, letter, found, fault);
    }
    const end = await letter.act(ctx, { token, link, password });
    if (end === 'gone') return showLinkGone(ctx, parts, purpose);
    if (end === 'taken') return showTaken(ctx, parts, link);
    const done = outcomeUnproven && provenBy(link) === undefined ? `${path}/done/unproven` : `${path}/done`;
    seeOther(ctx, resumptions.url(done, resumptions.resume(ctx, link.signIn)));
  });
}

/** The address that following the link proves. */
export function provenBy({ email, handedOver }: OpenLink): string | undefined {
  return handedOver ? undefined : email;
}

/** Says that another account has the address. */
export function showTaken(ctx: Context, parts: LetterParts, link: OpenLink): void {
  ctx.status = 400;
  showOutcome(ctx, parts, 'addressTaken', onward(parts, parts.resumptions.resume(ctx, link.signIn)));
}

async function show(
  ctx: Context,
  parts: LetterParts,
  letter: PasswordLetter,
  { token, link }: { token: string; link: OpenLink },
  fault?: PasswordFault,
): Promise<void> {
  const { pages, passwordRules, resumptions, tokens } = parts;
  const texts = textsFor(ctx);
  pages.show(
    ctx,
    'choose-password',
    {
      ...letter.words(texts['choose-password']),
      action: resumptions.url(`${linkPaths[letter.purpose]}/${token}`, undefined),
      csrf: tokens.issue(pageOf(letter, token)),
      username: link.account?.username ?? link.email,
      minimumLength: passwordRules.minimumFor(await choiceOf(parts, link)),
      ...(fault && { error: texts.newPassword[fault.reason](fault.minimum) }),
    },
    { texts },
  );
}

async function choiceOf({ secondFactors }: LetterParts, { account, email, name }: OpenLink) {
  const known: Pick<Account, 'username' | 'claims'> = account ?? {
    username: email,
    claims: { email, ...(name && { name }) },
  };
  const factors = account && (await secondFactors.factorsOf(account.id));
  return { account: known, hasSecondFactor: factors !== undefined && hasSecondFactor(factors) };
}

function pageOf({ purpose }: PasswordLetter, token: string): string {
  return `${purpose} ${token}`;
}
