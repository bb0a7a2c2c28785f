// A new password by a letter to the verified address of an account; what the pages say never depends on the account.
import type { Context } from 'koa';
import type Router from 'koa-router';
import type { SignInToResume } from '../src/accounts/one-time-links.ts';
import { textsFor } from '../src/http/languages.ts';
import { seeOther } from '../src/http/redirects.ts';
import type { Letter } from '../src/mail/delivery.ts';
import { addPasswordPage, provenBy } from './choose-password.ts';
import { factsOf, formOf, type LetterParts, lettersTo, sendUnseen, showSent } from './letter-requests.ts';

const PATH = '/reset-password';

/** The page of a link is there without mail too: operators hand such links over. */
export function addResetPassword(router: Router, parts: LetterParts): void {
  const { accounts, audit, links, mailer, notices, sessions } = parts;

  if (mailer.isConfigured) addRequest(router, parts);
  addPasswordPage(router, parts, {
    purpose: 'PasswordReset',
    words: ({ reset }) => reset,
    outcome: 'passwordChanged',
    async act(ctx, { token, link, password }) {
      const { account } = link;
      if (account === undefined) return 'gone';
      const redeem = () => links.use('PasswordReset', token);
      if (!(await accounts.changeByLink(account.id, { password, email: provenBy(link) }, redeem))) return 'gone';
      await sessions.endAll(account.id);
      audit.passwordReset(factsOf(ctx, account));
      notices.passwordChanged(account, textsFor(ctx));
      return 'done';
    },
  });
}

/** Asks who it is, and sends the letter. */
function addRequest(router: Router, parts: LetterParts): void {
  const { limits, resumptions } = parts;

  router.get(PATH, (ctx) => ask(ctx, parts));

  router.post(PATH, async (ctx) => {
    const form = await formOf(ctx, parts, PATH);
    const login = form['login'];
    if (typeof login !== 'string' || login.trim() === '') {
      ctx.status = 400;
      return ask(ctx, parts, textsFor(ctx)['reset-password'].missing);
    }
    await limits.admit(ctx.ip);
    const signIn = resumptions.find(ctx);
    sendUnseen(ctx, parts, () => letterFor(ctx, parts, login, signIn));
    resumptions.begin(ctx, signIn);
    seeOther(ctx, resumptions.url(`${PATH}/sent`, signIn));
  });

  router.get(`${PATH}/sent`, (ctx) => showSent(ctx, parts, 'resetSent', PATH));
}

function ask(ctx: Context, { pages, resumptions, tokens }: LetterParts, error?: string): void {
  const signIn = resumptions.find(ctx);
  pages.show(ctx, 'reset-password', {
    action: resumptions.url(PATH, signIn),
    csrf: tokens.issue(PATH),
    ...(signIn && { back: resumptions.page(signIn) }),
    ...(error && { error }),
  });
}

/** Only to an address that is known to be the owner's: whoever reads this letter has the account (SP 800-63B-4 §4.2). */
async function letterFor(
  ctx: Context,
  parts: LetterParts,
  login: string,
  signIn: SignInToResume | undefined,
): Promise<Letter | undefined> {
  const { accounts, audit, limits, links } = parts;
  const account = await accounts.findByUsername(login);
  const { email, email_verified: isVerified } = account?.claims ?? {};
  if (!account || account.disabledAt !== undefined || !email || !isVerified) return undefined;
  if (!(await limits.allows('PasswordReset', account.id))) return undefined;
  const token = await links.create('PasswordReset', { accountId: account.id, email, ...(signIn && { signIn }) });
  audit.passwordResetRequested(factsOf(ctx, account));
  return lettersTo(ctx, parts, account).passwordReset(email, account, token);
}
