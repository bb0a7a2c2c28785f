// Reads the logging back end's settings from environment variables and reports every problem at once.

/** Whose tokens are accepted, and where the lines are kept. At least one kind of issuer is configured. */
export interface LoggingBackendConfig {
  /** the `aud` that a token must carry: this service's name */
  readonly audience: string;
  /** HS256: a token signed with any of these secrets is accepted, which is how the secret is rotated */
  readonly shared?: { readonly secrets: readonly string[]; readonly issuer: string };
  /** asymmetric keys of an OpenID Provider; without `jwksUri` it is discovered from the issuer */
  readonly provider?: { readonly issuer: string; readonly jwksUri?: string };
  /** SQLite file; its folder is created */
  readonly databasePath: string;
  /** switches `/debug-env` on */
  readonly development: boolean;
  readonly host: string;
  /** 0 lets the system choose */
  readonly port: number;
}

/**
 * @throws Error naming every variable that is missing or wrong, never a secret's value
 */
export function parseLoggingBackendConfig(env: Record<string, string | undefined>): LoggingBackendConfig {
  const problems: string[] = [];
  const secrets = splitList(env.JWT_SECRET_KEY);
  const issuer = env.JWT_ISSUER ?? '';
  const providerIssuer = env.ISSUER ?? (URL.canParse(issuer) ? issuer : undefined);
  const port = Number(env.PORT ?? 5001);

  if (secrets.some((secret) => Buffer.byteLength(secret) < 32)) {
    problems.push('JWT_SECRET_KEY: every secret must be at least 32 bytes long');
  }
  if (secrets.length > 0 && issuer === '') problems.push('JWT_ISSUER: required, the "iss" of shared-secret tokens');
  if (secrets.length === 0 && providerIssuer === undefined) {
    problems.push('JWT_SECRET_KEY or ISSUER: required, otherwise no token can be verified');
  }
  if (providerIssuer !== undefined && !URL.canParse(providerIssuer)) problems.push('ISSUER: must be a URL');
  if (env.JWKS_URI !== undefined && !URL.canParse(env.JWKS_URI)) problems.push('JWKS_URI: must be a URL');
  if (env.JWKS_URI !== undefined && providerIssuer === undefined) {
    problems.push('ISSUER: required beside JWKS_URI, the "iss" of the tokens that those keys sign');
  }
  if (!Number.isInteger(port) || port < 0 || port > 65535) problems.push('PORT: must be 0 to 65535');
  if (problems.length > 0) throw new Error(problems.join('\n'));

  return {
    audience: env.LOGGING_BACKEND_AUD ?? 'logging-service',
    ...(secrets.length > 0 && { shared: { secrets, issuer } }),
    ...(providerIssuer !== undefined && {
      provider: { issuer: providerIssuer, ...(env.JWKS_URI !== undefined && { jwksUri: env.JWKS_URI }) },
    }),
    databasePath: env.DATABASE_PATH ?? 'data/logs.db',
    development: env.NODE_ENV === 'development',
    host: env.HOST ?? '127.0.0.1',
    port,
  };
}

function splitList(value: string | undefined): string[] {
  return (value ?? '').split(',').filter((item) => item !== '');
}
