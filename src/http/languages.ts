// Chooses the language of a page: what the authorization request asks for, else what the browser asks for.
import type { IncomingMessage } from 'node:http';
import accepts from 'accepts';
import type { Context } from 'koa';
import { de } from '../../views/texts/de.ts';
import { en, type Texts } from '../../views/texts/en.ts';

/** The languages there are; the first one is for everybody who understands none of them. */
export const languages: readonly [Texts, ...Texts[]] = [en, de];

const BY_TAG = new Map(languages.map((texts) => [texts.language.toLowerCase(), texts]));
const TAGS = languages.map((texts) => texts.language);
/** How much of `ui_locales` is read: nobody lists more languages than fit, except to make us work. */
const MAX_LOCALES_LENGTH = 256;

/**
 * The texts in the language of this request. `ui_locales` (OpenID Connect Core §3.1.2.1) comes before `Accept-Language`;
 * `de-AT` is content with `de` (RFC 4647 §3.4).
 * @param uiLocales that of the authorization request at hand: in an interaction `params.ui_locales`, which the request's
 *   own query does not have; whatever it holds, nothing throws
 */
export function textsFor(ctx: Context, uiLocales: unknown = ownLocales(ctx)): Texts {
  return preferred(uiLocales) ?? textsAccepted(ctx.req);
}

/** The texts in the language that the browser asks for. */
export function textsAccepted(request: IncomingMessage): Texts {
  if (!request.headers['accept-language']) return languages[0];
  const tag = accepts(request).language(TAGS);
  return (tag && BY_TAG.get(tag.toLowerCase())) || languages[0];
}

/** The tag of the language of ours that the request asks for by itself; undefined without one. See `textsFor`. */
export function languageAskedFor(ctx: Context, uiLocales: unknown = ownLocales(ctx)): string | undefined {
  return preferred(uiLocales)?.language;
}

/** Whether a query may have `ui_locales`, however that is written. */
export function mayNameLocales(querystring: string): boolean {
  return /ui_locales|%/.test(querystring);
}

function ownLocales(ctx: Context): unknown {
  return mayNameLocales(ctx.querystring) ? ctx.query['ui_locales'] : undefined;
}

function preferred(uiLocales: unknown): Texts | undefined {
  if (typeof uiLocales !== 'string') return undefined;
  for (const range of uiLocales.slice(0, MAX_LOCALES_LENGTH).toLowerCase().split(' ')) {
    for (let tag = range; tag !== ''; tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-')))) {
      const texts = BY_TAG.get(tag);
      if (texts) return texts;
    }
  }
  return undefined;
}
