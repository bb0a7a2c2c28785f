// Reads the browser client's settings from environment variables and reports every problem at once.

/** The client as it is registered with the OpenID Provider, and the service that it calls on behalf of the end-user. */
export interface BrowserClientConfig {
  /** issuer of the OpenID Provider, without a trailing slash; everything else about it is discovered */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** the origin at which browsers reach this client; `/callback` below it is the registered redirect URI */
  readonly baseUrl: string;
  /** the logging service, without a trailing slash, and the audience of the access tokens that it takes */
  readonly loggingUrl: string;
  readonly audience: string;
  readonly host: string;
  /** 0 lets the system choose */
  readonly port: number;
}

/**
 * @throws Error naming every variable that is missing or wrong, never a secret's value
 */
export function parseBrowserClientConfig(env: Record<string, string | undefined>): BrowserClientConfig {
  const problems: string[] = [];
  const config = {
    issuer: parseUrl('ISSUER', env.ISSUER ?? 'http://localhost:3000', problems),
    clientId: env.CLIENT_ID ?? 'browser-ui',
    clientSecret: env.CLIENT_SECRET ?? '',
    baseUrl: parseUrl('BASE_URL', env.BASE_URL ?? 'http://localhost:5000', problems),
    loggingUrl: parseUrl('LOGGING_URL', env.LOGGING_URL ?? 'http://localhost:5001', problems),
    audience: env.AUDIENCE ?? 'logging-service',
    host: env.HOST ?? '127.0.0.1',
    port: Number(env.PORT ?? 5000),
  };
  if (config.clientSecret === '') problems.push('CLIENT_SECRET: required, the secret of the registered client');
  if (URL.parse(config.baseUrl)?.origin !== config.baseUrl)
    problems.push('BASE_URL: must be an origin, without a path');
  if (!Number.isInteger(config.port) || config.port < 0 || config.port > 65535) {
    problems.push('PORT: must be 0 to 65535');
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return config;
}

function parseUrl(name: string, value: string, problems: string[]): string {
  if (!['http:', 'https:'].includes(URL.parse(value)?.protocol ?? '')) problems.push(`${name}: must be an http(s) URL`);
  return value.replace(/\/$/, '');
}
