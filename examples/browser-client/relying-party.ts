// Everything that this client says to the OpenID Provider, by openid-client: sign-in, access tokens, sign-out.
import * as oidc from 'openid-client';
import type { BrowserClientConfig } from './config.ts';
import {
  cancelledSignIn,
  endedSignIn,
  failedSignIn,
  type Problem,
  staleSignIn,
  unreachableProvider,
} from './problem.ts';

/** What must be remembered between the redirect to the provider and the way back. */
export interface PendingSignIn {
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** A signed-in end-user. */
export interface SignIn {
  /** kept for the sign-out only, as `id_token_hint` */
  readonly idToken: string;
  readonly idTokenClaims: oidc.IDToken;
  readonly userinfo: oidc.UserInfoResponse;
  /** A valid access token for the logging service, renewed when necessary. @throws Problem */
  accessToken(): Promise<string>;
}

export interface RelyingParty {
  startSignIn(): Promise<{ url: URL; state: string; pending: PendingSignIn }>;
  /** `search` is the query with which the browser came back. @throws Problem */
  finishSignIn(search: string, state: string, pending: PendingSignIn): Promise<SignIn>;
  /** Where to send the browser to end the provider's session (OpenID Connect RP-Initiated Logout §2). */
  signOutUrl(idToken: string, state: string): Promise<URL>;
}

const scope = 'openid profile email offline_access logs:write logs:read';

/** The provider is discovered at the first use, so that both may start in any order. */
export function createRelyingParty(config: BrowserClientConfig): RelyingParty {
  const redirectUri = `${config.baseUrl}/callback`;
  let discovered: oidc.Configuration | undefined;

  async function discover(): Promise<oidc.Configuration> {
    discovered ??= await oidc
      .discovery(new URL(config.issuer), config.clientId, undefined, oidc.ClientSecretBasic(config.clientSecret), {
        // openid-client insists on https otherwise; a local issuer has none.
        execute: config.issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [],
      })
      .catch((error) => {
        throw unreachableProvider(error);
      });
    return discovered;
  }

  return {
    async startSignIn() {
      const provider = await discover();
      const state = oidc.randomState();
      const pending = { nonce: oidc.randomNonce(), codeVerifier: oidc.randomPKCECodeVerifier() };
      const url = oidc.buildAuthorizationUrl(provider, {
        redirect_uri: redirectUri,
        scope,
        audience: config.audience,
        state,
        nonce: pending.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: 'S256',
      });
      return { url, state, pending };
    },

    // The authorization request named the logging service, so the grant covers both it and the userinfo endpoint; but an
    // access token is for one of them only (RFC 8707 §2.2). The code is exchanged without an audience, which gives a
    // token for userinfo. The refresh token, used with the audience, then gives a JWT for the logging service.
    async finishSignIn(search, state, { nonce, codeVerifier }) {
      const provider = await discover();
      try {
        const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier };
        const tokens = await oidc.authorizationCodeGrant(provider, new URL(redirectUri + search), checks);
        const idTokenClaims = tokens.claims();
        if (tokens.id_token === undefined || idTokenClaims === undefined) throw new Error('the ID token is missing');
        return {
          idToken: tokens.id_token,
          idTokenClaims,
          userinfo: await oidc.fetchUserInfo(provider, tokens.access_token, idTokenClaims.sub),
          accessToken: createAccessTokens(provider, config.audience, tokens.refresh_token),
        };
      } catch (error) {
        throw explainSignIn(error);
      }
    },

    async signOutUrl(idToken, state) {
      return oidc.buildEndSessionUrl(await discover(), {
        id_token_hint: idToken,
        post_logout_redirect_uri: `${config.baseUrl}/`,
        state,
      });
    },
  };
}

/**
 * Keeps one access token and renews it shortly before it expires. One renewal at a time: the provider replaces the
 * refresh token at every use, and takes an old one that comes again for stolen (RFC 9700 §4.14.2).
 */
function createAccessTokens(
  provider: oidc.Configuration,
  audience: string,
  refreshToken: string | undefined,
): () => Promise<string> {
  let newestRefreshToken = refreshToken;
  let latest: Promise<{ token: string; renewAtMs: number } | undefined> = Promise.resolve(undefined);

  async function renew() {
    if (newestRefreshToken === undefined) throw endedSignIn();
    try {
      const tokens = await oidc.refreshTokenGrant(provider, newestRefreshToken, { audience });
      newestRefreshToken = tokens.refresh_token ?? newestRefreshToken;
      return { token: tokens.access_token, renewAtMs: Date.now() + ((tokens.expires_in ?? 60) - 30) * 1000 };
    } catch (error) {
      throw error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant'
        ? endedSignIn()
        : unreachableProvider(error);
    }
  }

  return async function accessToken() {
    const renewed = latest
      .catch(() => undefined)
      .then((known) => (known !== undefined && Date.now() < known.renewAtMs ? known : renew()));
    latest = renewed;
    return (await renewed).token;
  };
}

function explainSignIn(error: unknown): Problem {
  if (error instanceof oidc.AuthorizationResponseError && error.error === 'access_denied') return cancelledSignIn();
  // The code was used or has expired: a reloaded or bookmarked callback.
  if (error instanceof oidc.ResponseBodyError && error.error === 'invalid_grant') return staleSignIn();
  return failedSignIn(error);
}
