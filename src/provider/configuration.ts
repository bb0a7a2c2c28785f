// The library's configuration: what the provider offers, how long things live, and where its policy comes from.
import type { Adapter, Configuration, JWKS } from 'oidc-provider';
import { claimsByScope } from '../accounts/claims.ts';
import type { Feature } from '../config.ts';
import { issuerPath } from '../http/issuer-path.ts';
import type { Clock } from '../store.ts';
import { ACR_VALUES } from './authentication-levels.ts';
import { extraTokenClaims, introspectionPolicy, isOriginOf, refuseSelfPromotion } from './client-policy.ts';
import { cookieSettings } from './cookies.ts';
import { loadExistingGrant } from './grants.ts';
import { createInteractionPolicy, type InteractionPolicyOptions } from './interaction-policy.ts';
import { mutualTls } from './mutual-tls.ts';
import type { ProviderPages } from './pages.ts';
import type { createResourceIndicators } from './resource-indicators.ts';
import type { SealedRequests } from './sealed-requests.ts';
import { createSessionTtl, type SessionLifetimes } from './sessions.ts';

export interface ProviderConfiguration {
  issuer: string;
  cookieSecrets: readonly string[];
  /** seconds */
  accessTokenLifetime: number;
  /** seconds */
  clockSkew: number;
  sessionLifetimes: SessionLifetimes;
  clock: Clock;
  features: ReadonlySet<Feature>;
  jwks: JWKS;
  adapter: (model: string) => Adapter;
  findAccount: NonNullable<Configuration['findAccount']>;
  interactionPolicy: InteractionPolicyOptions;
  /** what follows the path of an interaction's URL */
  interactionQuery: SealedRequests['queryFor'];
  resourceIndicators: ReturnType<typeof createResourceIndicators>;
  /** adapts the claims of every JWT access token before it is signed */
  customizeAccessToken: NonNullable<NonNullable<NonNullable<Configuration['formats']>['customizers']>['jwt']>;
  pages: ProviderPages;
  /** makes the provider's own requests; absent, the library's, which never reach a special-use address */
  fetch?: NonNullable<Configuration['fetch']>;
}

/** Names that `OIDC_FEATURES` takes and that do nothing yet. */
export const MISSING_FEATURES: readonly Feature[] = [
  'registration',
  'open-registration',
  'device',
  'ciba',
  'pairwise',
  'fapi2',
];

/** The library's endpoints; its router would match other spellings too, behind the back of what stands before it. */
const ROUTES = {
  authorization: '/authorize',
  end_session: '/logout',
  introspection: '/introspect',
  jwks: '/jwks',
  pushed_authorization_request: '/par',
  registration: '/register',
  revocation: '/revoke',
  token: '/token',
  userinfo: '/userinfo',
};

const PATHS = new Set([
  ...Object.values(ROUTES),
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/logout/confirm',
  '/logout/success',
]);

/** Whether the library answers at this path. */
export function isProviderPath(path: string): boolean {
  return PATHS.has(path) || /^\/(authorize|register)\/[\w-]+$/.test(path);
}

/** A redirect would lead where nobody checked what was registered (security requirement R66). */
function withoutRedirects(fetch: NonNullable<Configuration['fetch']>): NonNullable<Configuration['fetch']> {
  return (url, init) => fetch(url, { ...init, redirect: 'manual' });
}

/** Every ID token tells how and when its subject signed in (OpenID Connect Core §2). */
const SIGN_IN_CLAIMS = ['acr', 'amr', 'auth_time'];

/** No algorithm that uses a client secret as its key: what is kept of a secret cannot serve as one. */
const ASYMMETRIC_ALGS = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA'] as const;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function createConfiguration(options: ProviderConfiguration): Configuration {
  const { issuer, features, pages } = options;
  return {
    acrValues: [...ACR_VALUES],
    adapter: options.adapter,
    allowOmittingSingleRegisteredRedirectUri: false,
    claims: { ...claimsByScope, openid: [...claimsByScope.openid, ...SIGN_IN_CLAIMS], iss: null, sid: null },
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'none',
      ...(features.has('mtls') ? (['tls_client_auth', 'self_signed_tls_client_auth'] as const) : []),
    ],
    clientBasedCORS: (_ctx, origin, client) => isOriginOf(client, origin),
    clockTolerance: options.clockSkew,
    cookies: cookieSettings(issuer, options.cookieSecrets),
    discovery: { revocations_uri: `${issuer}/revocations` },
    // POST is accepted all the same: src/http/protocol-requests.ts turns it into a GET, so that cookies stay SameSite=Lax
    enableHttpPostMethods: false,
    enabledJWA: {
      // HS256 of client_secret_jwt, which is verified in client-assertions.ts, with the secret that only we keep
      clientAuthSigningAlgValues: [...ASYMMETRIC_ALGS, 'HS256'],
      requestObjectSigningAlgValues: ASYMMETRIC_ALGS,
    },
    expiresWithSession: (_ctx, code) => !code.scopes.has('offline_access'),
    extraClientMetadata: {
      properties: ['first_party', 'require_pkce', 'require_mfa', 'access_token_claims'],
      validator: refuseSelfPromotion,
    },
    extraTokenClaims,
    features: {
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true },
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      encryption: { enabled: false },
      introspection: { enabled: true, allowedPolicy: introspectionPolicy(options.findAccount) },
      jwtResponseModes: { enabled: features.has('jarm') },
      jwtUserinfo: { enabled: true },
      mTLS: mutualTls(features.has('mtls')),
      pushedAuthorizationRequests: { enabled: true },
      requestObjects: { enabled: true },
      resourceIndicators: options.resourceIndicators,
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: pages.logout,
        postLogoutSuccessSource: pages.signedOut,
      },
      userinfo: { enabled: true },
    },
    fetch: withoutRedirects(options.fetch ?? ((url, init) => globalThis.fetch(url, init))),
    fetchResponseBodyLimits: {
      jwks_uri: 64 * 1024,
      sector_identifier_uri: 64 * 1024,
      'client_id metadata document': 5 * 1024,
    },
    findAccount: options.findAccount,
    formats: { customizers: { jwt: options.customizeAccessToken } },
    interactions: {
      policy: createInteractionPolicy(options.interactionPolicy),
      url: (ctx, interaction) =>
        `${issuerPath(issuer)}/login/${interaction.uid}${options.interactionQuery(ctx, interaction)}`,
    },
    issueRefreshToken: (_ctx, client, code) =>
      client.grantTypeAllowed('refresh_token') && (code.scopes.has('offline_access') || client['first_party'] === true),
    jwks: options.jwks,
    loadExistingGrant,
    pkce: { required: (_ctx, client) => client.clientAuthMethod === 'none' || client['require_pkce'] !== false },
    renderError: pages.error,
    responseTypes: features.has('implicit')
      ? ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token', 'none']
      : ['code'],
    // a grant whose tokens were revoked is never continued: its tombstone would refuse every later write
    revokeGrantPolicy: () => true,
    rotateRefreshToken: true,
    routes: ROUTES,
    scopes: ['openid', 'offline_access', 'profile', 'email', 'address', 'phone'],
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? options.accessTokenLifetime,
      AuthorizationCode: MINUTE,
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? options.accessTokenLifetime,
      Grant: 90 * DAY,
      IdToken: HOUR,
      Interaction: HOUR,
      RefreshToken: 14 * DAY,
      Session: createSessionTtl(options.sessionLifetimes, options.clock),
    },
  };
}
