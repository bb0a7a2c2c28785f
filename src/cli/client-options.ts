// The options of `identity client add`, and the client metadata and permissions that they stand for.
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ResourceServerRegistry } from '../resource-servers/registry.ts';
import type { ResourceServer } from '../store.ts';
import { collect, Failure, type JsonOption } from './terminal.ts';

/** As commander names them. */
export interface ClientOptions extends JsonOption {
  grantType?: string[];
  audience?: string[];
  redirectUri?: string[];
  postLogoutRedirectUri?: string[];
  name?: string;
  clientUri?: string;
  logoUri?: string;
  policyUri?: string;
  tosUri?: string;
  authMethod?: string;
  public?: true;
  firstParty?: true;
  requireMfa?: true;
  requirePkce: boolean;
  scope?: string;
  defaultAudience?: string;
  serves?: string[];
  claimInToken?: [name: string, value: unknown][];
  backchannelLogoutUri?: string;
  jwksUri?: string;
  metadata?: Record<string, unknown>;
}

function parseMetadata(written: string): Record<string, unknown> {
  let metadata: unknown;
  try {
    metadata = JSON.parse(written);
  } catch {
    throw new InvalidArgumentError('It must be JSON.');
  }
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new InvalidArgumentError('It must be a JSON object.');
  }
  return { ...metadata };
}

/** `name=value`; a value that is a JSON number, true, false, list or object is one in the token too. */
function collectClaim(
  written: string,
  previous: readonly [string, unknown][] | undefined,
): readonly [string, unknown][] {
  const cut = written.indexOf('=');
  if (cut < 1) throw new InvalidArgumentError('It must be NAME=VALUE.');
  const text = written.slice(cut + 1);
  return [
    ...(previous ?? []),
    [written.slice(0, cut), /^[[{]|^(true|false|-?\d{1,15})$/.test(text) ? parsed(text) : text],
  ];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Adds the options to the command. */
export function withClientOptions(command: Command): Command {
  return command
    .option('--redirect-uri <uri>', 'where authorization responses go; may be repeated', collect)
    .option('--post-logout-redirect-uri <uri>', 'where to go after logout; may be repeated', collect)
    .option('--grant-type <type>', 'authorization_code, refresh_token, client_credentials…; may be repeated', collect)
    .option('--audience <audience[=scope,…]>', 'what it may ask tokens for; may be repeated', collect)
    .option(
      '--serves <audience>',
      'it is this resource server, and may exchange tokens for it; may be repeated',
      collect,
    )
    .option('--default-audience <audience>', 'the audience of its tokens when it names none')
    .option(
      '--claim-in-token <name=value>',
      'put into every token that it gets for itself; may be repeated',
      collectClaim,
    )
    .option('--scope <scope>', 'the OpenID Connect scopes that it may ask for (default: all)')
    .option('--name <name>', 'its name on the sign-in page')
    .option('--client-uri <uri>', 'its home page')
    .option('--logo-uri <uri>', 'its logo on the sign-in page')
    .option('--policy-uri <uri>', 'its privacy policy')
    .option('--tos-uri <uri>', 'its terms of service')
    .option('--auth-method <method>', 'how it authenticates (default: its secret, in the header or in the body)')
    .addOption(
      new Option('--public', 'it cannot keep a secret: a native or browser-based application').conflicts('authMethod'),
    )
    .option('--first-party', 'it is our own: its users are not asked for consent')
    .option('--require-mfa', 'its users sign in with two factors')
    .option('--no-require-pkce', 'let it do without PKCE')
    .option('--backchannel-logout-uri <uri>', 'where it hears of logouts')
    .option('--jwks-uri <uri>', 'its public keys')
    .option('--metadata <json>', 'further client metadata (RFC 7591)', parseMetadata);
}

/** The client metadata that the options stand for, in wire names (RFC 7591 §2). */
export function metadataOf(options: ClientOptions): Record<string, unknown> {
  const given = {
    redirect_uris: options.redirectUri,
    post_logout_redirect_uris: options.postLogoutRedirectUri,
    grant_types: options.grantType,
    scope: options.scope,
    serves: options.serves,
    default_audience: options.defaultAudience,
    access_token_claims: options.claimInToken && Object.fromEntries(options.claimInToken),
    client_name: options.name,
    client_uri: options.clientUri,
    logo_uri: options.logoUri,
    policy_uri: options.policyUri,
    tos_uri: options.tosUri,
    token_endpoint_auth_method: options.public ? 'none' : options.authMethod,
    first_party: options.firstParty,
    require_mfa: options.requireMfa,
    require_pkce: options.requirePkce ? undefined : false,
    backchannel_logout_uri: options.backchannelLogoutUri,
    jwks_uri: options.jwksUri,
  };
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...options.metadata, ...Object.fromEntries(named) };
}

async function audienceGrant(
  written: string,
  resourceServers: ResourceServerRegistry,
): Promise<[audience: string, scope: string | null]> {
  // A URI may contain `=` itself: what is registered as it stands needs no scope.
  if (await resourceServers.find(written)) return [written, null];
  const cut = written.lastIndexOf('=');
  const audience = cut < 0 ? written : written.slice(0, cut);
  const resourceServer = await resourceServers.find(audience);
  if (!resourceServer) throw new Failure(`there is no resource server ${audience}: add it first`);
  return [audience, scopeOf(resourceServer, written.slice(cut + 1))];
}

function scopeOf({ audience, scope }: ResourceServer, written: string): string {
  const scopes = written.split(/[\s,]+/).filter((name) => name !== '');
  const unknown = scopes.find((name) => !scope.split(' ').includes(name));
  if (unknown !== undefined) throw new Failure(`${audience} knows no scope ${unknown}; it knows: ${scope || 'none'}`);
  return scopes.join(' ');
}

/**
 * What the client may ask tokens for: `NAME` for every scope of that resource server, `NAME=A,B` for these.
 * @throws Failure when a resource server or a scope is not registered
 */
export async function audiencesOf(
  written: readonly string[],
  resourceServers: ResourceServerRegistry,
): Promise<Record<string, string | null>> {
  const grants = await Promise.all(written.map((one) => audienceGrant(one, resourceServers)));
  return Object.fromEntries(grants);
}
