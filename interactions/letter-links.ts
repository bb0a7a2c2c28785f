// The links on the sign-in page to the pages that send letters; they bring the end-user back into this sign-in.
import { sealedRequestOf } from './interaction.ts';
import type { Resumptions } from './resumption.ts';
import type { StepRequest } from './step-requests.ts';

/** Which pages there are. */
export interface LetterPages {
  resumptions: Resumptions;
  resetPassword: boolean;
  signUp: boolean;
}

/** For the sign-in page of this interaction. */
export function letterLinks({ ctx, parts, interaction }: StepRequest): { resetPassword?: string; signUp?: string } {
  const { resumptions, resetPassword, signUp } = parts.letterPages;
  const sealedRequest = sealedRequestOf(ctx);
  const { ui_locales: uiLocales } = interaction.params;
  const signIn = {
    uid: interaction.uid,
    ...(sealedRequest && { sealedRequest }),
    ...(typeof uiLocales === 'string' && { uiLocales: uiLocales.slice(0, 64) }),
  };
  return {
    ...(resetPassword && { resetPassword: resumptions.url('/reset-password', signIn) }),
    ...(signUp && { signUp: resumptions.url('/sign-up', signIn) }),
  };
}
