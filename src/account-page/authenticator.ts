// The pages of the authenticator app: setting it up, replacing it, removing it, and the recovery codes.
import type { Guesses } from '../accounts/guesses.ts';
import type { PasswordRules } from '../accounts/password-rules.ts';
import { hasSecondFactor, type SecondFactorDirectory } from '../accounts/second-factors.ts';
import { totpUri } from '../accounts/totp.ts';
import { qrCodeOf } from '../http/qr-code.ts';
import type { KnownDevices } from '../provider/known-devices.ts';
import type { AccountPageParts, AccountRequest, AccountSection, SubmittedRequest } from './section.ts';

/** What it takes to let go of the last second factor. */
export interface LastFactorParts extends Pick<AccountPageParts, 'accounts'> {
  passwordRules: PasswordRules;
  guesses: Guesses;
  knownDevices: KnownDevices;
}

export interface AuthenticatorParts extends Pick<AccountPageParts, 'audit' | 'notices'>, LastFactorParts {
  secondFactors: SecondFactorDirectory;
  /** what this service calls itself */
  installation: string;
}

const PAGE = '/authenticator';
const SET_UP = '/authenticator/set-up';
/** Shows codes that are new, whichever factor they stand in for. */
export const RECOVERY_CODES = '/recovery-codes';

/** What is being enrolled is enrolled in one session of one person. */
export function enrolmentPlace({ account, sessionUid }: Pick<AccountRequest, 'account' | 'sessionUid'>): string {
  return `account page ${account.id} ${sessionUid}`;
}

export function authenticator(parts: AuthenticatorParts): AccountSection {
  const { secondFactors, audit } = parts;

  return ({ entry, get, post }) => {
    entry(PAGE, ({ accountFrame }) => accountFrame.links.authenticator);
    get(PAGE, (request) => showState(parts, request));
    get(SET_UP, (request) => showSetUp(parts, request), { fresh: true });
    // those that this session has just made: whoever took their time before is not asked for a code of the new app
    get(RECOVERY_CODES, (request) => showRecoveryCodes(parts, request));

    post(SET_UP, (request) => setUp(parts, request), { fresh: true });

    post(`${PAGE}/remove`, (request) => remove(parts, request), { fresh: true });

    post(
      `${PAGE}/recovery-codes`,
      async (request) => {
        const { account } = request;
        if (!hasSecondFactor(await secondFactors.factorsOf(account.id))) return request.goTo(PAGE);
        await secondFactors.renewRecoveryCodes(account.id, enrolmentPlace(request));
        await parts.guesses.forgive(account.id, ['recovery-code']);
        audit.recoveryCodesReplaced(request.facts());
        request.goTo(RECOVERY_CODES);
      },
      { fresh: true },
    );

    post(RECOVERY_CODES, async (request) => {
      if (request.form['kept'] !== 'yes') return request.goTo(RECOVERY_CODES);
      await secondFactors.endEnrolment(enrolmentPlace(request));
      request.finish(PAGE, 'recoveryCodesKept');
    });
  };
}

async function showState(parts: AuthenticatorParts, request: AccountRequest, error?: string): Promise<void> {
  const { account, pathOf } = request;
  const factors = await parts.secondFactors.factorsOf(account.id);
  const isLast = factors.passkeys === 0;
  const mayRemove = factors.totp && !(isLast && account.requiresMfa);
  request.show('account-authenticator', {
    csrf: request.csrf,
    hasApp: factors.totp,
    isRequired: isLast && account.requiresMfa === true,
    setUp: { href: pathOf(SET_UP) },
    ...(hasSecondFactor(factors) && {
      recovery: { left: factors.recoveryCodes, action: pathOf(`${PAGE}/recovery-codes`) },
    }),
    ...(mayRemove && {
      remove: { action: pathOf(`${PAGE}/remove`), asksPassword: isLast && account.passwordHash !== undefined },
    }),
    ...(error !== undefined && { error }),
  });
}

