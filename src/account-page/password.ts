// The page of the password: a new one for whoever knows the one before.
import type { Guesses } from '../accounts/guesses.ts';
import type { PasswordRules } from '../accounts/password-rules.ts';
import { hasSecondFactor, type SecondFactorDirectory } from '../accounts/second-factors.ts';
import type { AccountSessions } from '../provider/account-sessions.ts';
import type { KnownDevices } from '../provider/known-devices.ts';
import type { Account } from '../store.ts';
import type { AccountPageParts, AccountRequest, AccountSection, SubmittedRequest } from './section.ts';

export interface PasswordParts extends Pick<AccountPageParts, 'accounts' | 'audit' | 'notices'> {
  guesses: Guesses;
  knownDevices: KnownDevices;
  passwordRules: PasswordRules;
  secondFactors: Pick<SecondFactorDirectory, 'factorsOf'>;
  sessions: Pick<AccountSessions, 'endAll'>;
}

const PAGE = '/password';

export function password(parts: PasswordParts): AccountSection {
  return ({ entry, get, post }) => {
    entry(PAGE, ({ accountFrame }) => accountFrame.links.password);
    get(PAGE, (request) => show(parts, request), { fresh: true });
    post(PAGE, (request) => change(parts, request), { fresh: true });
  };
}

async function show(parts: PasswordParts, request: AccountRequest, error?: string): Promise<void> {
  const { account, csrf, pathOf } = request;
  request.show('account-password', {
    action: pathOf(PAGE),
    csrf,
    username: account.username,
    hasPassword: account.passwordHash !== undefined,
    minimumLength: parts.passwordRules.minimumFor(await choiceOf(parts, account)),
    ...(error !== undefined && { error }),
  });
}

/** Whoever had the password before has nothing of it left: other sessions and all other tokens end with it. */
async function change(parts: PasswordParts, request: SubmittedRequest): Promise<void> {
  const { account, ctx, sessionUid, texts } = request;
  const checked = await check(parts, request);
  const password = String(request.form['password']);
  // what was typed may have become wrong since
  const done = !('problem' in checked) && (await parts.accounts.setPassword(account.id, password, checked.known));
  if (!done) {
    ctx.status = 400;
    return show(parts, request, 'problem' in checked ? checked.problem : texts['account-password'].wrong);
  }
  await parts.sessions.endAll(account.id, { except: sessionUid });
  const changed = await parts.accounts.find(account.id);
  if (changed) parts.knownDevices.remember(ctx, changed);
  parts.audit.passwordChanged(request.facts());
  parts.notices.passwordChanged(account, request.texts);
  // not here: the page would ask somebody to sign in again who took a while to fill it in
  request.finish('/', 'passwordChanged');
}

/** What is wrong with the form, or the account whose password it shows. @throws TooManyGuesses, PasswordQueueFull */
async function check(
  parts: PasswordParts,
  { account, ctx, form, texts }: SubmittedRequest,
): Promise<{ problem: string } | { known: Account }> {
  const [current, chosen] = [form['current'], form['password']].map((value) =>
    typeof value === 'string' ? value : '',
  );
  const fault = await parts.passwordRules.faultOf(String(chosen), await choiceOf(parts, account));
  if (fault) return { problem: texts.newPassword[fault.reason](fault.minimum) };
  if (account.passwordHash === undefined) return { known: account };
  const guess = {
    secret: 'password',
    whose: { accountId: account.id },
    address: ctx.ip,
    device: parts.knownDevices.recall(ctx, account),
  } as const;
  const known = await parts.guesses.attempt(guess, () =>
    parts.accounts.authenticate(account.username, String(current)),
  );
  return known?.id === account.id ? { known } : { problem: texts['account-password'].wrong };
}

async function choiceOf({ secondFactors }: PasswordParts, account: Account) {
  return { account, hasSecondFactor: hasSecondFactor(await secondFactors.factorsOf(account.id)) };
}
