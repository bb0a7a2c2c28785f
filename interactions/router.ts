// The routes of sign-in: /login/:uid shows and takes the step that the authorization request is at.
import type { Context, Next } from 'koa';
import Router from 'koa-router';
import { errors, type Interaction, type InteractionResults, type Provider } from 'oidc-provider';
import type { AccountDirectory } from '../src/accounts/directory.ts';
import { type Parameters, readForm } from '../src/http/body.ts';
import type { PageResponses } from '../src/http/page-responses.ts';
import type { AuditLog } from '../src/logging/events.ts';
import type { LostSignIns } from '../src/provider/lost-sign-ins.ts';
import { SEALED_REQUEST } from '../src/provider/sealed-requests.ts';
import { consent } from './consent.ts';
import {
  type FormTokens,
  getInteraction,
  type OngoingInteraction,
  refuseForeignForms,
  sealedRequestOf,
} from './interaction.ts';
import { login } from './login.ts';

/** What the steps work with. */
export interface InteractionParts {
  /** the provider in use; another one after a change of keys */
  provider(): Provider;
  accounts: AccountDirectory;
  pages: PageResponses;
  tokens: FormTokens;
  lostSignIns: LostSignIns;
  audit: AuditLog;
  /** the OIDC issuer, whose path every URL starts with */
  issuer: string;
}

/** One request of one step. */
export interface StepRequest extends OngoingInteraction {
  ctx: Context;
  parts: InteractionParts;
}

/** One prompt: how it is shown, and what its form leads to; without a result, the page is shown again. */
export interface InteractionStep {
  show(request: StepRequest): Promise<void>;
  submit(request: StepRequest, form: Parameters): Promise<InteractionResults | undefined>;
}

const STEPS: Record<string, InteractionStep> = { login, consent };

export function createInteractionRouter(parts: InteractionParts): Router {
  // one spelling per path: the request gate decides by the path too
  const router = new Router({ sensitive: true, strict: true });

  router.get('/login', async (ctx) => parts.lostSignIns.show(ctx));

  router.get('/login/:uid/again', (ctx) => parts.lostSignIns.sendAgain(ctx, String(ctx.params.uid)));

  router.get('/login/:uid', continueIfLost, async (ctx) => {
    const request = await ongoing(ctx);
    await stepOf(request.interaction).show(request);
  });

  router.post('/login/:uid', continueIfLost, async (ctx) => {
    const { request, form } = await submitted(ctx);
    const result = await stepOf(request.interaction).submit(request, form);
    if (result) await finish(request, result);
  });

  router.post('/login/:uid/cancel', continueIfLost, async (ctx) => {
    const { request } = await submitted(ctx);
    if (request.interaction.prompt.name === 'consent') parts.audit.consentRefused(factsOf(request));
    await finish(request, { error: 'access_denied', error_description: 'the end-user cancelled the request' });
  });

  async function continueIfLost(ctx: Context, next: Next): Promise<void> {
    try {
      await next();
    } catch (error) {
      if (!(error instanceof errors.SessionNotFound)) throw error;
      parts.lostSignIns.show(ctx, ctx['params'].uid);
    }
  }

  async function ongoing(ctx: Context): Promise<StepRequest> {
    return { ctx, parts, ...(await getInteraction(parts.provider(), ctx)) };
  }

  async function submitted(ctx: Context) {
    refuseForeignForms(ctx, parts.issuer);
    const request = await ongoing(ctx);
    const form = await readForm(ctx);
    if (!parts.tokens.verify(request.interaction.uid, form['csrf'])) {
      ctx.throw(403, 'the form was not one of ours, or is too old', { expose: true });
    }
    return { request, form };
  }

  return router;
}

/** Who and where, for the audit log. */
export function factsOf({ ctx, client }: StepRequest) {
  return { requestId: ctx.response.get('x-request-id'), clientId: client.clientId, ip: ctx.ip };
}

function stepOf({ prompt }: Interaction): InteractionStep {
  const step = STEPS[prompt.name];
  if (step === undefined) throw new errors.InvalidRequest('this prompt is not supported');
  return step;
}

/** Stores the result and sends the browser on. The library would answer by itself, past everything around it. */
async function finish({ ctx, parts }: StepRequest, result: InteractionResults): Promise<void> {
  const merge = { mergeWithLastSubmission: result.error === undefined };
  const location = await parts.provider().interactionResult(ctx.req, ctx.res, result, merge);
  const url = new URL(location);
  const sealedRequest = sealedRequestOf(ctx);
  if (sealedRequest !== undefined) url.searchParams.set(SEALED_REQUEST, sealedRequest);
  ctx.status = 303;
  ctx.set('location', url.href);
  ctx.set('cache-control', 'no-store');
  ctx.body = '';
}
