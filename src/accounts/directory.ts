// The accounts: adding them, finding them, signing them in, and what an operator changes.
import { randomUUID } from 'node:crypto';
import type { Account, Accounts, Clock, StandardClaims } from '../store.ts';
import { isVisible, parseClaims } from './claim-values.ts';
import type { Urgency } from './hash-queue.ts';
import { loginKey } from './login-keys.ts';
import type { PasswordHasher } from './passwords.ts';
import { createTurns } from './turns.ts';

/** An account that cannot be as it was given; the message says what it must be. */
export class InvalidAccount extends Error {
  override name = 'InvalidAccount';
}

/** What is known of an account before it exists. Without a password nobody signs in to it by password. */
export interface NewAccount {
  username: string;
  password?: string;
  claims?: StandardClaims;
}

/** Accounts, found by id or by any spelling of their username or e-mail address. Disabled ones are found too. */
export interface AccountDirectory {
  /**
   * The new account, with a random UUID as its id (the `sub` of its tokens).
   * @throws InvalidAccount, InvalidClaim, UnacceptablePassword, PasswordQueueFull, Conflict when the username or the
   *   e-mail address belongs to another account
   */
  add(account: NewAccount): Promise<Account>;
  /**
   * The account that this login and password open. An unknown login, a wrong password, a disabled account and one
   * without a password all cost the same and answer `undefined` (security.md R48). A hash made with weaker settings is
   * replaced on the way.
   * @throws PasswordQueueFull
   */
  authenticate(login: string, password: string): Promise<Account | undefined>;
  /** The same for an account that was looked up; without one it is the work of a refusal. @throws PasswordQueueFull */
  verify(account: Account | undefined, password: string, urgency?: Urgency): Promise<Account | undefined>;
  /** How many passwords are verified in that time, going by how long it took lately. */
  verifiedWithin(ms: number): number;
  find(id: string): Promise<Account | undefined>;
  /** By username or e-mail address, in any spelling. */
  findByUsername(login: string): Promise<Account | undefined>;
  list(): Promise<Account[]>;
  /**
   * False when there is no such account.
   * @param was whoever chooses it has shown the password of this account: false, too, when that is another one by now
   * @throws UnacceptablePassword, PasswordQueueFull
   */
  setPassword(id: string, password: string, was?: Account): Promise<boolean>;
  /**
   * What the owner of an e-mail address may do by a link that was sent there: have it, verified, and set the password.
   * `redeem` is asked last, when the password is hashed: unless it answers true, nothing changes.
   * False when it does not, or there is no such account.
   * @throws UnacceptablePassword, PasswordQueueFull, InvalidClaim, Conflict when the address belongs to another account
   */
  changeByLink(
    id: string,
    changes: { password?: string; email?: string | undefined },
    redeem: () => Promise<boolean>,
  ): Promise<boolean>;
  /**
   * What its owner may change without proof: the name, which the empty text takes away, and the e-mail address, which is
   * not verified then. False when there is no such account.
   * @throws InvalidClaim, Conflict when the address belongs to another account
   */
  changeProfile(id: string, changes: { name?: string; email?: string }): Promise<boolean>;
  /** From now on nobody signs in to it. False when there is no such account. */
  disable(id: string): Promise<boolean>;
  enable(id: string): Promise<boolean>;
  /** Whether it signs in with a second factor only. False when there is no such account. */
  requireMfa(id: string, required: boolean): Promise<boolean>;
  remove(id: string): Promise<boolean>;
}

const maxLogin = 320;

function checkUsername(username: string, email: string | undefined): void {
  const length = [...username].length;
  const isAddress = loginKey(username) === (email && loginKey(email));
  if (length < 1 || (length > 64 && !isAddress)) throw new InvalidAccount('a username must have 1 to 64 characters');
  if (!isVisible(username)) throw new InvalidAccount('a username must not have invisible characters');
  if (username.trim() !== username || loginKey(username) === '') {
    throw new InvalidAccount('a username must not begin or end with white space');
  }
  // Otherwise somebody could take the address of another person as a name, and with it that person's sign-in.
  if (loginKey(username).includes('@') && !isAddress) {
    throw new InvalidAccount("a username with @ must be the account's own e-mail address");
  }
}

function loginKeys(account: Account): string[] {
  const { email } = account.claims;
  return [...new Set([loginKey(account.username), ...(email === undefined ? [] : [loginKey(email)])])];
}

