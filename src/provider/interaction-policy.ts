// When an authorization request has to ask the end-user for something.
import { errors, interactionPolicy, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import { type EnrolledFactors, hasSecondFactor, isPasskeyInReach } from '../accounts/second-factors.ts';
import { ACR_VALUES, type Acr, requestedAcr, satisfies } from './authentication-levels.ts';
import { consentRequest } from './grants.ts';

/** Somebody who has shown who they are, by one factor. */
export interface Recognised {
  accountId: string;
  /** RFC 8176 §2 */
  amr: readonly string[];
  /** epoch seconds: when */
  at: number;
}

/**
 * Seconds after which a session that lacks a second factor has to show its first one again as well: half of the day that
 * a sign-in with two factors may last by SP 800-63B-4 §2.2.3.
 */
const FIRST_FACTOR_LIFETIME = 12 * 60 * 60;
/** Seconds for showing a second one, after which the first one must not be older than `max_age`. */
const SECOND_FACTOR_TIME = 2 * 60;

export interface InteractionPolicyOptions {
  enrolledOf(accountId: string): Promise<EnrolledFactors>;
  /** whether a sign-in can add one */
  passkeysAreOffered: boolean;
}

/**
 * The library's prompts, but a session whose account is gone or disabled is no session (security requirement R11), the
 * level of authentication is ours to judge, and the consent page is told everything that is asked for, not only what
 * is new.
 */
export function createInteractionPolicy(options: InteractionPolicyOptions) {
  const { Check, base } = interactionPolicy;
  const policy = base();
  const [login, consent] = [policy.get('login'), policy.get('consent')];
  if (login) {
    const { details } = login;
    login.details = async (ctx) => ({ ...(await details(ctx)), requestedAcr: requestedAcr(ctx.oidc.params ?? {}) });
    // they compare levels as texts, and would ask again and again for one that cannot be reached
    login.checks.remove('essential_acr');
    login.checks.remove('essential_acrs');
    login.checks.add(
      new Check('account_unavailable', 'End-User authentication is required', 'login_required', hasLostAccount),
    );
    login.checks.add(
      new Check(
        'authentication_level',
        'End-User authentication with more factors is required',
        'login_required',
        createLevelCheck(options),
        (ctx) => ({ recognised: recognisedIn(ctx) }),
      ),
    );
  }
  if (consent) consent.details = async (ctx) => ({ request: consentRequest(ctx) });
  return policy;
}

function hasLostAccount({ oidc }: KoaContextWithOIDC): boolean {
  return oidc.session?.accountId !== undefined && oidc.entities.Account === undefined;
}

/**
 * Whether the sign-in of this session is not enough: for what is asked for, for the client, or for the account. A level
 * that is only wished for is asked for where the account can reach it. An essential one that is out of reach is an error
 * (OpenID Connect Core §5.5.1.1).
 */
function createLevelCheck({ enrolledOf, passkeysAreOffered }: InteractionPolicyOptions) {
  return async ({ oidc }: KoaContextWithOIDC): Promise<boolean> => {
    const { level, essential, values } = requestedAcr(oidc.params ?? {});
    if (essential && level === undefined) throw unmet(values);
    const { session, client, entities } = oidc;
    const account = entities.Account;
    if (!session?.accountId || account === undefined) return false;
    const reached = (acr: Acr) => satisfies(session['acr'], acr);
    const hasJustSignedIn = oidc.result?.login !== undefined;
    // signing in has asked for what the account has; what a request wishes for is asked for here
    const isSettled = level === undefined ? hasJustSignedIn || reached('aal2') : reached('aal2') && level !== 'phr';
    const has = isSettled ? undefined : await enrolledOf(session.accountId);

    // nobody who is signed in is asked to set something up for a wish
    const mayEnrol = essential && passkeysAreOffered;
    const canReach =
      level === 'phr' ? has && isPasskeyInReach(has, mayEnrol) : essential || (has && hasSecondFactor(has));
    const lacks = level !== undefined && !reached(level);
    if (essential && lacks && (!canReach || hasJustSignedIn)) throw unmet(values);

    const demanded =
      client?.['require_mfa'] === true || account['requiresMfa'] === true || (has && hasSecondFactor(has));
    if (demanded && !reached('aal2')) return true;
    return lacks && Boolean(canReach) && !hasJustSignedIn;
  };
}

/**
 * An essential `acr` is answered with a level that was asked for, though the session may have a higher one, which
 * satisfies it (OpenID Connect Core §5.5.1.1).
 */
export function answerEssentialAcr(provider: Provider): void {
  provider.on('authorization.accepted', ({ oidc }) => {
    const { essential, values } = requestedAcr(oidc.params ?? {});
    const reached = ACR_VALUES.filter((acr) => values.includes(acr) && satisfies(oidc.session?.['acr'], acr));
    // the library reads it from here for the code and the ID token
    if (essential && reached.length > 0) Object.defineProperty(oidc, 'acr', { value: reached.at(-1) });
  });
}

function unmet(values: readonly string[]): Error {
  return new errors.UnmetAuthenticationRequirements(
    'none of the requested levels of authentication is available',
    `asked for ${values.join(' ')}`,
  );
}

/** The first factor of the session, unless it was shown too long ago, or will have been when there is a second one. */
function recognisedIn({ oidc: { session, params } }: KoaContextWithOIDC): Recognised | undefined {
  const { accountId, loginTs } = session ?? {};
  const maxAge = Number(params?.['max_age'] ?? Number.POSITIVE_INFINITY) - SECOND_FACTOR_TIME;
  const isTooOld = session?.past(Math.min(FIRST_FACTOR_LIFETIME, maxAge));
  if (accountId === undefined || loginTs === undefined || isTooOld) return undefined;
  const amr = session?.['amr'];
  return { accountId, amr: Array.isArray(amr) ? amr : [], at: loginTs };
}
