// Reads the environment into one frozen, typed Config, or reports every problem at once.
import type { Level } from 'pino';

export type Feature =
  | 'registration'
  | 'open-registration'
  | 'device'
  | 'ciba'
  | 'jarm'
  | 'mtls'
  | 'token-exchange'
  | 'implicit'
  | 'pairwise'
  | 'fapi2';

/** What the environment says, parsed. Lists are never empty: the first secret signs or encrypts, all verify or decrypt. */
export interface Config {
  readonly mode: 'development' | 'test' | 'production';
  /** the OIDC issuer (RFC 8414 §2): no query, no trailing slash, perhaps a path */
  readonly issuer: string;
  /** `iss` of tokens signed with the shared secret; equals `issuer` unless `JWT_ISSUER` is a plain name */
  readonly sharedSecretIssuer: string;
  readonly cookieSecrets: readonly string[];
  readonly jwtSecrets: readonly string[];
  readonly encryptionKeys: readonly string[];
  /** lifetime of access tokens in seconds */
  readonly accessTokenLifetime: number;
  readonly database: { readonly engine: 'sqlite'; readonly path: string } | { readonly engine: 'postgres'; readonly url: string };
  readonly port: number;
  readonly host: string;
  readonly workers: number;
  /** addresses and CIDR ranges */
  readonly trustedProxies: readonly string[];
  readonly browserUi?: { readonly clientSecret: string; readonly redirectUris: readonly string[] };
  /** absent: log lines are not forwarded */
  readonly loggingBackendUrl?: string;
  readonly loggingBackendAud: string;
  readonly identitySub: string;
  readonly demoAccount?: { readonly username: string; readonly password: string };
  readonly allowUnauthenticatedTokens: boolean;
  readonly features: ReadonlySet<Feature>;
  /** leeway when verifying, in seconds */
  readonly clockSkew: number;
  readonly logLevel: Level | 'silent';
}
