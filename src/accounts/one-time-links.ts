// Links that are sent by mail: each opens one thing, once, for a short time, and only while nothing has changed since.
import { hash, randomBytes } from 'node:crypto';
import { type Account, AlreadyConsumed, type Artifacts } from '../store.ts';
import { loginKey } from './login-keys.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long the links of each purpose open, in seconds; the purposes are models of the artifacts. */
export const linkLifetimes = {
  /** a new password for an account whose verified address the letter went to */
  PasswordReset: 30 * MINUTE,
  /** the first password of an account that an operator made */
  Invitation: 7 * DAY,
  /** the address that an account is to have from then on */
  EmailVerification: DAY,
  /** an account for somebody who asked for one */
  SignUp: DAY,
} as const;

export type LinkPurpose = keyof typeof linkLifetimes;

/** The sign-in in whose middle somebody asked for the letter, as its URL has it. */
export interface SignInToResume {
  uid: string;
  /** the sealed authorization request; absent when it was too long to travel */
  sealedRequest?: string;
  /** the languages that its authorization request asks for */
  uiLocales?: string;
}

/** What a link is for. */
export interface LinkFacts {
  /** where the letter goes, or would go */
  email: string;
  /** it is passed on in another way than to that address, and so does not prove it */
  handedOver?: true;
  /** absent before there is an account */
  accountId?: string;
  /** what somebody who signs up wants to be called */
  name?: string;
  signIn?: SignInToResume;
}

/** A link that opens, with its account as it is now. */
export interface OpenLink extends LinkFacts {
  account?: Account;
}

export interface OneTimeLinks {
  /**
   * The token of a new link: 256 random bits, base64url. An older link of the same purpose and account (or, before there
   * is one, address) opens no more.
   */
  create(purpose: LinkPurpose, facts: LinkFacts): Promise<string>;
  /**
   * The link of this token, and nothing is consumed. Undefined when it is unknown, used, too old, replaced by a newer
   * one, of another purpose, or when its account is gone, disabled, or has another password or address than it had.
   */
  find(purpose: LinkPurpose, token: string): Promise<OpenLink | undefined>;
  /** Whether the link opens, and this call is the one that may use it: of several at once exactly one is. */
  use(purpose: LinkPurpose, token: string): Promise<boolean>;
}

interface LinkPayload extends LinkFacts {
  jti: string;
  uid: string;
  state?: string;
}

/** @param parts.artifacts those of the store itself: a request that is answered with an error has used its link too */
export function createOneTimeLinks(parts: {
  artifacts: Pick<Artifacts, 'find' | 'findByUid' | 'apply'>;
  findAccount(id: string): Promise<Account | undefined>;
}): OneTimeLinks {
  const { artifacts, findAccount } = parts;

  async function find(purpose: LinkPurpose, token: string): Promise<OpenLink | undefined> {
    const found = (await artifacts.find(purpose, token)) as (LinkPayload & { consumed?: number }) | undefined;
    if (found === undefined || found.consumed !== undefined) return undefined;
    const newest = (await artifacts.findByUid(purpose, found.uid)) as LinkPayload | undefined;
    if (newest?.jti !== token) return undefined;
    const { jti: _jti, uid: _uid, state, ...facts } = found;
    if (facts.accountId === undefined) return facts;
    const account = await findAccount(facts.accountId);
    if (account === undefined || account.disabledAt !== undefined || stateOf(account) !== state) return undefined;
    return { ...facts, account };
  }

  return {
    find,
    async create(purpose, facts) {
      const account = facts.accountId === undefined ? undefined : await findAccount(facts.accountId);
      const token = randomBytes(32).toString('base64url');
      const uid = ownerOf(facts);
      const payload = { ...facts, jti: token, uid, ...(account && { state: stateOf(account) }) };
      const older = (await artifacts.findByUid(purpose, uid)) as LinkPayload | undefined;
      await artifacts.apply([
        ...(older ? [{ do: 'destroy', model: purpose, id: older.jti } as const] : []),
        { do: 'upsert', model: purpose, id: token, payload, expiresIn: linkLifetimes[purpose] },
      ]);
      return token;
    },

    async use(purpose, token) {
      // whoever has found it may have taken a while since, and its account may be another one
      if ((await find(purpose, token)) === undefined) return false;
      try {
        await artifacts.apply([{ do: 'consume', model: purpose, id: token }]);
        return true;
      } catch (error) {
        if (error instanceof AlreadyConsumed) return false;
        throw error;
      }
    },
  };
}

/** Whose newest link of a purpose is the only one. */
function ownerOf({ accountId, email }: LinkFacts): string {
  return accountId ?? loginKey(email);
}

/** Changes with the password and the address, whoever changes them: no change has to think of the links it ends. */
function stateOf({ passwordHash = '', claims }: Account): string {
  return hash('sha256', JSON.stringify([passwordHash, claims.email ?? '']), 'base64url');
}
