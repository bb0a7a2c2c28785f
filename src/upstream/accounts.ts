// Which account somebody has here who signed in elsewhere.
import { hash } from 'node:crypto';
import { isClaim } from '../accounts/claim-values.ts';
import type { AccountDirectory } from '../accounts/directory.ts';
import { createTurns } from '../accounts/turns.ts';
import { type Account, type Clock, Conflict, type LinkedIdentities } from '../store.ts';
import type { UpstreamIdentity } from './upstream.ts';

/** How the account was found; `linked` and `created` say that it is new that this identity leads there. */
export interface UpstreamAccount {
  account: Account;
  how: 'known' | 'linked' | 'created';
}

export interface UpstreamAccounts {
  /**
   * The account that the identity is linked to. Without one: the account with the same e-mail address, where both sides
   * have verified it and the upstream's word counts here; else a new account, where people may sign up. Undefined when
   * there is none of these, or the account is disabled.
   */
  findOrCreate(upstream: string, identity: UpstreamIdentity): Promise<UpstreamAccount | undefined>;
  /** False when the identity is linked to another account. */
  link(accountId: string, upstream: string, identity: UpstreamIdentity): Promise<boolean>;
}

export function createUpstreamAccounts(options: {
  linkedIdentities: LinkedIdentities;
  accounts: AccountDirectory;
  /** upstreams whose verified e-mail addresses are as good as ours */
  linkByEmail: readonly string[];
  allowSignUp: boolean;
  clock: Clock;
}): UpstreamAccounts {
  const { linkedIdentities, accounts, linkByEmail, allowSignUp, clock } = options;
  const turns = createTurns(1);

  async function link(accountId: string, upstream: string, { subject, label }: UpstreamIdentity): Promise<boolean> {
    try {
      await linkedIdentities.insert({ upstream, subject, accountId, label, createdAt: clock() });
      return true;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      return (await linkedIdentities.find(upstream, subject))?.accountId === accountId;
    }
  }

  async function findByEmail(upstream: string, identity: UpstreamIdentity): Promise<Account | undefined> {
    if (!linkByEmail.includes(upstream) || !identity.emailVerified || identity.email === undefined) return undefined;
    const account = await accounts.findByUsername(identity.email);
    // it may also have been found by its username
    const { email, email_verified: verified } = account?.claims ?? {};
    return verified === true && mailboxKey(email ?? '') === mailboxKey(identity.email) ? account : undefined;
  }

  return {
    link,
    // of two sign-ins with a new identity at once, the second one finds what the first one has made
    findOrCreate: (upstream, identity) =>
      turns(`${upstream} ${identity.subject}`, () => findOrCreate(upstream, identity)),
  };

  async function findOrCreate(upstream: string, identity: UpstreamIdentity): Promise<UpstreamAccount | undefined> {
    const known = await linkedIdentities.find(upstream, identity.subject);
    if (known) return usable(await accounts.find(known.accountId), 'known');
    const sameEmail = await findByEmail(upstream, identity);
    if (sameEmail) {
      if (sameEmail.disabledAt !== undefined) return undefined;
      return (await link(sameEmail.id, upstream, identity)) ? { account: sameEmail, how: 'linked' } : undefined;
    }
    const created = allowSignUp ? await create(accounts, upstream, identity) : undefined;
    if (created === undefined || !(await link(created.id, upstream, identity))) return undefined;
    return { account: created, how: 'created' };
  }
}

function usable(account: Account | undefined, how: 'known'): UpstreamAccount | undefined {
  return account && account.disabledAt === undefined ? { account, how } : undefined;
}

/** Undefined when the e-mail address belongs to somebody here already: they must link it themselves. */
async function create(
  accounts: AccountDirectory,
  upstream: string,
  { subject, email, emailVerified, name }: UpstreamIdentity,
): Promise<Account | undefined> {
  // what others take for a name or an address may be none here: the account does without
  // an address that nobody has verified would keep its owner from signing in with it
  const verified = emailVerified && isClaim('email', email) ? { email, email_verified: true } : {};
  const username = verified.email !== undefined && [...verified.email].length <= 64 ? verified.email : undefined;
  try {
    return await accounts.add({
      username: username ?? `${upstream}-${isPlain(subject) ? subject : hash('sha256', subject).slice(0, 32)}`,
      claims: { ...(isClaim('name', name) && { name }), ...verified },
    });
  } catch (error) {
    if (error instanceof Conflict) return undefined;
    throw error;
  }
}

/**
 * What login keys unite may be two mailboxes, or two domains with two owners: `faß.example` and `fass.example`. Only the
 * case of A to Z never tells two apart.
 */
function mailboxKey(email: string): string {
  return email.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Whether it can be part of a username, and no spelling of it is another subject. */
function isPlain(subject: string): boolean {
  return /^[a-z\d._-]{1,48}$/.test(subject);
}
