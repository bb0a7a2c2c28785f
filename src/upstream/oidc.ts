// Upstreams that speak OpenID Connect, found by discovery.
import * as client from 'openid-client';
import { failureOf } from './failures.ts';
import { type Upstream, UpstreamFailed, type UpstreamIdentity } from './upstream.ts';

/** How long what discovery said is believed, in milliseconds; a failed one is tried again at the next sign-in. */
const METADATA_MS = 60 * 60 * 1000;
const TIMEOUT_S = 5;
/** seconds */
const CLOCKS_DIFFER = 60;

export interface OidcUpstreamOptions {
  id: string;
  label: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Whether its claim `email_verified` is believed: never where the owner of an account there can write any address. */
  vouchesForEmail: boolean;
  /** Whether it is always the same provider; otherwise its issuer is part of every subject (OpenID Connect Core §5.7). */
  hasOneIssuer?: boolean;
  /** the `prompt` by which it asks somebody who is signed in there, where that is not `login` */
  anewPrompt?: string;
  fetch?: client.CustomFetch;
}

export function createOidcUpstream(options: OidcUpstreamOptions): Upstream {
  const { id, label, issuer } = options;
  let known: { configuration: Promise<client.Configuration>; sinceMs: number } | undefined;

  function configuration(): Promise<client.Configuration> {
    if (known === undefined || Date.now() - known.sinceMs > METADATA_MS) {
      const discovered = discover(options);
      known = { configuration: discovered, sinceMs: Date.now() };
      discovered.catch(() => {
        if (known?.configuration === discovered) known = undefined;
      });
    }
    return known.configuration;
  }

  return {
    id,
    label,
    origin: new URL(issuer).origin,
    async begin(redirectUri, { state, nonce, codeVerifier, anewSince }) {
      try {
        return client.buildAuthorizationUrl(await configuration(), {
          redirect_uri: redirectUri,
          scope: 'openid email profile',
          state,
          nonce,
          code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
          ...(anewSince !== undefined && { prompt: options.anewPrompt ?? 'login' }),
        });
      } catch (error) {
        throw failureOf(error, label);
      }
    },
    async complete(callback, { state, nonce, codeVerifier, anewSince }) {
      try {
        const config = await configuration();
        const tokens = await client.authorizationCodeGrant(config, callback, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new UpstreamFailed('there is no ID token');
        refuseOldSession(claims['auth_time'], anewSince);
        const endpoint = config.serverMetadata().userinfo_endpoint;
        const more =
          claims['email'] === undefined && endpoint !== undefined
            ? await client.fetchUserInfo(config, tokens.access_token, claims.sub)
            : {};
        return identityOf({ ...more, ...claims }, options);
      } catch (error) {
        throw failureOf(error, label);
      }
    },
  };
}

/** Not every provider says when it was; one that says so must not have relied on an old session. */
function refuseOldSession(authTime: unknown, anewSince: number | undefined): void {
  if (anewSince === undefined || typeof authTime !== 'number') return;
  if (authTime < anewSince - CLOCKS_DIFFER) throw new UpstreamFailed('nobody was asked to sign in again');
}

function discover({ issuer, clientId, clientSecret, fetch }: OidcUpstreamOptions): Promise<client.Configuration> {
  return client.discovery(new URL(issuer), clientId, undefined, client.ClientSecretPost(clientSecret), {
    timeout: TIMEOUT_S,
    ...(fetch && { [client.customFetch]: fetch }),
    // the configuration accepts plain http on this machine only
    ...(issuer.startsWith('http:') && { execute: [client.allowInsecureRequests] }),
  });
}

function identityOf(
  claims: Readonly<Record<string, unknown>>,
  { vouchesForEmail, hasOneIssuer = false }: OidcUpstreamOptions,
): UpstreamIdentity {
  const text = (name: string) => {
    const value = claims[name];
    return typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,320}$/u.test(value) ? value : undefined;
  };
  const subject = text('sub');
  if (subject === undefined || subject.length > 255) throw new UpstreamFailed('the subject cannot be used');
  const email = text('email');
  const name = text('name');
  return {
    subject: hasOneIssuer ? subject : `${claims['iss']} ${subject}`,
    label: email ?? text('preferred_username') ?? name ?? subject,
    emailVerified: vouchesForEmail && claims['email_verified'] === true,
    ...(email !== undefined && { email }),
    ...(name !== undefined && { name }),
  };
}
