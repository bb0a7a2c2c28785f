// The storage contract: what the service keeps, and the rules that every engine in `adapters/` obeys.

/** Epoch seconds, now. Everything that expires is measured on the one clock that is passed in. */
export type Clock = () => number;

/**
 * Encrypts what must not be readable in a copy of the database.
 * `context` binds a ciphertext to its row: what was sealed for one row does not open for another.
 */
export interface SecretBox {
  seal(plaintext: string, context: string): string;
  /** @throws Error when no listed key opens it, or `context` differs */
  open(sealed: string, context: string): string;
  /** The same sealed with the first key; what is already comes back as it is. @throws Error like `open` */
  reseal(sealed: string, context: string): string;
}

/** The database cannot answer now (locked, full, gone): becomes 503 with `Retry-After`. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable';
}

/** The code or token was consumed before; by the time this is thrown its grant is revoked (RFC 9700 §4.14.2). */
export class AlreadyConsumed extends Error {
  override name = 'AlreadyConsumed';
  readonly model: string;
  constructor(model: string, reason: string) {
    super(`${model} ${reason}`);
    this.model = model;
  }
}

/** Something was written for a grant that has been revoked. */
export class GrantRevoked extends Error {
  override name = 'GrantRevoked';
}

/** A unique name (`field`) is taken. */
export class Conflict extends Error {
  override name = 'Conflict';
  readonly field: string;
  constructor(field: string) {
    super(`${field} is already taken`);
    this.field = field;
  }
}

/** The database is not one that this program may write to; the message says what to do. The file is untouched. */
export class StoreRefused extends Error {
  override name = 'StoreRefused';
}

/** What oidc-provider keeps of one session, grant, code, token or interaction: JSON, in the library's own names. */
export type ArtifactPayload = Record<string, unknown>;

/**
 * One change to the artifacts. `model` is oidc-provider's model name; ids of different models never meet.
 * `expiresIn` is in seconds; absent, the artifact stays until destroyed.
 */
export type ArtifactWrite =
  | { do: 'upsert'; model: string; id: string; payload: ArtifactPayload; expiresIn?: number }
  | { do: 'consume'; model: string; id: string }
  | { do: 'destroy'; model: string; id: string }
  | { do: 'revoke'; grantId: string }
  | { do: 'deny'; jti: string; expiresAt: number };

/**
 * Sessions, grants, codes, tokens, interactions: everything of oidc-provider except clients.
 *
 * Unknown, expired and destroyed are all `undefined`. What is found is a copy, equal to what was written, with
 * `consumed` (epoch seconds) once consumed. Ids, uids and user codes are stored as SHA-256 and payloads sealed.
 */
export interface Artifacts {
  find(model: string, id: string): Promise<ArtifactPayload | undefined>;
  findByUid(model: string, uid: string): Promise<ArtifactPayload | undefined>;
  findByUserCode(model: string, userCode: string): Promise<ArtifactPayload | undefined>;
  /** All of the model whose payload names the account as `accountId`, and its own id as `jti`; in no order. */
  listOf(model: string, accountId: string): Promise<ArtifactPayload[]>;
  /**
   * Applies the writes in order, all or none, in one transaction that is durable when the promise resolves.
   *
   * `upsert` replaces payload and expiry, moves the secondary indexes and never clears `consumed`; of the models
   * CLIENT_ASSERTION and DPOP_PROOF it is refused as consumed when the id is there already.
   * `consume` is compare-and-set: when the artifact was consumed before, none of the writes takes effect, its grant is
   * revoked in the same transaction, and the call throws.
   * `revoke` drops every artifact of the grant, in every model, with the grant itself, and leaves a tombstone; the JWTs
   * that are remembered of it as JWT_ACCESS_TOKEN go on the deny-list.
   * `deny` puts a JWT on the deny-list until `expiresAt` (epoch seconds) and the clock skew have passed.
   * @throws AlreadyConsumed, GrantRevoked, StoreUnavailable
   */
  apply(writes: readonly ArtifactWrite[]): Promise<void>;
}

