// Signing in at another provider: there and back, in the middle of an interaction.
import type { Context } from 'koa';
import type Router from 'koa-router';
import { issuerPath } from '../src/http/issuer-path.ts';
import { seeOther } from '../src/http/redirects.ts';
import { SEALED_REQUEST } from '../src/provider/sealed-requests.ts';
import type { InteractionPurpose, PendingSignIn } from '../src/upstream/sign-ins.ts';
import { type Upstream, UpstreamFailed, type UpstreamIdentity, UpstreamRefused } from '../src/upstream/upstream.ts';
import { sealedRequestOf } from './interaction.ts';
import { showLogin } from './login.ts';
import { goToStep, signIn } from './sign-in.ts';
import { factsOf, type InteractionParts, type StepRequest, type StepRequests } from './step-requests.ts';

export function addUpstreamRoutes(router: Router, requests: StepRequests, parts: InteractionParts): void {
  const { byId, pending } = parts.upstreams;
  const base = issuerPath(parts.issuer);

  router.post('/login/:uid/upstream/:id', requests.continueIfLost, async (ctx) => {
    const { request, form } = await requests.submitted(ctx);
    if (!asksWhoItIs(request)) return goToStep(request, '');
    const upstream = upstreamOf(ctx);
    const remember = form['remember'] === 'yes';
    const purpose = { interaction: request.interaction.uid, query: sealedRequestOf(ctx) ?? '', remember };
    const { checks } = await pending.begin(upstream.id, purpose, { anew: asksAnew(request) });
    const begin = () => upstream.begin(redirectUriOf(upstream), checks);
    const location = await attempt(request, upstream, remember, begin);
    if (location) seeOther(ctx, location.href);
  });

  // registered there; the interaction's own cookie is only sent below the interaction's path
  router.get('/upstream/:id/callback', async (ctx) => {
    const found = await pending.find(ctx.query['state']);
    if (found === undefined || found.upstream !== ctx.params.id) return parts.lostSignIns.show(ctx);
    seeOther(ctx, `${base}${pathOf(found)}?${ctx.querystring}${queryOf(found)}`);
  });

  router.get('/login/:uid/upstream/:id', requests.continueIfLost, async (ctx) => {
    const request = await requests.ongoing(ctx);
    if (!asksWhoItIs(request)) return goToStep(request, '');
    const upstream = upstreamOf(ctx);
    const taken = await pending.take(ctx.query['state']);
    if (!isFor(taken, request, upstream)) return sayAgain(request, request.texts.upstream.lost);
    const { remember } = taken.purpose;
    const complete = () => upstream.complete(callbackOf(ctx, upstream), taken.checks);
    const identity = await attempt(request, upstream, remember, complete);
    if (identity) await signInAs(request, upstream, identity, remember);
  });

  async function signInAs(
    request: StepRequest,
    upstream: Upstream,
    identity: UpstreamIdentity,
    remember: boolean,
  ): Promise<void> {
    const found = await parts.upstreams.accounts.findOrCreate(upstream.id, identity);
    if (found === undefined) {
      parts.audit.loginFailed({ ...factsOf(request), reason: `no account for this identity at ${upstream.label}` });
      return sayAgain(request, request.texts.upstream.unlinked(upstream.label, identity.label), remember);
    }
    const accountId = found.account.id;
    if (found.how !== 'known') parts.audit.identityLinked({ ...factsOf(request), accountId, reason: upstream.id });
    if (found.how === 'linked') {
      const change = { what: 'identityLinked', elsewhere: upstream.label } as const;
      parts.notices.signInChanged(found.account, request.texts, change);
    }
    const result = await signIn(request, { account: found.account, amr: ['fed'], remember });
    if (result) await requests.finish(request, result);
  }

  function upstreamOf(ctx: Context): Upstream {
    return byId.get(ctx['params'].id) ?? ctx.throw(404);
  }

  function redirectUriOf({ id }: Upstream): string {
    return `${parts.issuer}/upstream/${id}/callback`;
  }

  /** What came back, as if it had come straight to the redirect URI; without what we have added to it. */
  function callbackOf(ctx: Context, upstream: Upstream): URL {
    const url = new URL(`${redirectUriOf(upstream)}?${ctx.querystring}`);
    url.searchParams.delete(SEALED_REQUEST);
    return url;
  }
}

/** Whether the interaction is at its sign-in: at its consent, it is too late for that. */
function asksWhoItIs({ interaction: { prompt } }: StepRequest): boolean {
  return prompt.name === 'login';
}

/** Answers the sign-in page when the provider says no, or nothing that can be used. */
async function attempt<T>(
  request: StepRequest,
  { label }: Upstream,
  remember: boolean,
  act: () => Promise<T>,
): Promise<T | undefined> {
  const { upstream: texts } = request.texts;
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof UpstreamRefused || error instanceof UpstreamFailed)) throw error;
    request.parts.audit.loginFailed({ ...factsOf(request), reason: reasonOf(error) });
    sayAgain(request, error instanceof UpstreamRefused ? texts.refused(label) : texts.failed(label), remember);
    return undefined;
  }
}

/** Whether a sign-in before does not count (OpenID Connect Core §3.1.2.1). */
function asksAnew({ interaction: { prompt } }: StepRequest): boolean {
  return prompt.reasons.some((reason) => reason === 'login_prompt' || reason === 'max_age');
}

function sayAgain(request: StepRequest, error: string, remember = false): void {
  request.ctx.status = 400;
  showLogin(request, { error, remember });
}

function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

function isFor(
  pending: PendingSignIn | undefined,
  { interaction }: StepRequest,
  { id }: Upstream,
): pending is PendingSignIn<InteractionPurpose> {
  if (pending?.upstream !== id) return false;
  return 'interaction' in pending.purpose && pending.purpose.interaction === interaction.uid;
}

function pathOf({ upstream, purpose }: PendingSignIn): string {
  return 'interaction' in purpose
    ? `/login/${purpose.interaction}/upstream/${upstream}`
    : `/account/identities/${upstream}/callback`;
}

function queryOf({ purpose }: PendingSignIn): string {
  return 'interaction' in purpose && purpose.query !== ''
    ? `&${SEALED_REQUEST}=${encodeURIComponent(purpose.query)}`
    : '';
}
