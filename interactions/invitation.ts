// An invitation: the first password of an account that an operator made; following the link proves the address.
import type Router from 'koa-router';
import { addPasswordPage } from './choose-password.ts';
import { factsOf, type LetterParts } from './letter-requests.ts';

export function addInvitation(router: Router, parts: LetterParts): void {
  const { accounts, audit, links } = parts;
  addPasswordPage(router, parts, {
    purpose: 'Invitation',
    words: ({ invitation }) => invitation,
    outcome: 'accountReady',
    async act(ctx, { token, link: { account, email }, password }) {
      const redeem = () => links.use('Invitation', token);
      if (!account || !(await accounts.changeByLink(account.id, { password, email }, redeem))) return 'gone';
      audit.invitationAccepted(factsOf(ctx, account));
      return 'done';
    },
  });
}
