// What follows when somebody has shown who they are, by whatever means: a second factor, an enrolment, or the sign-in.
import { errors, type InteractionResults } from 'oidc-provider';
import { passwordStateOf } from '../src/accounts/password-state.ts';
import { type EnrolledFactors, hasSecondFactor, isPasskeyInReach } from '../src/accounts/second-factors.ts';
import { seeOther } from '../src/http/redirects.ts';
import { acrOf, higher, type RequestedAcr, satisfies } from '../src/provider/authentication-levels.ts';
import type { Recognised } from '../src/provider/interaction-policy.ts';
import type { Account } from '../src/store.ts';
import { sealedRequestOf, urlOfStep } from './interaction.ts';
import { factsOf, type StepRequest } from './step-requests.ts';

/** Who has been recognised, and how (`amr`: RFC 8176 §2). */
export interface Recognition {
  account: Account;
  /** with `mfa` when it was two factors at once */
  amr: readonly string[];
  /** whether the session outlives the browser's; absent: as the session that this interaction began in, else not */
  remember?: boolean;
}

/** A sign-in of which one factor is done: kept with the interaction, where the browser cannot reach it. */
export interface HalfSignIn extends Recognised {
  remember?: boolean;
  /** the password that the account had: with another one, this is no sign-in any more */
  passwordState?: string;
  /** whether the factor was shown before, in the session that this interaction began in */
  fromSession: boolean;
}

type KeptHalf = Omit<HalfSignIn, 'fromSession'>;

/** With its account, as it is now. */
export interface FoundHalf {
  half: HalfSignIn;
  account: Account;
}

/** OpenID Connect Core Unmet Authentication Requirements 1.0 §2 */
const UNMET: InteractionResults = {
  error: 'unmet_authentication_requirements',
  error_description: 'none of the requested levels of authentication is available',
};

/** Seconds after which the first factor has to be shown again. */
const HALF_LIFETIME = 30 * 60;

/**
 * Every way of signing in ends here. With one factor where two are needed, it leads to the page of the second one, and
 * there is no result: no session exists before both are done.
 */
export async function signIn(
  request: StepRequest,
  { account, amr, remember }: Recognition,
): Promise<InteractionResults | undefined> {
  const { parts } = request;
  const at = parts.clock();
  const passwordState = passwordStateOf(account);
  const kept = { accountId: account.id, amr: [...amr], at, passwordState, ...(remember !== undefined && { remember }) };
  const factors = amr.includes('mfa') ? undefined : await parts.secondFactors.enrolledOf(account.id);
  if (factors && isOutOfReach(request, factors)) return UNMET;
  const next = factors && nextStep(request, account, factors);
  if (next === undefined) return complete(request, account, { ...kept, fromSession: false });
  await keepHalf(request, kept);
  goToStep(request, next);
  return undefined;
}

/** Whether nothing that could follow would satisfy the client: nobody sets something up for that, or types a code. */
function isOutOfReach(request: StepRequest, factors: EnrolledFactors): boolean {
  return mustBePasskey(request) && !isPasskeyInReach(factors, request.parts.passkeys.isOffered);
}

/** Whether no other second factor would do than a passkey. */
export function mustBePasskey(request: StepRequest): boolean {
  const { essential, level } = requestedBy(request);
  return essential && level === 'phr';
}

/** The page that must follow the first factor; none when it is enough. */
function nextStep(request: StepRequest, account: Account, factors: EnrolledFactors): string | undefined {
  if (hasSecondFactor(factors)) return 'second-factor';
  return mustHaveSecondFactor(request, account) || wishesSecondFactor(request) ? 'authenticator' : undefined;
}

/** Whether somebody without a second factor has to enrol one now. */
export function mustHaveSecondFactor(request: StepRequest, { requiresMfa }: Account): boolean {
  const { essential, level = 'aal1' } = requestedBy(request);
  const asked = higher(essential ? level : 'aal1', request.client['require_mfa'] === true ? 'aal2' : 'aal1');
  return requiresMfa === true || satisfies(asked, 'aal2');
}

/** Whether the client would like it, and is told the truth otherwise. */
function wishesSecondFactor(request: StepRequest): boolean {
  return satisfies(requestedBy(request).level, 'aal2');
}

