// Reads the environment into one frozen, typed Config, or reports every problem at once.
import type { Level } from 'pino';
import type { z } from 'zod';
import { isLoopback, issuerProblems, issuersOf } from './config/issuer.ts';
import { type MailSettings, mailOf, mailProblems } from './config/mail.ts';
import { environmentSchema, type FEATURES, truth } from './config/schema.ts';
import { secretProblems } from './config/secrets.ts';
import { type UpstreamRegistration, upstreamProblems, upstreamsOf } from './config/upstreams.ts';
import { type Environment, type Mode, unknownNameProblems, VARIABLES } from './config/variables.ts';

export type Feature = (typeof FEATURES)[number];

/** What the environment says, parsed. Lists are never empty: the first secret signs or encrypts, all verify or decrypt. */
export interface Config {
  readonly mode: Mode;
  /** the OIDC issuer (RFC 8414 §2): no query, no trailing slash, perhaps a path */
  readonly issuer: string;
  /** `iss` of tokens signed with the shared secret; equals `issuer` unless `JWT_ISSUER` is a plain name */
  readonly sharedSecretIssuer: string;
  readonly cookieSecrets: readonly string[];
  readonly jwtSecrets: readonly string[];
  readonly encryptionKeys: readonly string[];
  /** lifetime of access tokens in seconds */
  readonly accessTokenLifetime: number;
  /** how long a signing key is published before it signs, signs, and stays published; in seconds */
  readonly keySchedule: { readonly publish: number; readonly sign: number; readonly retire: number };
  /** of sign-ins: seconds until one that nobody uses ends, and until one that is remembered ends in any case */
  readonly session: { readonly idle: number; readonly absolute: number };
  readonly database:
    | { readonly engine: 'sqlite'; readonly path: string }
    | { readonly engine: 'postgres'; readonly url: string };
  readonly port: number;
  readonly host: string;
  readonly workers: number;
  /** addresses and CIDR ranges; may be empty */
  readonly trustedProxies: readonly string[];
  readonly browserUi?: { readonly clientSecret: string; readonly redirectUris: readonly string[] };
  /** what end-users see of it on every page; the name is the issuer's host unless it has one */
  readonly installation: { readonly name: string; readonly logoUrl?: string; readonly color?: string };
  /** without trailing slash; absent: log lines are not forwarded */
  readonly loggingBackendUrl?: string;
  readonly loggingBackendAud: string;
  readonly identitySub: string;
  readonly demoAccount?: { readonly username: string; readonly password: string };
  /** other providers at which end-users may sign in; may be empty */
  readonly upstreams: readonly UpstreamRegistration[];
  /** those of them whose verified e-mail addresses find the account that has the same one, verified too */
  readonly linkByEmail: readonly UpstreamRegistration['id'][];
  /** how mail leaves; absent: it does not, but development prints it */
  readonly mail?: MailSettings;
  /** whether strangers may make accounts, for addresses that they prove to have */
  readonly allowSignUp: boolean;
  readonly allowUnauthenticatedTokens: boolean;
  /** `open-registration` always comes with `registration` */
  readonly features: ReadonlySet<Feature>;
  /** leeway when verifying, in seconds */
  readonly clockSkew: number;
  readonly logLevel: Level | 'silent';
}

/** The environment is not one to start with. The message lists every problem and no secret. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  /** each `NAME: must be X, got Y`, in the order of `VARIABLES` */
  readonly problems: readonly string[];
  constructor(problems: readonly string[], mode: Mode) {
    const lines = problems.map((problem) => `  ${problem}`);
    super([`The configuration cannot be used (NODE_ENV means ${mode}):`, ...lines].join('\n'));
    this.problems = problems;
  }
}

/** in seconds */
const DAY = 86_400;

type Values = z.infer<ReturnType<typeof environmentSchema>>;

/**
 * What `env` means. An empty value counts as unset, an unset `NODE_ENV` as production.
 * @throws ConfigError with every problem, when there is one
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const set: Environment = Object.fromEntries(Object.entries(env).filter(([, value]) => value));
  const mode = modeOf(set);
  const parsed = environmentSchema(mode).safeParse(set);
  const problems = [
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`),
    ...secretProblems(set),
    ...issuerProblems(set, mode),
    ...accountProblems(set, mode),
    ...upstreamProblems(set),
    ...mailProblems(set, mode),
    ...publicIssuerProblems(set, mode),
    ...(mode === 'production' ? [...productionProblems(set), ...unknownNameProblems(env)] : []),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(inOrder(problems), mode);
  return frozen(assemble(parsed.data, set, mode));
}

function modeOf({ NODE_ENV: name }: Environment): Mode {
  return name === 'development' || name === 'test' ? name : 'production';
}

/** What is missing in production or must not be there. */
function productionProblems(env: Environment): string[] {
  const problems = VARIABLES.filter(({ name, developmentOnly }) => developmentOnly && isOn(env[name])).map(
    ({ name }) => `${name}: must be unset in production, got a value`,
  );
  if (env.BROWSER_UI_CLIENT_SECRET && !env.BROWSER_UI_REDIRECT_URIS) {
    problems.push('BROWSER_UI_REDIRECT_URIS: must be set with BROWSER_UI_CLIENT_SECRET, got nothing');
  }
  if (truth(env.ALLOW_SIGN_UP ?? '') === true && !env.SMTP_URL) {
    problems.push('SMTP_URL: must be set with ALLOW_SIGN_UP, whose letters prove addresses, got nothing');
  }
  if (env.BROWSER_UI_REDIRECT_URIS && !env.BROWSER_UI_CLIENT_SECRET) {
    problems.push('BROWSER_UI_CLIENT_SECRET: must be set with BROWSER_UI_REDIRECT_URIS, got nothing');
  }
  return problems;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && truth(value) !== false;
}

