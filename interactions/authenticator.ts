// Enrols a second factor within a sign-in that needs one, an authenticator app, then shows the recovery codes.
import type Router from 'koa-router';
import type { InteractionResults } from 'oidc-provider';
import { hasSecondFactor } from '../src/accounts/second-factors.ts';
import { totpUri } from '../src/accounts/totp.ts';
import type { AuthenticatorForm } from '../src/http/page-contents.ts';
import { qrCodeOf } from '../src/http/qr-code.ts';
import type { Account } from '../src/store.ts';
import { presentClient, sealedRequestOf, urlOfStep, urlsOf } from './interaction.ts';
import { enrolmentForm, scriptsOf } from './passkey-form.ts';
import { signedInAlready } from './second-factor.ts';
import {
  complete,
  type FoundHalf,
  findHalf,
  goToStep,
  keepHalf,
  mustBePasskey,
  mustHaveSecondFactor,
} from './sign-in.ts';
import { factsOf, type StepRequest, type StepRequests } from './step-requests.ts';

export function addAuthenticatorRoutes(router: Router, requests: StepRequests): void {
  router.get('/login/:uid/authenticator', requests.continueIfLost, async (ctx) => {
    const request = await requests.ongoing(ctx);
    const found = await findEnrolling(request);
    if (found) await showEnrolment(request, found);
  });

  router.post('/login/:uid/authenticator', requests.continueIfLost, async (ctx) => {
    const { request, form } = await requests.submitted(ctx);
    const found = await findEnrolling(request);
    if (found) await enrol(request, found, form['code']);
  });

  router.post('/login/:uid/authenticator/skip', requests.continueIfLost, async (ctx) => {
    const { request } = await requests.submitted(ctx);
    const found = await findEnrolling(request);
    if (!found) return;
    if (mustHaveSecondFactor(request, found.account)) goToStep(request, 'authenticator');
    else await requests.finish(request, complete(request, found.account, found.half));
  });

  router.get('/login/:uid/recovery-codes', requests.continueIfLost, async (ctx) => {
    await showRecoveryCodes(await requests.ongoing(ctx));
  });

  router.post('/login/:uid/recovery-codes', requests.continueIfLost, async (ctx) => {
    const { request, form } = await requests.submitted(ctx);
    const result = await keptRecoveryCodes(request, form['kept']);
    if (result) await requests.finish(request, result);
  });
}

/**
 * The half sign-in that may enrol: its first factor was shown just now, in this very interaction, and its account has no
 * second one. For others the browser is sent to where they go on, and there is no answer.
 */
export async function findEnrolling(request: StepRequest): Promise<FoundHalf | undefined> {
  const found = await findHalf(request);
  if (!found || found.half.fromSession) return sendTo(request, '');
  if (found.half.amr.includes('mfa')) return sendTo(request, 'recovery-codes');
  const { secondFactors } = request.parts;
  const begun = await secondFactors.findEnrolment(found.account.id, request.interaction.uid);
  const factors = await secondFactors.enrolledOf(found.account.id);
  if (hasSecondFactor(factors)) return sendTo(request, 'second-factor');
  // codes are kept after their factor: it has been taken away since
  if (begun?.recoveryCodes) await secondFactors.endEnrolment(request.interaction.uid);
  return found;
}

function sendTo(request: StepRequest, step: string): undefined {
  goToStep(request, step);
}

async function enrol(request: StepRequest, found: FoundHalf, code: unknown): Promise<void> {
  const { parts, interaction, texts } = request;
  if (mustBePasskey(request)) return goToStep(request, 'authenticator');
  const { id } = found.account;
  // of two sign-ins that get one at once, the second one is told that there is one
  const right =
    typeof code === 'string' && (await parts.secondFactors.confirmTotp(id, interaction.uid, code, { replaces: false }));
  if (!right) return refuseEnrolment(request, found, texts.authenticator.refused);
  await parts.guesses.forgive(id, ['totp', 'recovery-code']);
  parts.audit.secondFactorEnrolled({ ...factsOf(request), accountId: id, reason: 'authenticator app' });
  parts.notices.signInChanged(found.account, texts, { what: 'appAdded' });
  await keepEnrolled(request, found, ['otp']);
}