/** The standard claims that an account can carry (OpenID Connect Core §5.1), without `sub`. */
export interface StandardClaims {
  name?: string;
  given_name?: string;
  family_name?: string;
  middle_name?: string;
  nickname?: string;
  preferred_username?: string;
  profile?: string;
  picture?: string;
  website?: string;
  email?: string;
  email_verified?: boolean;
  gender?: string;
  birthdate?: string;
  zoneinfo?: string;
  locale?: string;
  phone_number?: string;
  phone_number_verified?: boolean;
  address?: Record<string, string>;
  updated_at?: number;
}

/**
 * The model under which a JWT access token of an end-user is remembered, with its `jti` as the id, so that it is revoked
 * with its grant, account or client.
 */
export const JWT_ACCESS_TOKEN = 'JwtAccessToken';

/** The models of what may be presented once (RFC 7523 §3, RFC 9449 §11.1). */
export const CLIENT_ASSERTION = 'ClientAssertion';
export const DPOP_PROOF = 'DpopProof';

/**
 * What stands for a session that somebody is signed in to as its grant, by its `uid`: `revoke` of it ends the session
 * under whatever id it has, and keeps a request that is under way from writing it again.
 */
export function sessionGrant(uid: string): string {
  return `session ${uid}`;
}

/** A JWT access token that is refused although its signature is good. */
export interface RevokedToken {
  /** SHA-256 of its `jti` (base64url) */
  jtiHash: string;
  /** epoch seconds */
  revokedAt: number;
  /** epoch seconds */
  expiresAt: number;
}

/** The deny-list. Tokens get on it by Artifacts.apply, and when an account or a client ends. */
export interface RevokedTokens {
  has(jti: string): Promise<boolean>;
  /** Those that a verifier could still accept, the newest revocations first, at most so many. */
  list(limit: number): Promise<RevokedToken[]>;
}

/** An end-user's account. `id` is the subject (`sub`): a UUID, never reused, never equal to a client's id. */
export interface Account {
  id: string;
  username: string;
  /** PHC string of argon2id; absent when the account has no password */
  passwordHash?: string;
  claims: StandardClaims;
  createdAt: number;
  disabledAt?: number;
  /** signs in with a second factor only, and enrols one at its next sign-in where it has none */
  requiresMfa?: boolean;
}

export interface Accounts {
  /** `loginKeys` are the canonical spellings under which the account signs in. @throws Conflict('username') */
  insert(account: Account, loginKeys: readonly string[]): Promise<void>;
  find(id: string): Promise<Account | undefined>;
  findByLoginKey(loginKey: string): Promise<Account | undefined>;
  /** By username. */
  list(): Promise<Account[]>;
  /**
   * Replaces the account of the same id and its login keys; when it is disabled, its sessions, grants and tokens end in
   * the same transaction. False when there is none. @throws Conflict('username')
   * @param was compare-and-set: false, too, when the account is not this one any more
   */
  update(account: Account, loginKeys: readonly string[], was?: Account): Promise<boolean>;
  /** Its sessions, grants and tokens end with it. False when there is none. */
  remove(id: string): Promise<boolean>;
}

/** The shared secret of an account's authenticator app (RFC 6238), sealed at rest. */
export interface Totp {
  accountId: string;
  /** base32 */
  secret: string;
  createdAt: number;
  /** the time step of the last code that was accepted: neither it nor an earlier one is accepted again (§5.2) */
  lastStep: number;
}

