// One request of one step of an interaction: found, guarded, and finished.
import type { Context, Next } from 'koa';
import { errors, type InteractionResults, type Provider } from 'oidc-provider';
import type { AccountDirectory } from '../src/accounts/directory.ts';
import type { Guesses } from '../src/accounts/guesses.ts';
import type { PasskeyCeremonies } from '../src/accounts/passkeys.ts';
import type { SecondFactorDirectory } from '../src/accounts/second-factors.ts';
import { addressesOf } from '../src/http/addresses.ts';
import { type Parameters, readForm } from '../src/http/body.ts';
import { type FormTokens, refuseForeignForms } from '../src/http/form-guard.ts';
import type { KeptFile } from '../src/http/kept-files.ts';
import { textsFor } from '../src/http/languages.ts';
import type { PageResponses } from '../src/http/page-responses.ts';
import { seeOther } from '../src/http/redirects.ts';
import type { AuditLog } from '../src/logging/events.ts';
import type { Notices } from '../src/mail/notices.ts';
import type { KnownDevices } from '../src/provider/known-devices.ts';
import type { LostSignIns } from '../src/provider/lost-sign-ins.ts';
import { SEALED_REQUEST } from '../src/provider/sealed-requests.ts';
import type { Clock } from '../src/store.ts';
import type { UpstreamParts } from '../src/upstream/upstreams.ts';
import type { Texts } from '../views/texts/en.ts';
import { getInteraction, type OngoingInteraction, sealedRequestOf } from './interaction.ts';
import type { LetterPages } from './letter-links.ts';

/** What the steps work with. */
export interface InteractionParts {
  /** the provider in use; another one after a change of keys */
  provider(): Provider;
  accounts: AccountDirectory;
  guesses: Guesses;
  knownDevices: KnownDevices;
  secondFactors: SecondFactorDirectory;
  passkeys: PasskeyCeremonies;
  passkeyScript: KeptFile;
  pages: PageResponses;
  tokens: FormTokens;
  lostSignIns: LostSignIns;
  upstreams: UpstreamParts;
  letterPages: LetterPages;
  notices: Notices;
  audit: AuditLog;
  /** the OIDC issuer, whose path every URL starts with */
  issuer: string;
  /** what this service calls itself */
  installation: string;
  clock: Clock;
}

/** One request of one step. */
export interface StepRequest extends OngoingInteraction {
  ctx: Context;
  parts: InteractionParts;
  /** in the language that the authorization request or the browser asks for; pages are shown with them */
  texts: Texts;
}

/** One prompt: how it is shown, and what its form leads to; without a result, the page is shown again. */
export interface InteractionStep {
  show(request: StepRequest): Promise<void>;
  submit(request: StepRequest, form: Parameters): Promise<InteractionResults | undefined>;
}

/** What every route of an interaction begins and ends with. */
export interface StepRequests {
  /** Around each of them: who has no such interaction gets the page that leads on. */
  continueIfLost(ctx: Context, next: Next): Promise<void>;
  /** @throws errors.SessionNotFound */
  ongoing(ctx: Context): Promise<StepRequest>;
  /** The same for a form, which must be one of ours. @throws errors.SessionNotFound, 403 */
  submitted(ctx: Context): Promise<{ request: StepRequest; form: Parameters }>;
  /** Stores the result and sends the browser on. */
  finish(request: StepRequest, result: InteractionResults): Promise<void>;
}

export function createStepRequests(parts: InteractionParts): StepRequests {
  async function ongoing(ctx: Context): Promise<StepRequest> {
    const found = await getInteraction(parts.provider(), ctx);
    return { ctx, parts, texts: textsFor(ctx, found.interaction.params['ui_locales']), ...found };
  }

  return {
    ongoing,
    finish,
    async continueIfLost(ctx, next) {
      try {
        await next();
      } catch (error) {
        if (!(error instanceof errors.SessionNotFound)) throw error;
        parts.lostSignIns.show(ctx, ctx['params'].uid);
      }
    },
    async submitted(ctx) {
      refuseForeignForms(ctx, parts.issuer);
      const request = await ongoing(ctx);
      const form = await readForm(ctx);
      if (!parts.tokens.verify(request.interaction.uid, form['csrf'])) {
        ctx.throw(403, 'the form was not one of ours, or is too old', { expose: true });
      }
      return { request, form };
    },
  };
}

/** Who and where, for the audit log. */
export function factsOf({ ctx, client }: StepRequest) {
  return { requestId: ctx.response.get('x-request-id'), clientId: client.clientId, ...addressesOf(ctx) };
}

/** The library would answer by itself, past everything around it. */
async function finish({ ctx, parts }: StepRequest, result: InteractionResults): Promise<void> {
  const account = result.login && (await parts.accounts.find(result.login.accountId));
  if (account) parts.knownDevices.remember(ctx, account);
  const merge = { mergeWithLastSubmission: result.error === undefined };
  const location = await parts.provider().interactionResult(ctx.req, ctx.res, result, merge);
  const url = new URL(location);
  const sealedRequest = sealedRequestOf(ctx);
  if (sealedRequest !== undefined) url.searchParams.set(SEALED_REQUEST, sealedRequest);
  seeOther(ctx, url.href);
}
