// Signing in with a passkey: in the place of name and password, or as the second factor.
import type Router from 'koa-router';
import type { PasskeyProof, RefusedPasskey } from '../src/accounts/passkeys.ts';
import type { Parameters } from '../src/http/body.ts';
import { showLogin } from './login.ts';
import { passkeyPlace } from './passkey-form.ts';
import { showCodePage, signedInAlready } from './second-factor.ts';
import { addSecondFactor, findHalf, goToStep, signIn } from './sign-in.ts';
import { factsOf, type InteractionParts, type StepRequest, type StepRequests } from './step-requests.ts';

export function addPasskeyRoutes(router: Router, requests: StepRequests, parts: InteractionParts): void {
  if (!parts.passkeys.isOffered) return;

  router.post('/login/:uid/passkey', requests.continueIfLost, async (ctx) => {
    const { request, form } = await requests.submitted(ctx);
    if (request.interaction.prompt.name !== 'login') return goToStep(request, '');
    const proof = await prove(request, form);
    const remember = form['remember'] === 'yes';
    if ('refused' in proof) {
      request.ctx.status = 400;
      return showLogin(request, { error: sentenceFor(request, proof), remember });
    }
    const result = await signIn(request, { ...proof, remember });
    if (result) await requests.finish(request, result);
  });

  router.post('/login/:uid/second-factor/passkey', requests.continueIfLost, async (ctx) => {
    const { request, form } = await requests.submitted(ctx);
    const found = await findHalf(request);
    if (found === undefined) {
      const done = signedInAlready(request);
      return done ? requests.finish(request, done) : goToStep(request, '');
    }
    const proof = await prove(request, form, found.account.id);
    if ('refused' in proof) {
      request.ctx.status = 400;
      return showCodePage(request, found, 'second-factor', sentenceFor(request, proof));
    }
    await requests.finish(request, addSecondFactor(request, found, proof.amr));
  });

  // where the browser is when a passkey was refused: a reload, or the address typed again
  for (const [step, before] of [
    ['passkey', ''],
    ['second-factor/passkey', 'second-factor'],
  ] as const) {
    router.get(`/login/:uid/${step}`, requests.continueIfLost, async (ctx) => {
      goToStep(await requests.ongoing(ctx), before);
    });
  }
}

/** Whom the form's passkey proves; a refusal is in the audit trail. @param accountId whose it must be */
async function prove(
  request: StepRequest,
  { passkey }: Parameters,
  accountId?: string,
): Promise<PasskeyProof | RefusedPasskey> {
  const answer = typeof passkey === 'string' ? passkey : '';
  const proof = await request.parts.passkeys.prove(passkeyPlace(request), answer, accountId);
  if ('refused' in proof) {
    const whose = proof.accountId ?? accountId;
    request.parts.audit.passkeyRefused({ ...factsOf(request), accountId: whose, reason: proof.refused });
  }
  return proof;
}

/** One for everything that would tell a stranger about accounts. */
function sentenceFor({ texts }: StepRequest, { refused }: RefusedPasskey): string {
  if (refused === 'expired') return texts.shared.passkeyExpired;
  if (refused === 'unverified') return texts.shared.passkeyUnverified;
  return texts.shared.passkeyRefused;
}