/** The authenticator app of an account, and the recovery codes for the day that it is lost. */
export interface SecondFactors {
  findTotp(accountId: string): Promise<Totp | undefined>;
  /** In the place of the one before, if there was one. */
  saveTotp(totp: Totp): Promise<void>;
  /** Compare-and-set: false when there is one before, which stays. */
  insertTotp(totp: Totp): Promise<boolean>;
  /** Compare-and-set: false when that step, or a later one, was used before, or there is no such secret. */
  useTotpStep(accountId: string, step: number): Promise<boolean>;
  /** False when there is none. */
  removeTotp(accountId: string): Promise<boolean>;
  /** Exactly these from now on, none of them used. @param digests SHA-256 of each code (base64url) */
  replaceRecoveryCodes(accountId: string, digests: readonly string[]): Promise<void>;
  /** Compare-and-set: false when the account has no such code, or it was used before. */
  useRecoveryCode(accountId: string, digest: string): Promise<boolean>;
  /** How many are not used. */
  countRecoveryCodes(accountId: string): Promise<number>;
}

/** A WebAuthn credential of an account (Web Authentication Level 3 §4). */
export interface Passkey {
  /** credential id, base64url */
  id: string;
  accountId: string;
  /** COSE public key, base64url */
  publicKey: string;
  /** signature counter, 0 where the authenticator has none */
  counter: number;
  transports: readonly string[];
  /** whether it is synchronised to more devices than one */
  backedUp: boolean;
  /** what its owner calls it */
  name: string;
  createdAt: number;
  /** epoch seconds */
  lastUsedAt?: number;
}

export interface Passkeys {
  /** @throws Conflict('passkey') */
  insert(passkey: Passkey): Promise<void>;
  find(id: string): Promise<Passkey | undefined>;
  /** Oldest first. */
  listOf(accountId: string): Promise<Passkey[]>;
  /** Compare-and-set on the counter, which only grows (§6.1.1): false when it has not, or the passkey is gone. */
  recordUse(id: string, use: { counter: number; backedUp: boolean; at: number }): Promise<boolean>;
  /** False when the account has no such passkey. */
  rename(accountId: string, id: string, name: string): Promise<boolean>;
  /** False when the account has no such passkey. */
  remove(accountId: string, id: string): Promise<boolean>;
}

/** An account of an end-user elsewhere that signs in to one of ours: the pair of upstream and subject is unique. */
export interface LinkedIdentity {
  /** our name for the provider there */
  upstream: string;
  /** its `sub`, after its `iss` and a space where the provider can become another one */
  subject: string;
  accountId: string;
  /** what its owner recognises it by, such as an e-mail address */
  label: string;
  createdAt: number;
}

export interface LinkedIdentities {
  /** @throws Conflict('identity') */
  insert(identity: LinkedIdentity): Promise<void>;
  find(upstream: string, subject: string): Promise<LinkedIdentity | undefined>;
  /** Oldest first. */
  listOf(accountId: string): Promise<LinkedIdentity[]>;
  /** False when the account has no such identity. */
  remove(accountId: string, upstream: string, subject: string): Promise<boolean>;
}

/** Attempts counted under one key. */
export interface Attempts {
  points: number;
  /** epoch milliseconds; the count begins anew then */
  expiresAtMs: number;
}

/** Counters that all processes share and that survive restarts; times are epoch milliseconds here. */
export interface RateLimits {
  /**
   * Adds points (or takes away, when negative) in one step; a count that has expired at `nowMs` begins anew with them
   * and ends at `expiresAtMs`. With `anew` the count is replaced in any case.
   */
  add(key: string, points: number, times: { nowMs: number; expiresAtMs: number; anew?: boolean }): Promise<Attempts>;
  find(key: string, nowMs: number): Promise<Attempts | undefined>;
  /** False when there is none. */
  remove(key: string): Promise<boolean>;
}

/** One secret of a client. `digest` is the SHA-256 of the secret (base64url), sealed at rest. */
export interface ClientSecret {
  name: string;
  digest: string;
  /** the secret itself, sealed at rest: only where it is a key, for `client_secret_jwt` (OpenID Connect Core §9) */
  value?: string;
  createdAt: number;
  /** epoch seconds */
  expiresAt?: number;
}