/** The level that the authorization request asks for. */
function requestedBy({ interaction }: StepRequest): RequestedAcr {
  return interaction.prompt.details['requestedAcr'] as RequestedAcr;
}

/** Remembers the first factor, or what has changed about it. */
export async function keepHalf({ ctx, parts }: StepRequest, half: KeptHalf): Promise<void> {
  await parts.provider().interactionResult(ctx.req, ctx.res, { signIn: half }, { mergeWithLastSubmission: false });
}

/**
 * The sign-in of this interaction of which one factor is done, with its account: by the form just now, or before, in a
 * session that only lacks the second one. Undefined when there is none, it is too old, or the account has been disabled.
 * @throws errors.SessionNotFound when that session has ended
 */
export async function findHalf(request: StepRequest): Promise<FoundHalf | undefined> {
  const { interaction, parts } = request;
  if (interaction.prompt.name !== 'login') return undefined;
  // beside a login it is a rest of an interaction before this one, which ends with no password any more
  const { login, signIn: kept } = (interaction.result ?? {}) as { login?: object; signIn?: KeptHalf };
  const fresh = kept && !login && parts.clock() - kept.at <= HALF_LIFETIME ? kept : undefined;
  const recognised = fresh ?? (await recognisedInSession(request));
  const account = recognised && (await parts.accounts.find(recognised.accountId));
  if (!account || account.disabledAt !== undefined) return undefined;
  return { half: { ...recognised, fromSession: fresh === undefined }, account };
}

/**
 * The first factor of the session, where nothing but a second one is missing; as long as it is no older than the client
 * allows, since `auth_time` tells its age (OpenID Connect Core §3.1.2.1).
 */
export function recognisedBefore({ interaction: { prompt, params }, parts }: StepRequest): Recognised | undefined {
  const onlyLevel = prompt.reasons.length === 1 && prompt.reasons[0] === 'authentication_level';
  const recognised = onlyLevel ? (prompt.details['recognised'] as Recognised | undefined) : undefined;
  const maxAge = Number(params['max_age'] ?? Number.POSITIVE_INFINITY);
  return recognised && parts.clock() - recognised.at <= maxAge ? recognised : undefined;
}

/** The same, as long as that session lasts: what ends it ends the sign-ins that count on it. */
async function recognisedInSession(request: StepRequest): Promise<Recognised | undefined> {
  const recognised = recognisedBefore(request);
  if (recognised === undefined) return undefined;
  const { interaction, parts } = request;
  const session = await parts.provider().Session.findByUid(String(interaction.session?.uid));
  if (session?.accountId === recognised.accountId) return recognised;
  throw new errors.SessionNotFound('the session that this sign-in adds a factor to has ended');
}

/**
 * The sign-in with its second factor.
 * @param methods of the second factor (`amr`: RFC 8176 §2)
 */
export function addSecondFactor(
  request: StepRequest,
  { half, account }: FoundHalf,
  methods: readonly string[],
): InteractionResults {
  return complete(request, account, { ...half, amr: [...new Set([...half.amr, ...methods, 'mfa'])] });
}

/**
 * The sign-in: the result of the interaction. It happened now, but a session that only gets a second factor does not
 * become younger by it: `auth_time` is when the first of its factors was shown.
 */
export function complete(
  request: StepRequest,
  account: Account,
  { amr, at, remember, passwordState = passwordStateOf(account), fromSession }: HalfSignIn,
): InteractionResults {
  const { parts } = request;
  parts.audit.loginSucceeded({ ...factsOf(request), accountId: account.id, reason: amr.join(' ') });
  return {
    login: {
      accountId: account.id,
      amr: [...amr],
      acr: acrOf(amr),
      ts: fromSession ? at : parts.clock(),
      passwordState,
      ...(remember !== undefined && { remember }),
    },
  };
}

/** Sends the browser to another page of this interaction; the empty text is its first. */
export function goToStep({ ctx, parts, interaction }: StepRequest, step: string): void {
  seeOther(ctx, urlOfStep(parts.issuer, interaction, sealedRequestOf(ctx), step));
}
