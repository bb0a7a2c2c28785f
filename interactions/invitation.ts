// An invitation: the first password of an account that an operator made; a letter proves the address, a link alone does not.
import type Router from 'koa-router';
import { addPasswordPage, provenBy } from './choose-password.ts';
import { factsOf, type LetterParts } from './letter-requests.ts';

/** There without mail too: operators pass such links on themselves. */
export function addInvitation(router: Router, parts: LetterParts): void {
  const { accounts, audit, links } = parts;
  addPasswordPage(router, parts, {
    purpose: 'Invitation',
    words: ({ invitation }) => invitation,
    outcome: 'accountReady',
    outcomeUnproven: 'passwordChosen',
    async act(ctx, { token, link, password }) {
      const { account } = link;
      const redeem = () => links.use('Invitation', token);
      if (!account || !(await accounts.changeByLink(account.id, { password, email: provenBy(link) }, redeem)))
        return 'gone';
      audit.invitationAccepted(factsOf(ctx, account));
      return 'done';
    },
  });
}