/** A registered client. */
export interface ClientRecord {
  clientId: string;
  /** client metadata in wire names (RFC 7591 §2) and our own `first_party`, `require_mfa`, `require_pkce`; never a `client_secret` */
  metadata: Record<string, unknown>;
  /** what it may ask tokens for: audience → scope, `null` for every scope of that resource server */
  audiences: Record<string, string | null>;
  secrets: ClientSecret[];
  createdAt: number;
}

export interface Clients {
  /** @throws Conflict('client_id') */
  insert(client: ClientRecord): Promise<void>;
  find(clientId: string): Promise<ClientRecord | undefined>;
  /** By client id. */
  list(): Promise<ClientRecord[]>;
  /** Replaces the client of the same id. False when there is none. */
  update(client: ClientRecord): Promise<boolean>;
  /** Its grants and the tokens of end-users that it has end with it. False when there is none. */
  remove(clientId: string): Promise<boolean>;
}

/** How a resource server wants its access tokens signed (RFC 7518 §3.1). */
export type AccessTokenAlg = 'ES256' | 'EdDSA' | 'RS256' | 'PS256' | 'HS256';

/** A resource server: the audience of its access tokens and what it accepts in them. */
export interface ResourceServer {
  audience: string;
  /** space-delimited; empty when it knows no scopes */
  scope: string;
  alg: AccessTokenAlg;
  /** lifetime of its access tokens in seconds; absent: the installation's default */
  expiresIn?: number;
  createdAt: number;
}

export interface ResourceServers {
  /** @throws Conflict('audience') */
  insert(resourceServer: ResourceServer): Promise<void>;
  find(audience: string): Promise<ResourceServer | undefined>;
  /** By audience. */
  list(): Promise<ResourceServer[]>;
  /** False when there is none. */
  remove(audience: string): Promise<boolean>;
}

/** The life of a signing key, in epoch seconds: what the key does at a moment follows from this, and from nothing else. */
export interface SigningKeyTimes {
  kid: string;
  alg: string;
  /** published since then */
  createdAt: number;
  /** signs from then on */
  signsAt: number;
  /** and stops then; absent: nothing is to follow it yet */
  stopsAt?: number;
  /** leaves the JWKS then, and verifies nothing any more */
  removedAt?: number;
}

/** A signing key. The private JWK is sealed at rest with the `kid` as context. */
export interface SigningKey extends SigningKeyTimes {
  /** private JWK as JSON, unsealed */
  jwk: string;
}

/** A change to the signing keys; `update` replaces times, `remove` names keys. */
export interface KeyChange {
  insert: readonly SigningKey[];
  update: readonly SigningKeyTimes[];
  remove: readonly string[];
}

export interface Keys {
  /** Oldest first. @throws Error when a key cannot be unsealed */
  list(): Promise<SigningKey[]>;
  /** The same without the private keys: cheap enough to be asked every second. */
  times(): Promise<SigningKeyTimes[]>;
  /** Adds each key for whose `alg` there is none yet, atomically: simultaneous first boots make one set. */
  insertMissing(keys: readonly SigningKey[]): Promise<void>;
  /** Makes the whole change, or answers false when the times are no longer `from`, on which it was planned. */
  change(from: readonly SigningKeyTimes[], change: KeyChange): Promise<boolean>;
}

/** When a program at an address last fetched the JWKS. */
export interface JwksFetch {
  address: string;
  /** from its `User-Agent` */
  agent: string;
  /** epoch seconds */
  lastAt: number;
}

export interface JwksFetches {
  /** Keeps the latest of each address and agent, and forgets those longest ago when there are too many. */
  record(fetches: readonly JwksFetch[]): Promise<void>;
  /** Latest first. */
  list(): Promise<JwksFetch[]>;
}

/**
 * Something that an auditor may ask about. Everything in it is fit to be read: no secret, no control character, tokens
 * by their hash only.
 */
