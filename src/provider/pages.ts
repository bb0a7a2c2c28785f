// The pages that the library asks for: errors, the logout question, and its answer.
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { issuerPath } from '../http/issuer-path.ts';
import { textsFor } from '../http/languages.ts';
import type { PageResponses } from '../http/page-responses.ts';
import type { LostSignIns } from './lost-sign-ins.ts';

type ErrorOut = { error: string; error_description?: string | undefined };

export interface ProviderPages {
  error(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): void;
  logout(ctx: KoaContextWithOIDC): void;
  signedOut(ctx: KoaContextWithOIDC): void;
}

export function createProviderPages(pages: PageResponses, lostSignIns: Pick<LostSignIns, 'show'>): ProviderPages {
  return {
    error(ctx, out, error) {
      if (error instanceof errors.SessionNotFound && ctx.oidc.route === 'resume') {
        return lostSignIns.show(ctx, String(ctx.path.split('/').at(-1)));
      }
      const status = error instanceof errors.OIDCProviderError ? error.statusCode : 500;
      pages.error(ctx, { status, error: out.error, description: out.error_description }, { texts: textsOf(ctx) });
    },
    logout(ctx) {
      const { oidc } = ctx;
      const state = oidc.session?.state as { secret: string; postLogoutRedirectUri?: string };
      pages.show(
        ctx,
        'logout',
        {
          action: oidc.urlFor('end_session_confirm'),
          xsrf: state.secret,
          ...(oidc.client ? { client: { name: oidc.client.clientName ?? oidc.client.clientId } } : {}),
        },
        { formAction: state.postLogoutRedirectUri ? [state.postLogoutRedirectUri] : [], texts: textsOf(ctx) },
      );
    },
    signedOut(ctx) {
      const { client } = ctx.oidc;
      const presentation = client && {
        name: client.clientName ?? client.clientId,
        ...(client.clientUri ? { clientUri: client.clientUri } : {}),
      };
      const start = { href: `${issuerPath(ctx.oidc.issuer)}/` };
      pages.show(ctx, 'signed-out', presentation ? { client: presentation, start } : { start });
    },
  };
}

/** `ui_locales` may have come in a body, a pushed request or a request object. */
function textsOf(ctx: KoaContextWithOIDC) {
  return textsFor(ctx, ctx.oidc.params?.['ui_locales']);
}
