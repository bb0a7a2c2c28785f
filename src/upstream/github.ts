// GitHub, which speaks OAuth 2.0 without OpenID Connect: who signed in is asked of its API.
import * as client from 'openid-client';
import { failureOf } from './failures.ts';
import { type Upstream, UpstreamFailed, type UpstreamIdentity } from './upstream.ts';

const API = 'https://api.github.com';
const METADATA = {
  issuer: 'https://github.com',
  authorization_endpoint: 'https://github.com/login/oauth/authorize',
  token_endpoint: 'https://github.com/login/oauth/access_token',
};
const TIMEOUT_S = 5;

export function createGithubUpstream(options: {
  clientId: string;
  clientSecret: string;
  fetch?: client.CustomFetch;
}): Upstream {
  const label = 'GitHub';
  const config = new client.Configuration(
    METADATA,
    options.clientId,
    undefined,
    client.ClientSecretPost(options.clientSecret),
  );
  config.timeout = TIMEOUT_S;
  if (options.fetch) config[client.customFetch] = options.fetch;

  async function ask(accessToken: string, path: string): Promise<unknown> {
    const headers = new Headers({ accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' });
    const response = await client.fetchProtectedResource(config, accessToken, new URL(path, API), 'GET', null, headers);
    if (response.status !== 200) throw new UpstreamFailed(`GitHub answered ${response.status} at ${path}`);
    return response.json();
  }

  return {
    id: 'github',
    label,
    origin: METADATA.issuer,
    async begin(redirectUri, { state, codeVerifier }) {
      return client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'read:user user:email',
        state,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      });
    },
    async complete(callback, { state, codeVerifier }) {
      try {
        const { access_token: accessToken } = await client.authorizationCodeGrant(config, callback, {
          expectedState: state,
          pkceCodeVerifier: codeVerifier,
        });
        return identityOf(await ask(accessToken, '/user'), await ask(accessToken, '/user/emails'));
      } catch (error) {
        throw failureOf(error, label);
      }
    },
  };
}

/** The login can be changed and taken by somebody else; the number stays with the person. */
function identityOf(user: unknown, emails: unknown): UpstreamIdentity {
  const { id, login, name } = (user ?? {}) as Record<string, unknown>;
  if (!Number.isSafeInteger(id) || typeof login !== 'string') throw new UpstreamFailed('GitHub does not say who it is');
  const primary = (Array.isArray(emails) ? emails : []).find((entry) => entry?.primary === true);
  const email = typeof primary?.email === 'string' ? primary.email : undefined;
  return {
    subject: String(id),
    label: email ?? login,
    emailVerified: primary?.verified === true,
    ...(email !== undefined && { email }),
    ...(typeof name === 'string' && name !== '' && { name }),
  };
}
