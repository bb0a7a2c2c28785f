// The pages of passkeys: which there are, adding one, giving one another name, removing one.
import { describeBrowser } from '../accounts/browsers.ts';
import { passkeyNameOf } from '../accounts/passkey-names.ts';
import type { PasskeyCeremonies } from '../accounts/passkeys.ts';
import { type EnrolledFactors, hasSecondFactor, type SecondFactorDirectory } from '../accounts/second-factors.ts';
import type { KeptFile } from '../http/kept-files.ts';
import type { Account, LinkedIdentities, Passkey, Passkeys } from '../store.ts';
import { enrolmentPlace, type LastFactorParts, problemOfLast, RECOVERY_CODES } from './authenticator.ts';
import type { AccountPageParts, AccountRequest, AccountSection, SubmittedRequest } from './section.ts';

export interface PasskeyParts extends Pick<AccountPageParts, 'audit' | 'notices'>, LastFactorParts {
  ceremonies: PasskeyCeremonies;
  script: KeptFile;
  passkeys: Passkeys;
  secondFactors: SecondFactorDirectory;
  linkedIdentities: LinkedIdentities;
}

const PAGE = '/passkeys';
const ADD = '/passkeys/add';

export function passkeys(parts: PasskeyParts): AccountSection {
  return ({ entry, get, post }) => {
    entry(PAGE, ({ accountFrame }) => accountFrame.links.passkeys);
    get(PAGE, (request) => showAll(parts, request));

    get(ADD, (request) => showAdding(parts, request), { fresh: true });
    post(ADD, (request) => add(parts, request), { fresh: true });

    get(`${PAGE}/:id`, (request) => withPasskey(parts, request, (passkey) => showOne(parts, request, passkey)));
    post(`${PAGE}/:id`, (request) => withPasskey(parts, request, (passkey) => rename(parts, request, passkey)));
    post(`${PAGE}/:id/remove`, (request) => withPasskey(parts, request, (passkey) => remove(parts, request, passkey)), {
      fresh: true,
    });
  };
}

async function showAll({ passkeys }: PasskeyParts, request: AccountRequest): Promise<void> {
  const all = await passkeys.listOf(request.account.id);
  request.show('account-passkeys', {
    add: { href: request.pathOf(ADD) },
    passkeys: all.map(({ id, name, createdAt, lastUsedAt }) => ({
      href: request.pathOf(`${PAGE}/${id}`),
      name: name || request.texts['account-passkeys'].unnamed,
      created: request.moment(createdAt),
      ...(lastUsedAt !== undefined && { lastUsed: request.moment(lastUsedAt) }),
    })),
  });
}

async function showAdding(
  { ceremonies, script, secondFactors }: PasskeyParts,
  request: AccountRequest,
  error?: string,
): Promise<void> {
  const { account } = request;
  const options = await ceremonies.enrolmentOptions(account, enrolmentPlace(request));
  const asksAlready = account.requiresMfa || hasSecondFactor(await secondFactors.enrolledOf(account.id));
  request.show(
    'account-passkey-add',
    {
      passkey: {
        action: request.pathOf(ADD),
        csrf: request.csrf,
        options: JSON.stringify(options),
        script: new URL(script.url).pathname,
      },
      asksMore: account.passwordHash !== undefined && !asksAlready,
      back: { href: request.pathOf(PAGE) },
      ...(error !== undefined && { error }),
    },
    { scriptSrc: [script.url] },
  );
}

async function add(parts: PasskeyParts, request: SubmittedRequest): Promise<void> {
  const { account, ctx, form, texts } = request;
  const answer = String(form['passkey'] ?? '');
  const browser = describeBrowser(ctx.get('user-agent'), { ...texts['account-sessions'], unknownBrowser: '' });
  const added = await parts.ceremonies.enrol(account, enrolmentPlace(request), answer, browser);
  if ('refused' in added) {
    parts.audit.passkeyRefused({ ...request.facts(), reason: added.refused });
    const { passkeyExpired, passkeyTaken } = texts.shared;
    const sentences: Record<string, string> = { expired: passkeyExpired, taken: passkeyTaken };
    ctx.status = 400;
    return showAdding(parts, request, sentences[added.refused] ?? texts['account-passkey-add'].refused);
  }
  await request.endOtherVisits();
  parts.audit.passkeyAdded({ ...request.facts(), reason: added.passkey.name });
  parts.notices.signInChanged(account, texts, { what: 'passkeyAdded' });
  const { recoveryCodes } = await parts.secondFactors.factorsOf(account.id);
  if (recoveryCodes > 0) return request.finish(PAGE, 'passkeyAdded');
  await parts.secondFactors.renewRecoveryCodes(account.id, enrolmentPlace(request));
  parts.audit.recoveryCodesReplaced(request.facts());
  request.goTo(RECOVERY_CODES);
}

