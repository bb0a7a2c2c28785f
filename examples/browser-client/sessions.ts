// Server-side sessions in memory: the browser holds one random, meaningless cookie and never sees a token.
import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type { PendingSignIn, SignIn } from './relying-party.ts';

/** What is remembered about one browser. */
export interface Session {
  /** must come back with every posted form */
  readonly csrf: string;
  /** sign-ins under way, by `state`: several tabs may each have one */
  readonly pendingSignIns: Map<string, PendingSignIn>;
  signIn?: SignIn;
  /** `state` of the sign-out under way */
  signOutState?: string;
  /** shown once, on the next page */
  notice?: { readonly tone: 'good' | 'bad'; readonly text: string };
}

export interface Sessions {
  find(ctx: Context): Session | undefined;
  /** Starts a session under a new id and forgets the old one, so that nobody can plant an id before the sign-in. */
  renew(ctx: Context): Session;
}

const maxSessions = 10_000;
const lifetimeMs = 8 * 60 * 60 * 1000;

/** `secure` says whether browsers reach this client by https. */
export function createSessions(secure: boolean): Sessions {
  const sessions = new Map<string, { session: Session; expiresAtMs: number }>();
  // __Host- makes browsers refuse the cookie from any other host, from http and from a path.
  const name = secure ? '__Host-browser-client' : 'browser-client';

  return {
    find(ctx) {
      const found = sessions.get(ctx.cookies.get(name) ?? '');
      return found && found.expiresAtMs > Date.now() ? found.session : undefined;
    },
    renew(ctx) {
      sessions.delete(ctx.cookies.get(name) ?? '');
      // A Map iterates in order of insertion: the first session is the oldest.
      for (const [oldest, { expiresAtMs }] of sessions) {
        if (expiresAtMs > Date.now() && sessions.size < maxSessions) break;
        sessions.delete(oldest);
      }
      const id = randomBytes(32).toString('base64url');
      const session: Session = { csrf: randomBytes(32).toString('base64url'), pendingSignIns: new Map() };
      sessions.set(id, { session, expiresAtMs: Date.now() + lifetimeMs });
      // Lax, not Strict: the browser must send it when the identity service redirects back to /callback.
      ctx.cookies.set(name, id, { httpOnly: true, sameSite: 'lax', secure, path: '/' });
      return session;
    },
  };
}
