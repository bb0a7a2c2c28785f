// How long sessions live, and what is remembered of them beyond what the library remembers.
import { type Configuration, type KoaContextWithOIDC, Provider, type Session } from 'oidc-provider';
import type { Clock } from '../store.ts';

const DAY = 24 * 60 * 60;

/** In seconds. */
export interface SessionLifetimes {
  /** until a session that nobody uses ends; not for one that is to be remembered */
  readonly idle: number;
  /** until any session ends, counted from the last sign-in */
  readonly absolute: number;
}

/** Where somebody signed in. */
export interface Device {
  /** `User-Agent` (RFC 9110 §10.1.5), cut; nobody vouches for it */
  agent: string;
  ip: string;
}

/** What we keep in a session, beside what the library does. */
export interface SessionFacts {
  device?: Device;
  /** epoch seconds: when an application last asked who is signed in */
  usedAt?: number;
}

const MAX_AGENT = 256;

/**
 * `ttl.Session`: seconds from now. Before somebody has signed in, a session lasts longer than a sign-in can be under
 * way, which finds it again.
 */
export function createSessionTtl({ idle, absolute }: SessionLifetimes, clock: Clock) {
  return (_ctx: unknown, { loginTs, transient }: Pick<Session, 'loginTs' | 'transient'>): number => {
    if (loginTs === undefined) return DAY;
    const left = loginTs + absolute - clock();
    return Math.max(1, transient ? Math.min(idle, left) : left);
  };
}

/**
 * Has the sessions of this provider know where and when they are used. A session is to be remembered when its last
 * sign-in says so; one that does not say leaves it as it was before, for the same account.
 */
export function rememberSessions({ Session }: Provider, { absolute }: SessionLifetimes, clock: Clock): void {
  keepInPayload(Session, ['device', 'usedAt']);
  endAtLast(Session, absolute, clock);
  const { loginAccount, save } = Session.prototype;

  Session.prototype.loginAccount = function loginHere(this: Session & SessionFacts, details) {
    const { ctx } = Provider;
    const wasTransient = this.accountId === details.accountId ? this.transient : true;
    const login = ctx?.oidc.entities.Interaction?.result?.['login'] as { remember?: boolean } | undefined;
    loginAccount.call(this, details);
    this.transient = login?.remember === undefined ? wasTransient : !login.remember;
    if (ctx) this.device = { agent: ctx.get('user-agent').slice(0, MAX_AGENT), ip: ctx.ip };
  };

  Session.prototype.save = function saveUse(this: Session & SessionFacts, ttl) {
    this.usedAt = clock();
    return save.call(this, ttl);
  };
}

/**
 * Lets sign-ins that are answered but not resumed yet be found by their account, to be ended with its sessions: a
 * password that somebody has changed opens nothing afterwards.
 */
export function nameSignedInAccounts({ Interaction }: Provider): void {
  keepInPayload(Interaction, ['accountId']);
  const { save } = Interaction.prototype;
  Interaction.prototype.save = function saveWithAccount(
    this: typeof Interaction.prototype & { accountId?: string },
    ttl,
  ) {
    const { login, signIn } = (this.result ?? {}) as Record<string, { accountId?: string } | undefined>;
    const accountId = login?.accountId ?? signIn?.accountId;
    if (accountId === undefined) delete this.accountId;
    else this.accountId = accountId;
    return save.call(this, ttl);
  };
}

/** What an interaction is told of a sign-in, whole or half: see interactions/sign-in.ts. */
interface AnsweredSignIn {
  accountId?: string;
  passwordState?: string;
}

/**
 * A sign-in that was being answered while its account got another password is found by nobody who ends them: it ends when
 * it is looked for.
 */
export function endOutdatedSignIns(
  { Interaction }: Provider,
  findAccount: NonNullable<Configuration['findAccount']>,
): void {
  const { find } = Interaction;
  async function isOutdated({ accountId, passwordState }: AnsweredSignIn): Promise<boolean> {
    if (accountId === undefined || passwordState === undefined) return false;
    const account = await findAccount(Provider.ctx as KoaContextWithOIDC, accountId);
    return account !== undefined && account['passwordState'] !== passwordState;
  }
  Object.assign(Interaction, {
    async find(...args: unknown[]) {
      const found = (await Reflect.apply(find, Interaction, args)) as typeof Interaction.prototype | undefined;
      const { login, signIn } = (found?.result ?? {}) as Record<string, AnsweredSignIn | undefined>;
      const answered = login ?? signIn;
      return answered && (await isOutdated(answered)) ? undefined : found;
    },
  });
}

/**
 * A lifetime is a second at least, to the library: whoever kept asking would keep a session that is over, and one that
 * began when sessions lived longer would last as long as it was used.
 */
function endAtLast(model: Provider['Session'], absolute: number, clock: Clock): void {
  const { find, findByUid } = model;
  const unlessOver = (session: Session | undefined) =>
    session?.loginTs !== undefined && session.loginTs + absolute <= clock() ? undefined : session;
  Object.assign(model, {
    find: async (...args: unknown[]) => unlessOver((await Reflect.apply(find, model, args)) as Session | undefined),
    findByUid: async (uid: string) => unlessOver(await findByUid.call(model, uid)),
  });
}

/** https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/models/payload.js */
function keepInPayload(model: object, names: readonly string[]): void {
  const known = (model as { IN_PAYLOAD: readonly string[] }).IN_PAYLOAD;
  Object.defineProperty(model, 'IN_PAYLOAD', { value: [...known, ...names] });
}
