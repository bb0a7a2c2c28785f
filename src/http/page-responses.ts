// Answers with a page: the template, its headers, and plain words for what went wrong.
import type { Context } from 'koa';
import type { PageRenderer, Pages } from './pages.ts';
import { pageHeaders } from './security-headers.ts';

/** What went wrong, as OAuth says it; `description` is a fixed sentence that strangers may read. */
export interface Failure {
  status: number;
  error: string;
  description?: string | undefined;
}

interface PageOptions {
  /** URIs to which answering the page's form may redirect */
  formAction?: readonly string[];
  /** images that this page shows */
  imgSrc?: readonly string[];
}

export interface PageResponses {
  /** Sets body, type and headers; the status stays as the caller set it, 200 by default. */
  show<Name extends keyof Pages>(ctx: Context, name: Name, locals: Pages[Name], options?: PageOptions): void;
  /** Shows the error page with `failure.status`. */
  error(ctx: Context, failure: Failure): void;
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
    show(ctx, name, locals, options = {}) {
      ctx.set(pageHeaders({ styleHash: pages.styleHash, ...options }));
      ctx.type = 'html';
      ctx.body = pages.render(name, locals);
    },
    error(ctx, failure) {
      ctx.status = failure.status;
      responses.show(ctx, 'error', {
        ...wordsFor(failure),
        error: failure.error,
        ...(failure.description ? { description: failure.description } : {}),
        requestId: ctx.response.get('x-request-id'),
      });
    },
  };
  return responses;
}

/** What happened and what to do now, without jargon. */
function wordsFor({ status, error, description }: Failure): { title: string; message: string; advice: string } {
  if (status === 404) {
    return {
      title: 'Page not found',
      message: 'There is no page at this address.',
      advice: 'Go back to the application that you came from and start again from there.',
    };
  }
  if (status >= 500) {
    return {
      title: 'Something went wrong',
      message: 'The sign-in service could not answer just now.',
      advice: 'Wait a moment and try again. If it keeps happening, tell your administrator the request id below.',
    };
  }
  if (error === 'invalid_client' || error === 'invalid_redirect_uri' || /redirect_uri/.test(description ?? '')) {
    return {
      title: 'This application cannot sign you in',
      message: 'The application that sent you here is not registered for that address.',
      advice: 'Nothing that you did is wrong. Tell the people who run the application what this page says.',
    };
  }
  if (/session|interaction|expired/.test(description ?? '') || status === 410) {
    return {
      title: 'This sign-in is no longer open',
      message: 'It took too long, was finished in another tab, or was started in another browser.',
      advice: 'Go back to the application and sign in again: it takes one click.',
    };
  }
  return {
    title: 'This request cannot be completed',
    message: 'The application sent you here with a request that this service does not accept.',
    advice:
      'Go back to the application and try again. If it keeps happening, tell the people who run it what this page says.',
  };
}
