// The account page's own sessions: a cookie of its own, worth something as long as the provider's session is.
import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Account, Artifacts, Clock } from '../store.ts';
import { accountCookie } from './cookies.ts';
import type { SignedIn } from './relying-party.ts';

const MODEL = 'AccountPageSession';

/** seconds */
const LIFETIME = 60 * 60;

/** Who uses the account page. */
export interface PageSession {
  readonly id: string;
  readonly account: Account;
  /** uid of the provider's session */
  readonly sessionUid: string;
  /** epoch seconds: when somebody proved last who they are */
  readonly authTime: number;
  /** whether it is time to ask the provider again, at the next page that is only looked at */
  readonly isStale: boolean;
}

export interface PageSessions {
  /**
   * Undefined when there is none, its provider's session has ended or is not this browser's, or the account is gone or
   * disabled (R11).
   */
  find(ctx: Context): Promise<PageSession | undefined>;
  /**
   * In the place of the one that the browser had, under a new id (R39). False when the browser is not signed in to the
   * provider as that account any more.
   */
  begin(ctx: Context, signedIn: SignedIn): Promise<boolean>;
  /** Those of the same account in other browsers: there, the provider is asked again before the next page. */
  endOthers(session: PageSession): Promise<void>;
}

export function createPageSessions(options: {
  issuer: string;
  /** those of the request that is being answered */
  artifacts: Artifacts;
  findAccount(id: string): Promise<Account | undefined>;
  /** the one in use */
  provider(): Provider;
  /** seconds without use after which a session ends */
  idleLifetime: number;
  clock: Clock;
}): PageSessions {
  const { issuer, artifacts, clock } = options;
  const cookie = accountCookie(issuer, 'account');
  // asking the provider again is what keeps its session from idling out
  const renewAfter = Math.min(LIFETIME, options.idleLifetime) / 2;

  const idOf = (ctx: Context) => ctx.cookies.get(cookie.name, { signed: true });

  return {
    async find(ctx) {
      const id = idOf(ctx);
      const payload = id === undefined ? undefined : await artifacts.find(MODEL, id);
      if (id === undefined || payload === undefined) return undefined;
      const { accountId, sessionUid, authTime, begunAt } = payload;
      // the provider's cookie is of this host alone, where ours has a path: a neighbour that sets ours leads nobody astray
      const session = await options.provider().Session.get(ctx);
      if (session.uid !== sessionUid || session.accountId !== accountId) return undefined;
      const account = await options.findAccount(String(accountId));
      if (account === undefined || account.disabledAt !== undefined) return undefined;
      return {
        id,
        account,
        sessionUid: String(sessionUid),
        authTime: Number(authTime),
        isStale: clock() - Number(begunAt) > renewAfter,
      };
    },

    async begin(ctx, { accountId, authTime }) {
      const session = await options.provider().Session.get(ctx);
      if (session.accountId !== accountId) return false;
      const [id, before] = [randomBytes(32).toString('base64url'), idOf(ctx)];
      const payload = { jti: id, accountId, sessionUid: session.uid, authTime, begunAt: clock() };
      await artifacts.apply([
        ...(before === undefined ? [] : [{ do: 'destroy', model: MODEL, id: before } as const]),
        { do: 'upsert', model: MODEL, id, payload, expiresIn: LIFETIME },
      ]);
      ctx.cookies.set(cookie.name, id, cookie.attributes);
      return true;
    },

    async endOthers({ id: own, account }) {
      const ids = (await artifacts.listOf(MODEL, account.id)).map(({ jti }) => String(jti));
      const others = ids.filter((id) => id !== own);
      await artifacts.apply(others.map((id) => ({ do: 'destroy', model: MODEL, id })));
    },
  };
}