/** The accounts of a store. `passwords` is shared by the whole process, since it bounds the hashing. */
export function createAccountDirectory(parts: {
  accounts: Accounts;
  passwords: PasswordHasher;
  clock: Clock;
  /** called when failed attempts at the account no longer matter: its password is a new one, it is enabled, or gone */
  forgive?: (id: string) => Promise<void>;
}): AccountDirectory {
  const { accounts, passwords, clock, forgive = async () => {} } = parts;

  async function findByUsername(login: string): Promise<Account | undefined> {
    return login.length <= maxLogin ? accounts.findByLoginKey(loginKey(login)) : undefined;
  }

  const changes = createTurns(1);

  /** Changes the account as it is stored at this moment, so that no other change is undone. */
  function change(id: string, edit: (account: Account) => Account | undefined): Promise<boolean> {
    // one after the other, so that none of them is late again and again
    return changes(id, async () => {
      for (;;) {
        const account = await accounts.find(id);
        const edited = account && edit(account);
        if (edited === undefined) return false;
        if (await accounts.update(edited, loginKeys(edited), account)) return true;
        // another process was faster: what it has done stays
      }
    });
  }

  /** The hash that this password has now: another one, unless the account was changed meanwhile. */
  async function upgradeHash(account: Account, password: string): Promise<string | undefined> {
    const passwordHash = await passwords.hash(password);
    const changed = await change(account.id, (current) => {
      return current.passwordHash === account.passwordHash ? { ...current, passwordHash } : undefined;
    });
    return changed ? passwordHash : account.passwordHash;
  }

  async function verify(
    account: Account | undefined,
    password: string,
    urgency?: Urgency,
  ): Promise<Account | undefined> {
    const matches = await passwords.verify(account?.passwordHash, password, urgency);
    if (!matches || account?.passwordHash === undefined || account.disabledAt !== undefined) return undefined;
    const isWeak = passwords.needsRehash(account.passwordHash);
    const passwordHash = isWeak ? await upgradeHash(account, password) : account.passwordHash;
    // that took a while: a password that was changed meanwhile opens nothing any more
    const current = await accounts.find(account.id);
    if (current === undefined || current.disabledAt !== undefined) return undefined;
    return current.passwordHash === passwordHash ? current : verify(current, password, urgency);
  }

  return {
    async add({ username, password, claims = {} }) {
      const checked = parseClaims(claims);
      checkUsername(username, checked.email);
      const now = clock();
      const account: Account = {
        id: randomUUID(),
        username,
        ...(password !== undefined && { passwordHash: await passwords.hash(password) }),
        claims: { updated_at: now, ...checked },
        createdAt: now,
      };
      await accounts.insert(account, loginKeys(account));
      return account;
    },

    authenticate: async (login, password) => verify(await findByUsername(login), password),
    verify,
    verifiedWithin: passwords.within,

    find: (id) => accounts.find(id),
    findByUsername,
    list: () => accounts.list(),

    async setPassword(id, password, was) {
      const passwordHash = await passwords.hash(password);
      // that took a while: a password that its owner has chosen meanwhile stays
      const changed = await change(id, (account) =>
        was && was.passwordHash !== account.passwordHash ? undefined : { ...account, passwordHash },
      );
      if (changed) await forgive(id);
      return changed;
    },

    async changeByLink(id, { password, email }, redeem) {
      const verified = email === undefined ? {} : parseClaims({ email, email_verified: true });
      const passwordHash = password === undefined ? undefined : await passwords.hash(password);
      if (!(await redeem())) return false;
      const changed = await change(id, (account) => ({
        ...account,
        ...(passwordHash !== undefined && { passwordHash }),
        // a name with @ is the account's own address, see checkUsername
        ...(email !== undefined && loginKey(account.username).includes('@') && { username: email }),
        claims: { ...account.claims, ...verified, updated_at: clock() },
      }));
      if (changed && passwordHash !== undefined) await forgive(id);
      return changed;
    },

    async changeProfile(id, { name, email }) {
      const named = name ? parseClaims({ name }) : {};
      const addressed = email === undefined ? {} : parseClaims({ email, email_verified: false });
      return change(id, (account) => {
        const { name: former, ...others } = account.claims;
        const kept = name === undefined && former !== undefined ? { name: former } : {};
        return {
          ...account,
          ...(email !== undefined && loginKey(account.username).includes('@') && { username: email }),
          claims: { ...others, ...kept, ...named, ...addressed, updated_at: clock() },
        };
      });
    },

    disable: (id) => change(id, (account) => ({ ...account, disabledAt: account.disabledAt ?? clock() })),

    async enable(id) {
      const changed = await change(id, ({ disabledAt: _, ...account }) => account);
      if (changed) await forgive(id);
      return changed;
    },

    requireMfa: (id, required) =>
      change(id, ({ requiresMfa: _, ...account }) => ({ ...account, ...(required && { requiresMfa: true }) })),

    async remove(id) {
      const removed = await accounts.remove(id);
      if (removed) await forgive(id);
      return removed;
    },
  };
}