async function showSetUp(parts: AuthenticatorParts, request: AccountRequest, error?: string): Promise<void> {
  const { account, csrf, pathOf } = request;
  const place = enrolmentPlace(request);
  const begun = await parts.secondFactors.findEnrolment(account.id, place);
  // what was enrolled before in this session is finished; the codes that it showed are kept or lost
  if (begun?.recoveryCodes) await parts.secondFactors.endEnrolment(place);
  const { secret } = await parts.secondFactors.beginTotp(account.id, place);
  const uri = totpUri({ secret, issuer: parts.installation, username: account.username });
  request.show('account-authenticator-set-up', {
    action: pathOf(SET_UP),
    csrf,
    back: { href: pathOf(PAGE) },
    qr: qrCodeOf(uri),
    key: secret.match(/.{1,4}/g) ?? [],
    link: { href: uri },
    ...(error !== undefined && { error }),
  });
}

async function setUp(parts: AuthenticatorParts, request: SubmittedRequest): Promise<void> {
  const { account, form, texts } = request;
  const code = form['code'];
  const place = enrolmentPlace(request);
  if (
    typeof code === 'string' &&
    (await parts.secondFactors.confirmTotp(account.id, place, code, { replaces: true }))
  ) {
    await parts.guesses.forgive(account.id, ['totp', 'recovery-code']);
    await request.endOtherVisits();
    parts.audit.secondFactorEnrolled({ ...request.facts(), reason: 'authenticator app' });
    parts.notices.signInChanged(account, texts, { what: 'appAdded' });
    return request.goTo(RECOVERY_CODES);
  }
  // a double click submits the form twice
  if ((await parts.secondFactors.findEnrolment(account.id, place))?.recoveryCodes) return request.goTo(RECOVERY_CODES);
  request.ctx.status = 400;
  await showSetUp(parts, request, texts.authenticator.refused);
}

async function showRecoveryCodes({ secondFactors }: AuthenticatorParts, request: AccountRequest): Promise<void> {
  const codes = (await secondFactors.findEnrolment(request.account.id, enrolmentPlace(request)))?.recoveryCodes;
  if (codes === undefined) return request.goTo(PAGE);
  request.show('account-recovery-codes', {
    action: request.pathOf(RECOVERY_CODES),
    csrf: request.csrf,
    codes,
  });
}

async function remove(parts: AuthenticatorParts, request: SubmittedRequest): Promise<void> {
  const { account } = request;
  const { passkeys } = await parts.secondFactors.factorsOf(account.id);
  const isLast = passkeys === 0;
  const problem = isLast ? await problemOfLast(parts, request, request.texts['account-authenticator']) : undefined;
  if (problem !== undefined) {
    request.ctx.status = 400;
    return showState(parts, request, problem);
  }
  if (await parts.secondFactors.removeTotp(account.id, (left) => isLast || hasSecondFactor(left))) {
    parts.audit.secondFactorRemoved({ ...request.facts(), reason: 'authenticator app' });
    parts.notices.signInChanged(account, request.texts, { what: 'appRemoved' });
  } else if ((await parts.secondFactors.factorsOf(account.id)).totp) return request.goTo(PAGE);
  request.finish(PAGE, 'authenticatorOff');
}

/**
 * Why the last second factor may not be removed. Its owner types the password, which from then on stands alone, and has
 * to be one that may: with a second factor a shorter one could be chosen.
 */
export async function problemOfLast(
  { accounts, guesses, knownDevices, passwordRules }: LastFactorParts,
  { account, ctx, form }: SubmittedRequest,
  words: { required: string; wrongPassword: string; weakPassword: string },
): Promise<string | undefined> {
  if (account.requiresMfa) return words.required;
  if (account.passwordHash === undefined) return undefined;
  const password = String(form['password'] ?? '');
  const guess = {
    secret: 'password',
    whose: { accountId: account.id },
    address: ctx.ip,
    device: knownDevices.recall(ctx, account),
  } as const;
  const known = await guesses.attempt(guess, () => accounts.authenticate(account.username, password));
  if (known === undefined) return words.wrongPassword;
  const fault = await passwordRules.faultOf(password, { account, hasSecondFactor: false });
  return fault && words.weakPassword;
}
