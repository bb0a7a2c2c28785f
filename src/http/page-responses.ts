// Answers with a page: the template, its headers, and plain words for what went wrong.
import type { ServerResponse } from 'node:http';
import type { Context } from 'koa';
import type { Texts } from '../../views/texts/en.ts';
import { issuerPath } from './issuer-path.ts';
import { languages, textsFor } from './languages.ts';
import type { ErrorPage } from './page-contents.ts';
import { renderWithGaps } from './page-gaps.ts';
import type { PageRenderer, Pages } from './pages.ts';
import { createPageHeaders, type PageSources } from './security-headers.ts';

/** What went wrong, as OAuth says it; `description` is a fixed sentence that strangers may read. */
export interface Failure {
  status: number;
  error: string;
  description?: string | undefined;
}

/** What one page has beside what it shows. */
export interface PageOptions extends Omit<PageSources, 'scriptHash'> {
  /** in whose language the page is; by default `textsFor(ctx)` */
  texts?: Texts;
}

export interface PageResponses {
  /** Sets body, type and headers; the status stays as the caller set it, 200 by default. */
  show<Name extends keyof Pages>(ctx: Context, name: Name, locals: Pages[Name], options?: PageOptions): void;
  /** Shows the error page with `failure.status`. */
  error(ctx: Context, failure: Failure, options?: Pick<PageOptions, 'texts'>): void;
  /**
   * The same for one failure that many requests at once may have: shown without rendering anything.
   * @param headers beside those of every error page
   */
  prepareError(failure: Failure, headers?: Readonly<Record<string, string>>): PreparedError;
}

/** An error page that waits for what it says of each request, and nothing else. */
export interface PreparedError {
  /** Renders the page in every language, which otherwise waits until it is shown. */
  prepare(): void;
  show(ctx: Context): void;
  /** The same as the answer to a request that Koa does not see. */
  send(response: ServerResponse, to: { texts: Texts } & OwnFacts): void;
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

/** @param issuer whose first page is offered where there is nothing */
export function createPageResponses(pages: PageRenderer, issuer: string): PageResponses {
  const start = `${issuerPath(issuer)}/`;
  const headersOf = createPageHeaders(pages.styleSrc);
  const errorHeaders = headersOf({ imgSrc: pages.images });

  const responses: PageResponses = {
    show(ctx, name, locals, { texts = textsFor(ctx), imgSrc = [], formAction = [], scriptSrc = [] } = {}) {
      const scripts = [...pages.scriptsOf(name), ...scriptSrc];
      const sources = { imgSrc: [...pages.images, ...imgSrc], formAction, scriptSrc: scripts };
      const scriptHash = name === 'form-post' ? { scriptHash: pages.submitScriptHash } : {};
      answer(ctx, headersOf({ ...sources, ...scriptHash }), texts, pages.render(name, locals, texts));
    },
    error(ctx, failure, { texts = textsFor(ctx) } = {}) {
      ctx.status = failure.status;
      answer(ctx, errorHeaders, texts, pages.render('error', errorPage(failure, texts, start, ownFacts(ctx)), texts));
    },
    prepareError(failure, headers = {}) {
      const own = { ...headers, ...errorHeaders };
      const rendered = new Map<Texts, { headers: string[]; page: (facts: OwnFacts) => string }>();
      const inLanguage = (texts: Texts) => {
        const known = rendered.get(texts);
        if (known) return known;
        const page = renderWithGaps(['requestId', 'query'], (gaps) =>
          pages.render('error', errorPage(failure, texts, start, gaps), texts),
        );
        const made = { headers: Object.entries({ ...own, ...headersIn(texts) }).flat(), page };
        rendered.set(texts, made);
        return made;
      };
      return {
        prepare: () => languages.forEach(inLanguage),
        show(ctx) {
          const texts = textsFor(ctx);
          ctx.status = failure.status;
          answer(ctx, own, texts, inLanguage(texts).page(ownFacts(ctx)));
        },
        send(response, { texts, requestId, query }) {
          const { headers: fixed, page } = inLanguage(texts);
          const html = page({ requestId, query });
          const length = String(Buffer.byteLength(html));
          response.writeHead(failure.status, [...fixed, 'X-Request-Id', requestId, 'Content-Length', length]);
          response.end(html);
        },
      };
    },
  };
  return responses;
}

/** What an error page says of the request that it answers. */
type OwnFacts = Record<'requestId' | 'query', string>;

function ownFacts(ctx: Context): OwnFacts {
  return { requestId: ctx.response.get('x-request-id'), query: ctx.querystring };
}

function errorPage(failure: Failure, texts: Texts, start: string, { requestId, query }: OwnFacts): ErrorPage {
  const { error: words, shared } = texts;
  return {
    ...wordsFor(failure, words),
    // the same page once more, as a GET
    ...(mayPass(failure) && { button: { href: `?${query}`, label: words.again } }),
    ...(failure.status === 404 && { button: { href: start, label: shared.toStart } }),
    error: failure.error,
    ...(failure.description ? { description: failure.description } : {}),
    requestId,
  };
}

/** Nothing before this varies by anything. */
function headersIn({ language }: Texts): Record<string, string> {
  return { 'Content-Language': language, Vary: 'accept-language', 'Content-Type': 'text/html; charset=utf-8' };
}

function answer(ctx: Context, headers: Record<string, string>, texts: Texts, html: string): void {
  for (const [name, value] of Object.entries({ ...headers, ...headersIn(texts) })) ctx.res.setHeader(name, value);
  ctx.body = html;
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
