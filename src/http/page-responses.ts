// Answers with a page: the template, its headers, and plain words for what went wrong.
import type { Context } from 'koa';
import type { Texts } from '../../views/texts/en.ts';
import { textsFor } from './languages.ts';
import type { PageRenderer, Pages } from './pages.ts';
import { pageHeaders } from './security-headers.ts';

/** What went wrong, as OAuth says it; `description` is a fixed sentence that strangers may read. */
export interface Failure {
  status: number;
  error: string;
  description?: string | undefined;
}

/** What one page has beside what it shows. */
export interface PageOptions {
  /** URIs to which answering the page's form may redirect */
  formAction?: readonly string[];
  /** images that this page shows */
  imgSrc?: readonly string[];
  /** scripts that this page runs */
  scriptSrc?: readonly string[];
  /** in whose language the page is; by default `textsFor(ctx)` */
  texts?: Texts;
}

export interface PageResponses {
  /** Sets body, type and headers; the status stays as the caller set it, 200 by default. */
  show<Name extends keyof Pages>(ctx: Context, name: Name, locals: Pages[Name], options?: PageOptions): void;
  /** Shows the error page with `failure.status`. */
  error(ctx: Context, failure: Failure, options?: Pick<PageOptions, 'texts'>): void;
}

/** Only programs ask here, whatever their `Accept` says: some libraries ask for HTML wherever they go. */
const PROGRAM_PATHS = new Set(['/token', '/userinfo', '/introspect', '/revoke', '/par', '/verify']);

/** Whether errors at this path are JSON for everybody (RFC 6749 §5.2). */
export function isForPrograms(path: string): boolean {
  return PROGRAM_PATHS.has(path);
}

/** Whether the answer to this request, when it is not a success, is a page for a person. */
export function wantsPage(ctx: Context): boolean {
  return !isForPrograms(ctx.path) && ctx.accepts('json', 'html') === 'html';
}

export function createPageResponses(pages: PageRenderer): PageResponses {
  const responses: PageResponses = {
    show(ctx, name, locals, { texts = textsFor(ctx), imgSrc = [], formAction = [], scriptSrc = [] } = {}) {
      const sources = { imgSrc: [...pages.images, ...imgSrc], formAction, scriptSrc };
      const scriptHash = name === 'form-post' ? { scriptHash: pages.submitScriptHash } : {};
      ctx.set(pageHeaders({ styleSrc: pages.styleSrc, ...sources, ...scriptHash }));
      ctx.set('content-language', texts.language);
      ctx.vary('accept-language');
      ctx.type = 'html';
      ctx.body = pages.render(name, locals, texts);
    },
    error(ctx, failure, { texts = textsFor(ctx) } = {}) {
      ctx.status = failure.status;
      const locals = {
        ...wordsFor(failure, texts.error),
        // the same page once more, as a GET
        ...(mayPass(failure) && { button: { href: `?${ctx.querystring}`, label: texts.error.again } }),
        error: failure.error,
        ...(failure.description ? { description: failure.description } : {}),
        requestId: ctx.response.get('x-request-id'),
      };
      responses.show(ctx, 'error', locals, { texts });
    },
  };
  return responses;
}

/** Whether the same request may succeed after a while. */
function mayPass({ status }: Failure): boolean {
  return status === 503 || status === 429;
}

/** What happened and what to do now, without jargon. */
function wordsFor(
  { status, error, description = '' }: Failure,
  words: Texts['error'],
): { title: string; message: string; advice: string } {
  if (status === 404) return words.notFound;
  if (status === 429) return words.tooMany;
  if (status >= 500) return words.unavailable;
  if (error === 'invalid_client' || error === 'invalid_redirect_uri' || /redirect_uri/.test(description)) {
    return words.unregistered;
  }
  if (/session|interaction|expired/.test(description) || status === 410) return words.closed;
  return words.refused;
}