function accountProblems(env: Environment, mode: Mode): string[] {
  if (mode === 'production' || !env.DEMO_USERNAME === !env.DEMO_PASSWORD) return [];
  const [missing, given] = env.DEMO_USERNAME ? ['DEMO_PASSWORD', 'DEMO_USERNAME'] : ['DEMO_USERNAME', 'DEMO_PASSWORD'];
  return [`${missing}: must be set with ${given}, got nothing`];
}

/** What an issuer that strangers may reach must not have, whatever `NODE_ENV` says. */
function publicIssuerProblems(env: Environment, mode: Mode): string[] {
  const { issuer } = issuersOf(env, 0);
  if (!URL.canParse(issuer)) return [];
  const { protocol, hostname } = new URL(issuer);
  if (protocol !== 'https:' || isLoopback(hostname)) return [];
  const problems: string[] = [];
  if (mode !== 'production' && truth(env.ALLOW_UNAUTHENTICATED_TOKENS ?? '') === true) {
    problems.push('ALLOW_UNAUTHENTICATED_TOKENS: must be off unless the issuer is on this machine, got it on');
  }
  const asked = (env.OIDC_FEATURES ?? '').split(',').filter((feature) => feature.trim() === 'open-registration').length;
  if (mode === 'production' && asked === 1 && !isTestName(hostname)) {
    problems.push(
      'OIDC_FEATURES: must list open-registration twice, to confirm that strangers may register clients at this issuer, got it once',
    );
  }
  return problems;
}

/** Names that no public DNS answers (RFC 6761 §6.2, §6.4, §6.5). */
function isTestName(hostname: string): boolean {
  return /\.(test|invalid|example)$/.test(hostname);
}

function inOrder(problems: readonly string[]): string[] {
  const order = (problem: string) => {
    const index = VARIABLES.findIndex(({ name }) => problem.startsWith(`${name}:`));
    return index < 0 ? VARIABLES.length : index;
  };
  return [...problems].sort((a, b) => order(a) - order(b));
}

function assemble(values: Values, env: Environment, mode: Mode): Config {
  const { LOGGING_BACKEND_URL: loggingBackendUrl, DEMO_USERNAME: username, DEMO_PASSWORD: password } = values;
  const mail = mailOf(values);
  return {
    mode,
    ...issuersOf(env, values.PORT),
    cookieSecrets: values.COOKIE_SECRET ?? values.FLASK_SECRET_KEY ?? [],
    jwtSecrets: values.JWT_SECRET_KEY,
    encryptionKeys: values.ENCRYPTION_KEY,
    accessTokenLifetime: values.JWT_EXPIRATION_MINUTES * 60,
    keySchedule: {
      publish: values.KEY_PUBLISH_DAYS * DAY,
      sign: values.KEY_SIGN_DAYS * DAY,
      retire: values.KEY_RETIRE_DAYS * DAY,
    },
    session: { idle: values.SESSION_IDLE_MINUTES * 60, absolute: values.SESSION_DAYS * DAY },
    database: values.DATABASE_URL,
    port: values.PORT,
    host: values.HOST,
    workers: values.WEB_CONCURRENCY,
    trustedProxies: values.TRUSTED_PROXIES,
    ...browserUi(values),
    installation: installationOf(values, env),
    ...(loggingBackendUrl ? { loggingBackendUrl } : {}),
    loggingBackendAud: values.LOGGING_BACKEND_AUD,
    identitySub: values.IDENTITY_SUB,
    ...(username && password ? { demoAccount: { username, password } } : {}),
    upstreams: upstreamsOf(values),
    linkByEmail: values.UPSTREAM_LINK_BY_EMAIL,
    ...(mail && { mail }),
    allowSignUp: values.ALLOW_SIGN_UP,
    allowUnauthenticatedTokens: values.ALLOW_UNAUTHENTICATED_TOKENS,
    features: featuresOf(values.OIDC_FEATURES),
    clockSkew: values.CLOCK_SKEW_SECONDS,
    logLevel: values.LOG_LEVEL,
  };
}

function browserUi(values: Values): Pick<Config, 'browserUi'> {
  const clientSecret = values.BROWSER_UI_CLIENT_SECRET;
  const redirectUris = values.BROWSER_UI_REDIRECT_URIS ?? ['http://localhost:5000/callback'];
  return clientSecret ? { browserUi: { clientSecret, redirectUris } } : {};
}

function installationOf(values: Values, env: Environment): Config['installation'] {
  const { INSTALLATION_NAME: name, INSTALLATION_LOGO_URL: logoUrl, INSTALLATION_COLOR: color } = values;
  return {
    name: name ?? new URL(issuersOf(env, values.PORT).issuer).host,
    ...(logoUrl && { logoUrl }),
    ...(color && { color }),
  };
}

function featuresOf(listed: readonly Feature[]): ReadonlySet<Feature> {
  return new Set(listed.includes('open-registration') ? [...listed, 'registration'] : listed);
}

/** Freezes what is passed and everything in it. */
function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object') frozen(part);
  return Object.freeze(value);
}
