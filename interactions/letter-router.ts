// The routes around letters: asking for one, and following its link. What is off does not exist.
import Router from 'koa-router';
import { addInvitation } from './invitation.ts';
import type { LetterParts } from './letter-requests.ts';
import { addResetPassword } from './reset-password.ts';
import { addSignUp } from './sign-up.ts';
import { addVerifyEmail } from './verify-email.ts';

/** Sign-up exists where it is allowed; asking for a new password, where there is mail. */
export function createLetterRouter(parts: LetterParts): Router {
  // one spelling per path: the request gate decides by the path too
  const router = new Router({ sensitive: true, strict: true });
  addInvitation(router, parts);
  addVerifyEmail(router, parts);
  addResetPassword(router, parts);
  if (parts.allowSignUp) addSignUp(router, parts);
  return router;
}