/**
 * Leads on to the recovery codes: the sign-in has both factors, and ends when those are kept.
 * @param methods of the one that has just been enrolled (`amr`: RFC 8176 §2)
 */
export async function keepEnrolled(request: StepRequest, { half }: FoundHalf, methods: readonly string[]) {
  const { fromSession: _, ...kept } = half;
  const amr = [...new Set([...kept.amr, ...methods, 'mfa'])];
  await keepHalf(request, { ...kept, amr, at: request.parts.clock() });
  goToStep(request, 'recovery-codes');
}

/** The page once more, with what was wrong; unless the other one of two simultaneous submissions was right. */
export async function refuseEnrolment(request: StepRequest, found: FoundHalf, error: string): Promise<void> {
  const factors = await request.parts.secondFactors.enrolledOf(found.account.id);
  if (hasSecondFactor(factors)) return goToStep(request, 'authenticator');
  request.ctx.status = 400;
  await showEnrolment(request, found, error);
}

async function showEnrolment(request: StepRequest, { account }: FoundHalf, error?: string): Promise<void> {
  const { ctx, parts, interaction, client, texts } = request;
  const passkey = await enrolmentForm(request, account);
  const app = mustBePasskey(request) ? undefined : await appForm(request, account);
  const sealed = sealedRequestOf(ctx);
  const urlOf = (step: string) => urlOfStep(parts.issuer, interaction, sealed, step);
  const presented = presentClient(client);
  parts.pages.show(
    ctx,
    'authenticator',
    {
      csrf: parts.tokens.issue(interaction.uid),
      client: presented,
      ...(passkey && { passkey }),
      ...(app && { app }),
      cancel: urlOf('cancel'),
      ...(!mustHaveSecondFactor(request, account) && { skip: urlOf('authenticator/skip') }),
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

async function appForm({ ctx, parts, interaction }: StepRequest, account: Account): Promise<AuthenticatorForm> {
  const { uid } = interaction;
  const { secret } = await parts.secondFactors.beginTotp(account.id, uid);
  const uri = totpUri({ secret, issuer: parts.installation, username: account.username });
  return {
    action: urlOfStep(parts.issuer, interaction, sealedRequestOf(ctx), 'authenticator'),
    csrf: parts.tokens.issue(uid),
    qr: qrCodeOf(uri),
    key: secret.match(/.{1,4}/g) ?? [],
    link: { href: uri },
  };
}

async function showRecoveryCodes(request: StepRequest): Promise<void> {
  const { ctx, parts, interaction, texts } = request;
  const codes = (await findEnrolled(request))?.codes;
  if (!codes?.length) return goToStep(request, '');
  const sealed = sealedRequestOf(ctx);
  const action = urlOfStep(parts.issuer, interaction, sealed, 'recovery-codes');
  parts.pages.show(
    ctx,
    'recovery-codes',
    { action, csrf: parts.tokens.issue(interaction.uid), codes },
    { formAction: urlsOf(parts.issuer, interaction, sealed).redirectUri, texts },
  );
}

async function keptRecoveryCodes(request: StepRequest, kept: unknown): Promise<InteractionResults | undefined> {
  const done = signedInAlready(request);
  if (done) return done;
  const enrolled = await findEnrolled(request);
  if (enrolled === undefined) return sendTo(request, '');
  if (kept !== 'yes') return sendTo(request, 'recovery-codes');
  await request.parts.secondFactors.endEnrolment(request.interaction.uid);
  return complete(request, enrolled.account, enrolled.half);
}

/** The sign-in that has just enrolled its second factor, with the codes that are still to be kept. */
async function findEnrolled(request: StepRequest): Promise<(FoundHalf & { codes: readonly string[] }) | undefined> {
  const { parts, interaction } = request;
  const found = await findHalf(request);
  if (!found || found.half.fromSession || !found.half.amr.includes('mfa')) return undefined;
  const enrolment = await parts.secondFactors.findEnrolment(found.account.id, interaction.uid);
  return { ...found, codes: enrolment?.recoveryCodes ?? [] };
}
