// The tables as Kysely types them. Names are what stands in the database; times are epoch seconds.

export interface ArtifactsTable {
  model: string;
  /** SHA-256 of the id (base64url) */
  id_hash: string;
  /** the payload as JSON, sealed for this row */
  payload: string;
  /** hash of the grant it lives and dies with; a Grant carries its own */
  grant_hash: string | null;
  uid_hash: string | null;
  user_code_hash: string | null;
  account_id: string | null;
  client_id: string | null;
  consumed_at: number | null;
  /** null: stays until destroyed */
  expires_at: number | null;
}

/** Tombstones: nothing may be written for these grants any more. */
export interface RevokedGrantsTable {
  grant_hash: string;
  revoked_at: number;
  expires_at: number;
}

/** The deny-list: JWT access tokens that are good no longer, though their signature is. */
export interface RevokedTokensTable {
  /** SHA-256 of the `jti` (base64url) */
  jti_hash: string;
  revoked_at: number;
  /** when the token expires by itself */
  expires_at: number;
}

export interface AccountsTable {
  id: string;
  username: string;
  password_hash: string | null;
  /** JSON object */
  claims: string;
  created_at: number;
  disabled_at: number | null;
  /** 1: signs in with a second factor only */
  requires_mfa: number;
}

export interface TotpTable {
  account_id: string;
  /** base32, sealed */
  secret: string;
  created_at: number;
  last_step: number;
}

export interface RecoveryCodesTable {
  account_id: string;
  /** SHA-256 of the code (base64url); the row goes when the code is used */
  digest: string;
}

export interface PasskeysTable {
  id: string;
  account_id: string;
  public_key: string;
  counter: number;
  /** JSON array */
  transports: string;
  /** 0 or 1 */
  backed_up: number;
  name: string;
  created_at: number;
  last_used_at: number | null;
}

export interface LinkedIdentitiesTable {
  upstream: string;
  subject: string;
  account_id: string;
  label: string;
  created_at: number;
}

/** Attempts under a key, which whoever counts has made unreadable. */
export interface RateLimitsTable {
  key: string;
  points: number;
  /** epoch milliseconds */
  expires_at_ms: number;
}

export interface LoginKeysTable {
  login_key: string;
  account_id: string;
}

export interface ClientsTable {
  client_id: string;
  /** JSON object */
  metadata: string;
  /** JSON object */
  audiences: string;
  /** JSON array; every digest in it is sealed */
  secrets: string;
  created_at: number;
}

export interface ClientSecretUsesTable {
  client_id: string;
  name: string;
  last_used_at: number;
}

/** Attempts of clients to authenticate that failed, by a hash of the client id, within the latest minute. */
export interface ClientFailuresTable {
  bucket: number;
  period: number;
  failures: number;
}

export interface ResourceServersTable {
  audience: string;
  scope: string;
  alg: string;
  expires_in: number | null;
  created_at: number;
}

export interface SigningKeysTable {
  kid: string;
  alg: string;
  /** private JWK as JSON, sealed */
  jwk: string;
  created_at: number;
  signs_at: number;
  stops_at: number | null;
  removed_at: number | null;
}

/** Who has fetched the JWKS. */
export interface JwksFetchesTable {
  /** hash of address and agent */
  id: string;
  address: string;
  agent: string;
  last_at: number;
}

/** The audit trail. */
export interface AuditEventsTable {
  at: number;
  id: string;
  event: string;
  client_id: string | null;
  account_id: string | null;
  /** JSON object of what else is known */
  facts: string;
}

/** Facts about the database itself: `epoch` names this very database, `probe` is what the readiness check writes. */
export interface MetaTable {
  name: string;
  value: string;
}

export interface MigrationsTable {
  name: string;
  applied_at: number;
}

export interface Schema {
  artifacts: ArtifactsTable;
  revoked_grants: RevokedGrantsTable;
  revoked_tokens: RevokedTokensTable;
  accounts: AccountsTable;
  totp: TotpTable;
  recovery_codes: RecoveryCodesTable;
  passkeys: PasskeysTable;
  linked_identities: LinkedIdentitiesTable;
  rate_limits: RateLimitsTable;
  login_keys: LoginKeysTable;
  clients: ClientsTable;
  client_secret_uses: ClientSecretUsesTable;
  client_failures: ClientFailuresTable;
  resource_servers: ResourceServersTable;
  signing_keys: SigningKeysTable;
  jwks_fetches: JwksFetchesTable;
  audit_events: AuditEventsTable;
  meta: MetaTable;
  migrations: MigrationsTable;
}
