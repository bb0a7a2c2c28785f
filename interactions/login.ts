// The sign-in step: name and password.
import { PasswordQueueFull } from '../src/accounts/hash-queue.ts';
import { TemporarilyUnavailable } from '../src/provider/storage-errors.ts';
import { presentClient, sealedRequestOf, urlsOf } from './interaction.ts';
import { signIn } from './sign-in.ts';
import { factsOf, type InteractionStep, type StepRequest } from './step-requests.ts';

export const login: InteractionStep = {
  async show(request) {
    const hint = request.interaction.params['login_hint'];
    const notice = noticeFor(request);
    render(request, { ...(typeof hint === 'string' && { login: hint }), ...(notice && { notice }) });
  },

  async submit(request, { login: name, password }) {
    const account = await authenticate(request, name, password);
    if (account === undefined) {
      request.parts.audit.loginFailed(factsOf(request));
      request.ctx.status = 400;
      render(request, { error: request.texts.login.refused, ...(typeof name === 'string' ? { login: name } : {}) });
      return undefined;
    }
    return signIn(request, { account, amr: ['pwd'] });
  },
};

async function authenticate({ parts }: StepRequest, name: unknown, password: unknown) {
  if (typeof name !== 'string' || typeof password !== 'string') return undefined;
  try {
    return await parts.accounts.authenticate(name, password);
  } catch (error) {
    throw error instanceof PasswordQueueFull ? new TemporarilyUnavailable(error) : error;
  }
}

/** Without it, somebody who is signed in with another account than the one asked for sees the form come back for no reason. */
function noticeFor({ interaction: { prompt, session }, texts }: StepRequest): string | undefined {
  const otherAccount = ['id_token_hint', 'claims_id_token_sub_value'].some((reason) => prompt.reasons.includes(reason));
  return session && otherAccount ? texts.login.otherAccount : undefined;
}

function render(
  { ctx, parts, interaction, client, texts }: StepRequest,
  said: { login?: string; error?: string; notice?: string },
): void {
  const { action, cancel, redirectUri } = urlsOf(parts.issuer, interaction, sealedRequestOf(ctx));
  const presented = presentClient(client);
  parts.pages.show(
    ctx,
    'login',
    { action, cancel, csrf: parts.tokens.issue(interaction.uid), client: presented, ...said },
    { formAction: redirectUri, imgSrc: presented.logoUri ? [presented.logoUri] : [], texts },
  );
}