/** A passkey that is gone, or of somebody else, leads back to those that there are. */
async function withPasskey(
  { passkeys }: PasskeyParts,
  request: AccountRequest,
  handle: (passkey: Passkey) => Promise<void>,
): Promise<void> {
  const id = String(request.ctx['params'].id);
  // a path may hold anything, NUL too
  const passkey = /^[\w-]+$/.test(id) ? await passkeys.find(id) : undefined;
  return passkey?.accountId === request.account.id ? handle(passkey) : request.goTo(PAGE);
}

async function showOne(parts: PasskeyParts, request: AccountRequest, passkey: Passkey, error?: string): Promise<void> {
  const { account, pathOf, texts } = request;
  const words = texts['account-passkey'];
  const isLast = await isLastFactor(parts, request);
  const obstacle = await obstacleTo(parts, request, isLast);
  const hasPassword = account.passwordHash !== undefined;
  request.show('account-passkey', {
    csrf: request.csrf,
    back: { href: pathOf(PAGE) },
    name: passkey.name,
    rename: pathOf(`${PAGE}/${passkey.id}`),
    ...(obstacle === undefined
      ? { remove: { action: pathOf(`${PAGE}/${passkey.id}/remove`), asksPassword: isLast && hasPassword } }
      : { obstacle: words[obstacle] }),
    ...(error !== undefined && { error }),
  });
}

async function rename(parts: PasskeyParts, request: SubmittedRequest, passkey: Passkey): Promise<void> {
  const name = passkeyNameOf(request.form['name']);
  if (name === undefined) {
    request.ctx.status = 400;
    return showOne(parts, request, passkey, request.texts['account-passkey'].badName);
  }
  await parts.passkeys.rename(request.account.id, passkey.id, name);
  request.finish(PAGE, 'passkeyRenamed');
}

async function remove(parts: PasskeyParts, request: SubmittedRequest, passkey: Passkey): Promise<void> {
  const { account, texts } = request;
  const words = texts['account-passkey'];
  const isLast = await isLastFactor(parts, request);
  const obstacle = await obstacleTo(parts, request, isLast);
  const problem = obstacle ? words[obstacle] : isLast ? await problemOfLast(parts, request, words) : undefined;
  if (problem !== undefined) {
    request.ctx.status = 400;
    return showOne(parts, request, passkey, problem);
  }
  const mayLeave = async (left: EnrolledFactors) =>
    (isLast || hasSecondFactor(left)) && (left.passkeys > 0 || (await hasOtherWay(parts, account)));
  if (await parts.secondFactors.removePasskey(account.id, passkey.id, mayLeave)) {
    parts.audit.passkeyRemoved({ ...request.facts(), reason: passkey.name });
    parts.notices.signInChanged(account, texts, { what: 'passkeyRemoved' });
  } else if (await parts.passkeys.find(passkey.id)) return request.goTo(`${PAGE}/${passkey.id}`);
  request.finish(PAGE, 'passkeyRemoved');
}

/** Whether no second factor would be left without this passkey. */
async function isLastFactor({ secondFactors }: PasskeyParts, { account }: AccountRequest): Promise<boolean> {
  const { totp, passkeys } = await secondFactors.factorsOf(account.id);
  return !hasSecondFactor({ totp, passkeys: passkeys - 1 });
}

/** Why a passkey has to stay, whatever its owner types: who removed it could not sign in any more. */
async function obstacleTo(
  parts: PasskeyParts,
  { account }: AccountRequest,
  isLast: boolean,
): Promise<'required' | 'onlyWay' | undefined> {
  if (isLast && account.requiresMfa) return 'required';
  if ((await parts.passkeys.listOf(account.id)).length > 1) return undefined;
  return (await hasOtherWay(parts, account)) ? undefined : 'onlyWay';
}

/** Whether somebody could sign in to the account without any passkey. */
async function hasOtherWay({ linkedIdentities }: PasskeyParts, { id, passwordHash }: Account): Promise<boolean> {
  return passwordHash !== undefined || (await linkedIdentities.listOf(id)).length > 0;
}
