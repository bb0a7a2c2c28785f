// Keeps forms that we did not render from doing anything (security requirement R36).
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { isSameText } from '../constant-time.ts';

/** Refuses a form that another site posts, before anything is looked up (security requirement R36). */
export function refuseForeignForms(ctx: Context, issuer: string): void {
  if (isForeignForm(ctx.req, issuer)) ctx.throw(403, 'the form was sent by another site', { expose: true });
}

/** Whether the browser says that another site posts this form. */
export function isForeignForm({ headers }: IncomingMessage, issuer: string): boolean {
  const { 'sec-fetch-site': site = '', origin = '' } = headers;
  const foreignSite = site !== '' && site !== 'same-origin' && site !== 'none';
  // our pages send no referrer, and so their forms have the origin `null`
  const foreignOrigin = origin !== '' && origin !== 'null' && origin !== new URL(issuer).origin;
  return foreignSite || foreignOrigin;
}

/** Tokens for forms: only a page that we rendered for this place, such as an interaction, knows its token. */
export interface FormTokens {
  issue(place: string): string;
  verify(place: string, token: unknown): boolean;
}

/** @param secrets the first one issues, all verify */
export function createFormTokens(secrets: readonly [string, ...string[]]): FormTokens {
  const keys = secrets.map((secret) => createSecretKey(secret, 'utf8')) as [KeyObject, ...KeyObject[]];
  const tokenOf = (key: KeyObject, place: string) =>
    createHmac('sha256', key).update(`form ${place}`).digest('base64url');
  return {
    issue: (place) => tokenOf(keys[0], place),
    verify: (place, token) => typeof token === 'string' && keys.some((key) => isSameText(token, tokenOf(key, place))),
  };
}
