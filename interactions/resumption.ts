// The way back into a sign-in that somebody left for a letter: carried by URLs, and offered in the browser it began in.
import type { Context } from 'koa';
import type { SignInToResume } from '../src/accounts/one-time-links.ts';
import { SEALED_REQUEST } from '../src/provider/sealed-requests.ts';
import { urlOfStep } from './interaction.ts';

/** As long as a sign-in that got lost can begin again. */
const MAX_AGE_MS = 24 * 60 * 60 * 1000;

/** The names under which pages outside of an interaction carry one. */
const UID = 'uid';
const UI_LOCALES = 'ui_locales';

export interface Resumptions {
  /** The sign-in in the query of the request, if there is one. */
  find(ctx: Context): SignInToResume | undefined;
  /** `path` below the issuer, carrying the sign-in. */
  url(path: string, signIn: SignInToResume | undefined): string;
  /** The page of the sign-in, which begins again by itself where it got lost. */
  page(signIn: SignInToResume): string;
  /** Lets this browser come back into the sign-in. */
  begin(ctx: Context, signIn: SignInToResume | undefined): void;
  /** The sign-in that a link carries, in the browser that it began in: nobody is led into that of somebody else. */
  resume(ctx: Context, signIn: SignInToResume | undefined): SignInToResume | undefined;
}

/** What comes in a query is anybody's: it leads to a page of ours at most, and to none by itself. */
export function createResumptions(issuer: string): Resumptions {
  const { pathname, protocol } = new URL(issuer);
  const base = pathname.replace(/\/$/, '');
  const secure = protocol === 'https:';
  const cookie = `${secure ? '__Secure-' : ''}letter`;
  return {
    find({ query }) {
      const { [UID]: uid, [SEALED_REQUEST]: sealedRequest, [UI_LOCALES]: uiLocales } = query;
      if (typeof uid !== 'string' || !/^[\w-]{1,64}$/.test(uid)) return undefined;
      return {
        uid,
        ...(isLike(/^[\w.-]{1,6144}$/, sealedRequest) && { sealedRequest }),
        ...(isLike(/^[\w -]{1,64}$/, uiLocales) && { uiLocales }),
      };
    },
    url(path, signIn) {
      if (signIn === undefined) return `${base}${path}`;
      const { uid, sealedRequest, uiLocales } = signIn;
      return `${base}${path}?${new URLSearchParams({
        [UID]: uid,
        ...(sealedRequest && { [SEALED_REQUEST]: sealedRequest }),
        ...(uiLocales && { [UI_LOCALES]: uiLocales }),
      })}`;
    },
    page: ({ uid, sealedRequest }) => urlOfStep(issuer, { uid }, sealedRequest, ''),
    begin(ctx, signIn) {
      if (signIn === undefined) return;
      const attributes = { path: pathname, httpOnly: true, sameSite: 'lax', secure, signed: true } as const;
      ctx.cookies.set(cookie, signIn.uid, { ...attributes, maxAge: MAX_AGE_MS });
    },
    resume(ctx, signIn) {
      return signIn && ctx.cookies.get(cookie, { signed: true }) === signIn.uid ? signIn : undefined;
    },
  };
}

function isLike(form: RegExp, value: unknown): value is string {
  return typeof value === 'string' && form.test(value);
}
