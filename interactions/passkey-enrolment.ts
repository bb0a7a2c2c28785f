// Enrols a passkey within a sign-in that needs a second factor, in the place of an authenticator app.
import type Router from 'koa-router';
import { describeBrowser } from '../src/accounts/browsers.ts';
import type { PasskeyRefusal } from '../src/accounts/passkeys.ts';
import { findEnrolling, keepEnrolled, refuseEnrolment } from './authenticator.ts';
import { passkeyPlace } from './passkey-form.ts';
import { type FoundHalf, goToStep } from './sign-in.ts';
import { factsOf, type InteractionParts, type StepRequest, type StepRequests } from './step-requests.ts';

export function addPasskeyEnrolmentRoutes(router: Router, requests: StepRequests, parts: InteractionParts): void {
  if (!parts.passkeys.isOffered) return;

  router.post('/login/:uid/authenticator/passkey', requests.continueIfLost, async (ctx) => {
    const { request, form } = await requests.submitted(ctx);
    const found = await findEnrolling(request);
    if (found) await enrol(request, found, form['passkey']);
  });

  // where the browser is when one was refused: a reload, or the address typed again
  router.get('/login/:uid/authenticator/passkey', requests.continueIfLost, async (ctx) => {
    goToStep(await requests.ongoing(ctx), 'authenticator');
  });
}

/**
 * Making a passkey proves it as using one does, so nobody is asked for it a second time. Its first factor was shown before:
 * possession is enough, as in every later sign-in.
 */
async function enrol(request: StepRequest, found: FoundHalf, answer: unknown): Promise<void> {
  const { ctx, parts, interaction, texts } = request;
  const { account } = found;
  const facts = { ...factsOf(request), accountId: account.id };
  const json = typeof answer === 'string' ? answer : '';
  const browser = describeBrowser(ctx.get('user-agent'), { ...texts['account-sessions'], unknownBrowser: '' });
  const proof = await parts.passkeys.enrol(account, passkeyPlace(request), json, browser);
  if ('refused' in proof) {
    parts.audit.passkeyRefused({ ...facts, reason: proof.refused });
    return refuseEnrolment(request, found, sentenceFor(request, proof.refused));
  }
  parts.audit.passkeyAdded({ ...facts, reason: proof.passkey.name });
  parts.notices.signInChanged(account, request.texts, { what: 'passkeyAdded' });
  await parts.secondFactors.renewRecoveryCodes(account.id, interaction.uid);
  await parts.guesses.forgive(account.id, ['recovery-code']);
  parts.audit.recoveryCodesReplaced(facts);
  await keepEnrolled(request, found, proof.amr);
}

function sentenceFor({ texts }: StepRequest, refusal: PasskeyRefusal): string {
  if (refusal === 'expired') return texts.shared.passkeyExpired;
  if (refusal === 'taken') return texts.shared.passkeyTaken;
  return texts['account-passkey-add'].refused;
}
