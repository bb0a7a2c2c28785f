// The sign-in step: name and password.
import { isAcceptablePassword } from '../src/accounts/passwords.ts';
import { hasSecondFactor } from '../src/accounts/second-factors.ts';
import type { Account } from '../src/store.ts';
import { guessPassword } from './guesses.ts';
import { presentClient, sealedRequestOf, urlOfStep, urlsOf } from './interaction.ts';
import { letterLinks } from './letter-links.ts';
import { scriptsOf, signInForm } from './passkey-form.ts';
import { findHalf, goToStep, recognisedBefore, signIn } from './sign-in.ts';
import { factsOf, type InteractionStep, type StepRequest } from './step-requests.ts';

export const login: InteractionStep = {
  async show(request) {
    if (await lacksSecondFactorOnly(request)) return goToStep(request, 'second-factor');
    const hint = request.interaction.params['login_hint'];
    const notice = noticeFor(request);
    const remember = await isRemembered(request);
    showLogin(request, { ...(typeof hint === 'string' && { login: hint }), ...(notice && { notice }), remember });
  },

  async submit(request, { login: name, password, remember: ticked }) {
    const remember = ticked === 'yes';
    const account = await authenticate(request, name, password);
    if (account === undefined) {
      request.ctx.status = 400;
      const login = typeof name === 'string' ? { login: name } : {};
      showLogin(request, { error: request.texts.login.refused, ...login, remember });
      return undefined;
    }
    return signIn(request, { account, amr: ['pwd'], remember });
  },
};

async function authenticate(request: StepRequest, name: unknown, password: unknown): Promise<Account | undefined> {
  const { accounts, audit, guesses } = request.parts;
  let refused = audit.loginFailed;
  let account: Account | undefined;
  // what cannot be a password is no guess either
  if (typeof name === 'string' && typeof password === 'string' && isAcceptablePassword(password)) {
    const named = await accounts.findByUsername(name);
    const guess = guessPassword(request, name, named);
    account = await guesses.attempt(
      guess,
      () => accounts.verify(named, password, { urgent: guess.device !== undefined }),
      () => {
        refused = audit.loginThrottled;
        return accounts.verify(undefined, password);
      },
    );
  }
  if (account === undefined) refused(factsOf(request));
  return account;
}

/** Whether the session of this browser is good, but for a second factor that its account has: nothing is typed again. */
async function lacksSecondFactorOnly(request: StepRequest): Promise<boolean> {
  const found = recognisedBefore(request) && (await findHalf(request));
  return found !== undefined && hasSecondFactor(await request.parts.secondFactors.factorsOf(found.account.id));
}

/** Who signs in again in a session that is remembered need not say so again. */
async function isRemembered({ interaction: { session }, parts }: StepRequest): Promise<boolean> {
  const found = session && (await parts.provider().Session.findByUid(session.uid));
  return found?.accountId !== undefined && !found.transient;
}

/** Without it, somebody who is signed in with another account than the one asked for sees the form come back for no reason. */
function noticeFor({ interaction: { prompt, session }, texts }: StepRequest): string | undefined {
  const otherAccount = ['id_token_hint', 'claims_id_token_sub_value'].some((reason) => prompt.reasons.includes(reason));
  return session && otherAccount ? texts.login.otherAccount : undefined;
}

/** The sign-in page of the interaction, saying this. */
export function showLogin(
  request: StepRequest,
  said: { login?: string; error?: string; notice?: string; remember?: boolean },
): void {
  const { ctx, parts, interaction, client, texts } = request;
  const passkey = signInForm(request);
  const sealed = sealedRequestOf(ctx);
  const { action, cancel, redirectUri } = urlsOf(parts.issuer, interaction, sealed);
  const upstreams = [...parts.upstreams.byId.values()];
  const presented = presentClient(client);
  parts.pages.show(
    ctx,
    'login',
    {
      action,
      cancel,
      csrf: parts.tokens.issue(interaction.uid),
      client: presented,
      upstreams: upstreams.map(({ id, label }) => {
        return { id, action: urlOfStep(parts.issuer, interaction, sealed, `upstream/${id}`), label };
      }),
      ...(passkey && { passkey }),
      ...letterLinks(request),
      ...said,
    },
    {
      formAction: [...redirectUri, ...upstreams.map(({ origin }) => origin)],
      imgSrc: presented.logoUri ? [presented.logoUri] : [],
      scriptSrc: scriptsOf(request, passkey),
      texts,
    },
  );
}
