// The routes of sign-in: /login/:uid shows and takes the step that the authorization request is at.
import Router from 'koa-router';
import { errors, type Interaction } from 'oidc-provider';
import { ACCOUNT_PAGE } from '../src/clients/account-page.ts';
import { issuerPath } from '../src/http/issuer-path.ts';
import { seeOther } from '../src/http/redirects.ts';
import { addAuthenticatorRoutes } from './authenticator.ts';
import { consent } from './consent.ts';
import { login } from './login.ts';
import { addPasskeyRoutes } from './passkey.ts';
import { addPasskeyEnrolmentRoutes } from './passkey-enrolment.ts';
import { addSecondFactorRoutes } from './second-factor.ts';
import { createStepRequests, factsOf, type InteractionParts, type InteractionStep } from './step-requests.ts';
import { addUpstreamRoutes } from './upstream.ts';

const STEPS: Record<string, InteractionStep> = { login, consent };

export function createInteractionRouter(parts: InteractionParts): Router {
  // one spelling per path: the request gate decides by the path too
  const router = new Router({ sensitive: true, strict: true });
  const requests = createStepRequests(parts);
  const { continueIfLost, ongoing, submitted, finish } = requests;

  // without an id it is a sign-in for nothing in particular: to the account page
  router.get('/login', async (ctx) => seeOther(ctx, `${issuerPath(parts.issuer)}${ACCOUNT_PAGE}`));

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

  addPasskeyRoutes(router, requests, parts);
  addUpstreamRoutes(router, requests, parts);
  addSecondFactorRoutes(router, requests);
  addAuthenticatorRoutes(router, requests);
  addPasskeyEnrolmentRoutes(router, requests, parts);
  return router;
}

function stepOf({ prompt }: Interaction): InteractionStep {
  const step = STEPS[prompt.name];
  if (step === undefined) throw new errors.InvalidRequest('this prompt is not supported');
  return step;
}
