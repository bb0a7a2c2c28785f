// An address becomes the verified one of an account by the link of a letter, and a button: programs follow links too.
import type Router from 'koa-router';
import { textsFor } from '../src/http/languages.ts';
import { seeOther } from '../src/http/redirects.ts';
import { linkPaths } from '../src/mail/letters.ts';
import { Conflict } from '../src/store.ts';
import { showTaken } from './choose-password.ts';
import { factsOf, formOf, type LetterParts, linkOf, showLinkGone, showOutcome } from './letter-requests.ts';

const PATH = linkPaths.EmailVerification;
const pageOf = (token: string) => `EmailVerification ${token}`;

/** For every change of an address, whoever sends the letter; the former address, if it was verified, is told. */
export function addVerifyEmail(router: Router, parts: LetterParts): void {
  const { accounts, audit, links, notices, pages, resumptions, tokens } = parts;

  router.get(`${PATH}/done`, (ctx) => {
    showOutcome(ctx, parts, 'emailConfirmed', ({ toAccount }) => {
      return { href: resumptions.url('/account', undefined), label: toAccount };
    });
  });

  router.get(`${PATH}/:token`, async (ctx) => {
    const found = await linkOf(ctx, parts, 'EmailVerification');
    if (!found?.link.account) return;
    const { token, link } = found;
    const { username } = found.link.account;
    const action = resumptions.url(`${PATH}/${token}`, undefined);
    pages.show(ctx, 'confirm-email', { action, csrf: tokens.issue(pageOf(token)), email: link.email, username });
  });

  router.post(`${PATH}/:token`, async (ctx) => {
    await formOf(ctx, parts, pageOf(String(ctx.params.token)));
    const found = await linkOf(ctx, parts, 'EmailVerification');
    if (!found?.link.account) return;
    const { token, link } = found;
    const { account, email } = found.link;
    try {
      const redeem = () => links.use('EmailVerification', token);
      if (!(await accounts.changeByLink(account.id, { email }, redeem))) {
        return showLinkGone(ctx, parts, 'EmailVerification');
      }
    } catch (error) {
      if (error instanceof Conflict) return showTaken(ctx, parts, link);
      throw error;
    }
    audit.emailVerified(factsOf(ctx, account));
    if (account.claims.email !== email) notices.emailChanged(account, textsFor(ctx));
    seeOther(ctx, resumptions.url(`${PATH}/done`, undefined));
  });
}
