// The account page as a client of its own provider: a code flow with PKCE, state and nonce (RFC 9700 §2.1).
import { createHmac, randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Context } from 'koa';
import * as client from 'openid-client';
import { ACCOUNT_PAGE, ACCOUNT_PAGE_CLIENT } from '../clients/account-page.ts';
import { isSameText } from '../constant-time.ts';
import { seeOther } from '../http/redirects.ts';
import { TemporarilyUnavailable } from '../provider/storage-errors.ts';
import { accountCookie } from './cookies.ts';
import { createInProcessFetch } from './in-process.ts';

/** What a sign-in is asked to be. */
export interface SignInRequest {
  /** where to go on, below `/account`: a path of ours */
  returnTo: string;
  /** seconds since somebody last proved who they are; absent: any session will do */
  maxAge?: number;
  /** what to write into the name field */
  loginHint?: string;
}

/** Who has come back from the provider. */
export interface SignedIn {
  accountId: string;
  /** epoch seconds */
  authTime: number;
  returnTo: string;
}

export interface RelyingParty {
  /** Sends the browser to the provider, with a 303. */
  signIn(ctx: Context, request: SignInRequest): Promise<void>;
  /**
   * Reads the authorization response and redeems its code. Undefined when the browser brings what it was not sent for,
   * or the provider refuses: then there is nothing to do but to begin again.
   * @returns `cancelled` when the end-user did not want to
   */
  complete(ctx: Context): Promise<SignedIn | 'cancelled' | undefined>;
}

/** As long as an interaction. */
const SECRET_MAX_AGE_MS = 60 * 60 * 1000;

/** @param options.handle answers the requests of this client: the whole service */
export function createRelyingParty(options: { issuer: string; handle: RequestListener }): RelyingParty {
  const { issuer, handle } = options;
  const redirectUri = `${issuer}${ACCOUNT_PAGE}/callback`;
  const secrets = createBrowserSecrets(issuer);
  const fetchFor = createInProcessFetch(handle);

  return {
    async signIn(ctx, { returnTo, maxAge, loginHint }) {
      const { state, nonce, verifier } = secrets.begin(ctx, returnTo);
      const url = client.buildAuthorizationUrl(configurationOf(issuer), {
        redirect_uri: redirectUri,
        scope: 'openid',
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(maxAge !== undefined && { max_age: String(maxAge) }),
        ...(loginHint !== undefined && { login_hint: loginHint }),
      });
      seeOther(ctx, url.href);
    },

    async complete(ctx) {
      const begun = secrets.recall(ctx);
      if (begun === undefined) return undefined;
      const checks = { expectedState: begun.state, expectedNonce: begun.nonce, pkceCodeVerifier: begun.verifier };
      const response = new URL(`${redirectUri}?${ctx.querystring}`);
      const configuration = configurationOf(issuer);
      configuration[client.customFetch] = fetchFor(ctx);
      const claims = await claimsOf(client.authorizationCodeGrant(configuration, response, checks));
      if (claims === 'cancelled') return claims;
      if (claims === undefined || typeof claims.auth_time !== 'number') return undefined;
      return { accountId: claims.sub, authTime: claims.auth_time, returnTo: begun.returnTo };
    },
  };
}

function configurationOf(issuer: string): client.Configuration {
  const configuration = new client.Configuration(
    {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      authorization_response_iss_parameter_supported: true,
    },
    ACCOUNT_PAGE_CLIENT,
    undefined,
    client.None(),
  );
  // nothing travels: the scheme of the issuer is that of a URL which nobody resolves
  client.allowInsecureRequests(configuration);
  return configuration;
}

/**
 * Undefined when the response, or what the code was redeemed for, is not acceptable.
 * @throws TemporarilyUnavailable when the token endpoint cannot answer now
 */
async function claimsOf(
  grant: Promise<client.TokenEndpointResponseHelpers>,
): Promise<client.IDToken | 'cancelled' | undefined> {
  try {
    return (await grant).claims();
  } catch (error) {
    if (error instanceof client.ResponseBodyError) {
      if (error.status >= 500) throw new TemporarilyUnavailable(error);
      return undefined;
    }
    if (error instanceof client.AuthorizationResponseError) {
      return error.error === 'access_denied' ? 'cancelled' : undefined;
    }
    if (error instanceof client.ClientError && error.code !== undefined) return undefined;
    throw error;
  }
}

interface BegunRequest {
  state: string;
  nonce: string;
  verifier: string;
  returnTo: string;
}

/**
 * One secret of each browser, in a cookie, from which the nonce and the code verifier of each of its requests follow:
 * so that it can be sent for by as many tabs as it likes, and nobody else can complete what one of them began.
 */
function createBrowserSecrets(issuer: string) {
  const { name, attributes } = accountCookie(issuer, 'account-request');
  const derive = (secret: string, use: string, state: string) =>
    createHmac('sha256', secret).update(`${use} ${state}`).digest('base64url');
  const seal = (secret: string, content: string) => `${content}.${derive(secret, 'state', content)}`;

  function opened(secret: string, state: string): string | undefined {
    const content = state.slice(0, state.lastIndexOf('.'));
    return isSameText(state, seal(secret, content))
      ? Buffer.from(content.split('.')[1] ?? '', 'base64url').toString()
      : undefined;
  }

  function requestOf(secret: string, state: string, returnTo: string): BegunRequest {
    return { state, returnTo, nonce: derive(secret, 'nonce', state), verifier: derive(secret, 'verifier', state) };
  }

  return {
    begin(ctx: Context, returnTo: string): BegunRequest {
      const known = ctx.cookies.get(name, { signed: true });
      const secret = known ?? randomBytes(32).toString('base64url');
      ctx.cookies.set(name, secret, { ...attributes, maxAge: SECRET_MAX_AGE_MS });
      const content = `${randomBytes(16).toString('base64url')}.${Buffer.from(returnTo).toString('base64url')}`;
      return requestOf(secret, seal(secret, content), returnTo);
    },
    recall(ctx: Context): BegunRequest | undefined {
      const secret = ctx.cookies.get(name, { signed: true });
      const { state } = ctx.query;
      if (secret === undefined || typeof state !== 'string') return undefined;
      const returnTo = opened(secret, state);
      return returnTo === undefined ? undefined : requestOf(secret, state, returnTo);
    },
  };
}
