// The environment variables by name: those that are read, and those that somebody probably meant.

export type Mode = 'development' | 'test' | 'production';

/** What a variable is to an operator. */
export interface Variable {
  readonly name: string;
  /** its value is, or contains, a secret: never print it */
  readonly secret: boolean;
  /** refused in production */
  readonly developmentOnly: boolean;
}

const plain = { secret: false, developmentOnly: false } as const;
const secret = { secret: true, developmentOnly: false } as const;

/** Every variable that is read, old names included, in the order in which problems are listed. */
export const VARIABLES = [
  { name: 'NODE_ENV', ...plain },
  { name: 'PUBLIC_URL', ...plain },
  { name: 'JWT_ISSUER', ...plain },
  { name: 'COOKIE_SECRET', ...secret },
  { name: 'FLASK_SECRET_KEY', ...secret },
  { name: 'JWT_SECRET_KEY', ...secret },
  { name: 'ENCRYPTION_KEY', ...secret },
  { name: 'JWT_EXPIRATION_MINUTES', ...plain },
  { name: 'KEY_PUBLISH_DAYS', ...plain },
  { name: 'KEY_SIGN_DAYS', ...plain },
  { name: 'KEY_RETIRE_DAYS', ...plain },
  { name: 'SESSION_IDLE_MINUTES', ...plain },
  { name: 'SESSION_DAYS', ...plain },
  { name: 'DATABASE_URL', ...secret },
  { name: 'PORT', ...plain },
  { name: 'HOST', ...plain },
  { name: 'WEB_CONCURRENCY', ...plain },
  { name: 'TRUSTED_PROXIES', ...plain },
  { name: 'BROWSER_UI_CLIENT_SECRET', ...secret },
  { name: 'BROWSER_UI_REDIRECT_URIS', ...plain },
  { name: 'UPSTREAM_GOOGLE_CLIENT_ID', ...plain },
  { name: 'UPSTREAM_GOOGLE_CLIENT_SECRET', ...secret },
  { name: 'UPSTREAM_MICROSOFT_CLIENT_ID', ...plain },
  { name: 'UPSTREAM_MICROSOFT_CLIENT_SECRET', ...secret },
  { name: 'UPSTREAM_MICROSOFT_TENANT', ...plain },
  { name: 'UPSTREAM_GITHUB_CLIENT_ID', ...plain },
  { name: 'UPSTREAM_GITHUB_CLIENT_SECRET', ...secret },
  { name: 'UPSTREAM_OIDC_ISSUER', ...plain },
  { name: 'UPSTREAM_OIDC_NAME', ...plain },
  { name: 'UPSTREAM_OIDC_CLIENT_ID', ...plain },
  { name: 'UPSTREAM_OIDC_CLIENT_SECRET', ...secret },
  { name: 'UPSTREAM_LINK_BY_EMAIL', ...plain },
  { name: 'SMTP_URL', ...secret },
  { name: 'MAIL_FROM', ...plain },
  { name: 'ALLOW_SIGN_UP', ...plain },
  { name: 'INSTALLATION_NAME', ...plain },
  { name: 'INSTALLATION_LOGO_URL', ...plain },
  { name: 'INSTALLATION_COLOR', ...plain },
  { name: 'LOGGING_BACKEND_URL', ...plain },
  { name: 'LOGGING_BACKEND_AUD', ...plain },
  { name: 'IDENTITY_SUB', ...plain },
  { name: 'DEMO_USERNAME', secret: false, developmentOnly: true },
  { name: 'DEMO_PASSWORD', secret: true, developmentOnly: true },
  { name: 'ALLOW_UNAUTHENTICATED_TOKENS', secret: false, developmentOnly: true },
  { name: 'OIDC_FEATURES', ...plain },
  { name: 'CLOCK_SKEW_SECONDS', ...plain },
  { name: 'LOG_LEVEL', ...plain },
] as const satisfies readonly Variable[];

export type VariableName = (typeof VARIABLES)[number]['name'];

/** The variables that are set; an empty value counts as unset. */
export type Environment = Partial<Record<VariableName, string>>;

/** Families that no platform sets: an unknown name in one is ours, misspelt. */
const OWN_PREFIXES = [
  'ALLOW_SIGN',
  'ALLOW_UNAUTHENTICATED',
  'BROWSER_UI_',
  'CLOCK_SKEW',
  'COOKIE_',
  'ENCRYPTION_',
  'FLASK_SECRET',
  'INSTALLATION_',
  'JWT_',
  'KEY_PUBLISH',
  'KEY_RETIRE',
  'KEY_SIGN',
  'LOGGING_BACKEND_',
  'OIDC_',
  'SESSION_',
  'TRUSTED_PROX',
  'UPSTREAM_GITHUB_',
  'UPSTREAM_GOOGLE_',
  'UPSTREAM_LINK_',
  'UPSTREAM_MICROSOFT_',
  'UPSTREAM_OIDC_',
];

/** Kubernetes and Docker announce a neighbour called `logging-backend` in names like ours. */
const ANNOUNCED = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/**
 * A problem for every unknown name that looks like one of ours: any name in a family of our own, and elsewhere
 * (`DATABASE_`, `DEMO_`, `IDENTITY_`, `PUBLIC_`, …: others use those too) one that is at most two letters off.
 */
export function unknownNameProblems(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>(VARIABLES.map(({ name }) => name));
  return Object.keys(env)
    .filter((name) => env[name] && !known.has(name) && !ANNOUNCED.test(name))
    .flatMap((name) => {
      const nearest = nearestName(name);
      const ours = OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) || isSlip(name, nearest);
      return ours ? [`${name}: must be a known name, perhaps ${nearest}, got an unknown one`] : [];
    });
}

function isSlip(name: string, known: string): boolean {
  const family = known.split('_', 1)[0] ?? known;
  return known.includes('_') && name.startsWith(`${family}_`) && distance(name, known) <= 2;
}

/** The name that this one begins, or the nearest; of the same family, when the family is one of ours. */
function nearestName(name: string): string {
  const names = VARIABLES.map((variable) => variable.name);
  const family = names.filter((known) => known.split('_', 1)[0] === name.split('_', 1)[0]);
  const away = (known: string) => (known.startsWith(name) ? 0 : distance(name, known));
  const [nearest] = (family.length > 0 ? family : names).sort((a, b) => away(a) - away(b));
  return nearest ?? '';
}

/** Letters to insert, delete or replace (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (letter === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