export interface AuditEvent {
  /** Unique; events of the same second sort by it. */
  id: string;
  /** epoch seconds */
  at: number;
  event: string;
  clientId?: string;
  /** the subject */
  accountId?: string;
  /** what else is known */
  facts: Readonly<Record<string, unknown>>;
}

/** Events that every given condition holds for. */
export interface AuditFilter {
  /** epoch seconds */
  since?: number;
  clientId?: string;
  accountId?: string;
  /** one, or any of several: at least one */
  event?: string | readonly string[];
  /** the newest so many */
  limit: number;
}

/** The audit trail: events are only added, and swept after 90 days. */
export interface AuditEvents {
  /** Adds them in one transaction; one that is there already is left alone. @throws StoreUnavailable */
  append(events: readonly AuditEvent[]): Promise<void>;
  /** Oldest first. */
  list(filter: AuditFilter): Promise<AuditEvent[]>;
}

/** What is counted about clients while they are used; never part of their registration. */
export interface ClientUses {
  /** @param at epoch seconds */
  recordSecret(clientId: string, name: string, at: number): Promise<void>;
  /** When each secret was last recorded, by its name, in epoch seconds; also of secrets that are gone. */
  secretsOf(clientId: string): Promise<Record<string, number>>;
  /** Counts one more failure of that bucket; a new period begins at 1. Answers how many there are in it now. */
  countFailure(bucket: number, period: number): Promise<number>;
  failures(bucket: number, period: number): Promise<number>;
}

/** How much was sealed again, and how much depends on older encryption keys all the same, in rows. */
export interface ReEncryption {
  reEncrypted: number;
  /** written meanwhile by a process whose first key is an older one */
  remaining: number;
  /** opens with no listed key: lost already */
  unreadable: number;
}

/** What a sweep deleted, in rows, and whether there may be more to delete. */
export interface Swept {
  rows: number;
  more: boolean;
}

/** Everything that is kept. One instance per process; `dispose` closes it. */
export interface Store extends AsyncDisposable {
  readonly artifacts: Artifacts;
  readonly accounts: Accounts;
  readonly secondFactors: SecondFactors;
  readonly passkeys: Passkeys;
  readonly linkedIdentities: LinkedIdentities;
  readonly rateLimits: RateLimits;
  readonly clients: Clients;
  readonly clientUses: ClientUses;
  readonly resourceServers: ResourceServers;
  readonly keys: Keys;
  readonly jwksFetches: JwksFetches;
  readonly revokedTokens: RevokedTokens;
  readonly auditEvents: AuditEvents;
  /** Brings the schema up to date. Twice changes nothing; several processes may call it at once. @throws StoreRefused */
  migrate(): Promise<void>;
  /**
   * Called once at boot, after `migrate` and before requests. When an older copy was put in the database's place, what
   * was consumed since would be fresh again: then every artifact is removed, and the answer is `rolled-back`. Only
   * SQLite files are recognised (see docs/backup.md). @throws StoreRefused, StoreUnavailable
   */
  recover(): Promise<'same' | 'rolled-back'>;
  /** Seals what older encryption keys have sealed with the first one; others may work meanwhile. */
  reEncrypt(): Promise<ReEncryption>;
  /** Writes a row and reads it back. @throws StoreUnavailable */
  probe(): Promise<void>;
  /**
   * Deletes expired rows in one short transaction, beside the requests: as many as there is time for, at most `limit`.
   * With the last of them, `recover` has newer facts. @throws StoreUnavailable
   */
  sweep(limit: number): Promise<Swept>;
  /**
   * Whether `holder` may do the work of this name for so many seconds from now: nobody else holds it, or no longer.
   * Who holds it renews it. Clocks that differ make two holders at worst, so the work must bear that.
   * @throws StoreUnavailable
   */
  takeLease(name: string, holder: string, seconds: number): Promise<boolean>;
}
