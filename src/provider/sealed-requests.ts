// Authorization requests that travel sealed in the URL of their sign-in, so that one whose interaction got lost can begin again.
import { hkdfSync } from 'node:crypto';
import type { Interaction, KoaContextWithOIDC } from 'oidc-provider';
import type { Parameters } from '../http/body.ts';
import { createSecretBox, UnsealFailed } from '../keys/secret-box.ts';
import type { Clock } from '../store.ts';

/** The name of the sealed request in a query: of the pages of an interaction, and of the URL that resumes it. */
export const SEALED_REQUEST = 'r';

/** Says, in the query of an authorization request, that it was sent before. Anybody may say so: it only words a page. */
export const SENT_AGAIN = 'sent_again';

/** Longer than this it would not pass every proxy, whose limit for a request line is often 8 KB. */
const MAX_SEALED_LENGTH = 6 * 1024;

/** An authorization request as it was when its interaction began; the library validated it then, and must again. */
export interface SealedRequest {
  readonly parameters: Parameters;
  /** whether the client pushed or signed it (RFC 9126, RFC 9101), so that its parameters may not come from a browser */
  readonly pushed: boolean;
  /** the parameters that the client vouched for, by its authentication or signature */
  readonly trusted: string[];
  /** whether it was sent again already, by our page */
  readonly sentAgain: boolean;
  /** where the client's end-users start, when the client has such a page */
  readonly home?: string;
  /** what all interactions for one request have in common */
  readonly chain: string;
  /** epoch seconds */
  readonly sealedAt: number;
}

export interface SealedRequests {
  /** Answers the query of the interaction's URL, with its `?`; empty when the request is too long to travel. */
  queryFor(ctx: KoaContextWithOIDC, interaction: Interaction): string;
  /** The request that was sealed for this interaction; undefined when it was for another one, altered, or is none. */
  open(uid: string, sealed: unknown): SealedRequest | undefined;
}

/** @param options.encryptionKeys the first seals, all open; only keys derived from them are used */
export function createSealedRequests(options: { encryptionKeys: readonly string[]; clock: Clock }): SealedRequests {
  const box = createSecretBox(options.encryptionKeys.map(deriveKey));
  const contextOf = (uid: string) => `authorization request of interaction ${uid}`;
  return {
    queryFor(ctx, interaction) {
      const request = { ...requestOf(ctx, interaction), sealedAt: options.clock() };
      const sealed = box.seal(JSON.stringify(request), contextOf(interaction.uid));
      return sealed.length > MAX_SEALED_LENGTH ? '' : `?${SEALED_REQUEST}=${sealed}`;
    },
    open(uid, sealed) {
      if (typeof sealed !== 'string') return undefined;
      try {
        return JSON.parse(box.open(sealed, contextOf(uid)));
      } catch (error) {
        if (error instanceof UnsealFailed) return undefined;
        throw error;
      }
    },
  };
}

function requestOf(ctx: KoaContextWithOIDC, interaction: Interaction): Omit<SealedRequest, 'sealedAt'> {
  const { params, trusted = [] } = interaction;
  const home = homeOf(ctx.oidc.client?.clientUri, params['redirect_uri']);
  return {
    parameters: params as Parameters,
    pushed: ('parJti' in interaction && interaction.parJti !== undefined) || trusted.length > 0,
    trusted,
    chain: interaction.cid,
    sentAgain: ctx.query[SENT_AGAIN] !== undefined,
    ...(home && { home }),
  };
}

/** The client's own page; else the origin that it is sent back to, unless that is a native application's. */
export function homeOf(clientUri: string | undefined, redirectUri: unknown): string | undefined {
  if (clientUri) return clientUri;
  const url = URL.parse(String(redirectUri));
  return url && /^https?:$/.test(url.protocol) ? `${url.origin}/` : undefined;
}

/** URLs are sealed far more often than rows, and a key may seal only so many texts: they have keys of their own. */
function deriveKey(encryptionKey: string): string {
  return Buffer.from(hkdfSync('sha256', encryptionKey, '', 'identity-backend sealed requests', 32)).toString(
    'base64url',
  );
}
