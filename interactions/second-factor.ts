// The second step of signing in: a code of the authenticator app, or a recovery code.
import { setTimeout as pause } from 'node:timers/promises';
import type Router from 'koa-router';
import type { InteractionResults } from 'oidc-provider';
import { isRecoveryCode } from '../src/accounts/recovery-codes.ts';
import { type CodeOutcome, type Factors, hasSecondFactor } from '../src/accounts/second-factors.ts';
import { guessAt } from './guesses.ts';
import { presentClient, sealedRequestOf, urlOfStep, urlsOf } from './interaction.ts';
import { scriptsOf, secondFactorForm } from './passkey-form.ts';
import { addSecondFactor, type FoundHalf, findHalf, goToStep, mustBePasskey } from './sign-in.ts';
import { factsOf, type StepRequest, type StepRequests } from './step-requests.ts';

/** The two kinds of code, by the step that takes them. */
const STEPS = ['second-factor', 'recovery-code'] as const;
type CodeStep = (typeof STEPS)[number];

/** How often, and for how long at a time (ms), the other one of two simultaneous submissions is waited for. */
const WAITS = 10;
const WAIT_MS = 100;

export function addSecondFactorRoutes(router: Router, requests: StepRequests): void {
  for (const step of STEPS) {
    router.get(`/login/:uid/${step}`, requests.continueIfLost, async (ctx) => {
      const request = await requests.ongoing(ctx);
      const found = await findHalf(request);
      if (found) await showCodePage(request, found, step);
      else goToStep(request, '');
    });

    router.post(`/login/:uid/${step}`, requests.continueIfLost, async (ctx) => {
      const { request, form } = await requests.submitted(ctx);
      const result = await submitCode(request, step, form['code']);
      if (result) await requests.finish(request, result);
    });
  }
}

async function submitCode(
  request: StepRequest,
  step: CodeStep,
  code: unknown,
): Promise<InteractionResults | undefined> {
  const found = await findHalf(request);
  if (!found) return signedInAlready(request) ?? goBack(request);
  const { parts } = request;
  const { account } = found;
  const factors = await parts.secondFactors.factorsOf(account.id);
  const facts = { ...factsOf(request), accountId: account.id };
  const outcome = isAsked(request, step, factors) ? await tryCode(request, found, step, code) : 'wrong';
  if (outcome === 'accepted') {
    if (step === 'recovery-code') parts.audit.recoveryCodeUsed(facts);
    // what NIST calls a look-up secret has no name of its own in RFC 8176
    return addSecondFactor(request, found, step === 'recovery-code' ? [] : ['otp']);
  }
  // a double click submits one code twice; a recovery code that was used looks like one that never was
  const mayBeDone = outcome === 'replayed' || (step === 'recovery-code' && isRecoveryCode(code));
  const done = mayBeDone ? await signedInMeanwhile(request) : undefined;
  if (done) return done;
  parts.audit.secondFactorFailed({ ...facts, reason: `${step} ${outcome}` });
  request.ctx.status = 400;
  await showCodePage(request, found, step, refusalOf(request, step, outcome));
  return undefined;
}

async function tryCode(request: StepRequest, { account }: FoundHalf, step: CodeStep, code: unknown) {
  if (typeof code !== 'string') return 'wrong';
  const { guesses, secondFactors } = request.parts;
  const recovers = step === 'recovery-code';
  const use = recovers ? secondFactors.useRecoveryCode : secondFactors.useTotpCode;
  let outcome: CodeOutcome = 'wrong';
  await guesses.attempt(guessAt(request, recovers ? 'recovery-code' : 'totp', account), async () => {
    outcome = await use(account.id, code);
    return outcome === 'accepted' ? outcome : undefined;
  });
  return outcome as CodeOutcome;
}

function refusalOf({ texts }: StepRequest, step: CodeStep, outcome: CodeOutcome): string {
  const words = texts['second-factor'];
  if (step === 'recovery-code') return words.recoveryRefused;
  return outcome === 'replayed' ? words.replayed : words.refused;
}

/** Whether a code of this kind would do: not where a passkey is demanded. */
function isAsked(request: StepRequest, step: CodeStep, { totp, recoveryCodes, passkeys }: Factors): boolean {
  if (mustBePasskey(request) && passkeys > 0) return false;
  return step === 'recovery-code' ? recoveryCodes > 0 : totp;
}

/** The page of the second step, saying what went wrong. */
export async function showCodePage(
  request: StepRequest,
  { account, half }: FoundHalf,
  step: CodeStep,
  error?: string,
): Promise<void> {
  const { ctx, parts, interaction, client, texts } = request;
  const factors = await parts.secondFactors.factorsOf(account.id);
  if (!hasSecondFactor(factors)) return goToStep(request, half.fromSession ? '' : 'authenticator');
  if (half.amr.includes('mfa') && !half.fromSession) return goToStep(request, 'recovery-codes');
  const recovery = step === 'recovery-code';
  if (recovery && !isAsked(request, step, factors)) return goToStep(request, 'second-factor');
  const sealed = sealedRequestOf(ctx);
  const urlOf = (name: string) => urlOfStep(parts.issuer, interaction, sealed, name);
  const hasOther = recovery || isAsked(request, 'recovery-code', factors);
  const passkey = recovery ? undefined : await secondFactorForm(request, account.id);
  const presented = presentClient(client);
  parts.pages.show(
    ctx,
    'second-factor',
    {
      action: urlOf(step),
      csrf: parts.tokens.issue(interaction.uid),
      client: presented,
      recovery,
      app: isAsked(request, 'second-factor', factors),
      passwordShown: half.amr.includes('pwd') && !half.fromSession,
      cancel: urlOf('cancel'),
      ...(hasOther && { other: { href: urlOf(recovery ? 'second-factor' : 'recovery-code') } }),
      ...(passkey && { passkey }),
      ...(error !== undefined && { error }),
    },
    {
      formAction: urlsOf(parts.issuer, interaction, sealed).redirectUri,
      imgSrc: presented.logoUri ? [presented.logoUri] : [],
      scriptSrc: scriptsOf(request, passkey),
      texts,
    },
  );
}

function goBack(request: StepRequest): undefined {
  goToStep(request, '');
}

/** What this browser's sign-in ended with before, when it is only sent on once more. */
export function signedInAlready({ interaction }: Pick<StepRequest, 'interaction'>): InteractionResults | undefined {
  const login = interaction.result?.login;
  return login && { login };
}

/** The same, while another request for this interaction may be about to finish it. */
async function signedInMeanwhile({
  parts,
  interaction: { uid },
}: StepRequest): Promise<InteractionResults | undefined> {
  for (let wait = 0; wait < WAITS; wait += 1) {
    const interaction = await parts.provider().Interaction.find(uid);
    const result = interaction && signedInAlready({ interaction });
    if (result || !interaction) return result;
    await pause(WAIT_MS);
  }
  return undefined;
}
