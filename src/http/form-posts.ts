// Gives the library's self-submitting forms our layout and language: people without JavaScript press their button.
import type { Context, Middleware } from 'koa';
import type { PageResponses } from './page-responses.ts';

/** How the library writes them: https://github.com/panva/node-oidc-provider/blob/v9.13.3/lib/response_modes/form_post.js */
const TITLE = '<title>Submitting Callback</title>';
const ACTION = /<form method="post" action="([^"]*)">/;
const FIELDS = /<input type="hidden" name="([^"]*)" value="([^"]*)"\/>/g;
const CHARACTERS: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };

/**
 * Stands around the library, whose pages for `response_mode=form_post` (OAuth 2.0 Form Post Response Mode §2) and for a
 * logout without a session cannot be replaced in its configuration.
 */
export function createFormPosts(pages: PageResponses): Middleware {
  return async function formPosts(ctx: Context, next) {
    await next();
    const html = ctx.body;
    if (typeof html !== 'string' || !html.includes(TITLE)) return;
    const [, action] = ACTION.exec(html) ?? [];
    if (action === undefined) return;
    const target = unescaped(action);
    const fields = [...html.matchAll(FIELDS)].map(([, name = '', value = '']) => ({ name, value: unescaped(value) }));
    pages.show(ctx, 'form-post', { action: target, fields, isAutomatic: true }, { formAction: [target] });
  };
}

function unescaped(html: string): string {
  return html.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => CHARACTERS[entity] ?? entity);
}
