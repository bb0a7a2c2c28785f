// Token exchange (RFC 8693): a service trades the access token of an end-user that it was shown for one with another
// audience, in which it is named as the actor.
import {
  type Configuration,
  errors,
  type KoaContextWithOIDC,
  type Provider,
  type ResourceServer as ResourceServerInfo,
  type TokenEndpointGrantContext,
} from 'oidc-provider';
import { servesAudience } from '../clients/permissions.ts';
import { type Artifacts, type ClientRecord, type Clock, JWT_ACCESS_TOKEN, type ResourceServer } from '../store.ts';
import type { VerifiedClaims } from '../tokens/claim-rules.ts';
import type { Verifier } from '../tokens/verification.ts';

export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** RFC 8693 §3. Every JWT that we take here is an access token. */
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** The services through which a request of the end-user has come, the latest first (RFC 8693 §4.1). */
export interface Actor {
  readonly sub: string;
  readonly act?: Actor;
}

/** A chain that is longer than this is a loop. */
const MAX_ACTORS = 5;

const PARAMETERS = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'scope',
];

export interface TokenExchange {
  inspect: Verifier['inspect'];
  findClient(clientId: string): Promise<ClientRecord | undefined>;
  findResourceServer(audience: string): Promise<ResourceServer | undefined>;
  findAccount: NonNullable<Configuration['findAccount']>;
  /** the library's `getResourceServerInfo`. @throws errors.InvalidTarget */
  resourceServerInfo(
    ctx: KoaContextWithOIDC,
    indicator: string,
    client: Context['oidc']['client'],
  ): Promise<ResourceServerInfo>;
  artifacts: Pick<Artifacts, 'find'>;
  clock: Clock;
}

type Context = TokenEndpointGrantContext<Record<string, unknown>>;

/** An end-user's token that may be exchanged by the client that shows it. */
interface Subject {
  readonly claims: VerifiedClaims;
  readonly audience: string;
  readonly accountId: string;
  readonly grantId?: string;
}

/** Adds the grant type to a provider; only clients that are registered for it may use it. */
export function addTokenExchange(provider: Provider, options: TokenExchange): void {
  provider.registerGrantType<Record<string, unknown>>(
    tokenExchangeGrant,
    async function tokenExchange(ctx) {
      const { client } = ctx.oidc;
      checkParameters(ctx);
      // RFC 9449 §5.2, RFC 8705 §3.4
      if (client.dpopBoundAccessTokens || client.tlsClientCertificateBoundAccessTokens) {
        throw new errors.InvalidGrant('an exchanged token cannot be bound to a key, and this client needs it to be');
      }
      const subject = await subjectOf(ctx, options);
      const indicator = String(ctx.oidc.params.resource);
      const info = await options.resourceServerInfo(ctx, indicator, client);
      const known = (await options.findResourceServer(subject.audience))?.scope ?? '';
      const scope = narrowedScope(ctx.oidc.params.scope, {
        granted: info.scope,
        subject: subject.claims['scope'],
        known,
      });

      const token = new provider.AccessToken({
        accountId: subject.accountId,
        client,
        expiresIn: Math.min(Number(info.accessTokenTTL), subject.claims.exp - options.clock()),
        ...(subject.grantId !== undefined && { grantId: subject.grantId }),
        gty: tokenExchangeGrant,
        scope,
      } as ConstructorParameters<typeof provider.AccessToken>[0]);
      token.resourceServer = new provider.ResourceServer(indicator, info);
      Object.assign(token, { actor: actorOf(client.clientId, subject.claims) });
      ctx.oidc.entity('AccessToken', token);
      ctx.body = {
        access_token: await token.save(),
        issued_token_type: accessTokenType,
        token_type: token.tokenType,
        expires_in: token.expiration,
        ...(scope && { scope }),
      };
    },
    PARAMETERS,
  );
}

/** The claim `act` of a token that an exchange has made; undefined of any other. */
export function actorClaim(token: object): { act: Actor } | undefined {
  return 'actor' in token ? { act: token.actor as Actor } : undefined;
}

function checkParameters(ctx: Context): void {
  const { params } = ctx.oidc;
  for (const name of ['subject_token', 'subject_token_type', 'resource'] as const) {
    const value = params[name];
    if (typeof value !== 'string' || value === '') {
      throw new errors.InvalidRequest(`missing required parameter '${name === 'resource' ? 'audience' : name}'`);
    }
  }
  if (params['subject_token_type'] !== accessTokenType) {
    throw new errors.InvalidRequest('only access tokens can be exchanged');
  }
  const { requested_token_type: requested = accessTokenType } = params;
  if (requested !== accessTokenType) throw new errors.InvalidRequest('only access tokens can be asked for');
  if (params['actor_token'] !== undefined || params['actor_token_type'] !== undefined) {
    throw new errors.InvalidRequest('the authenticated client is the actor: no actor token is taken');
  }
  if (ctx.get('dpop') !== '') throw new errors.InvalidRequest('an exchanged token cannot be bound to a key');
}

/**
 * The token must be one of ours, good now, of an end-user who may still sign in, and for the very service that shows it:
 * one that a service got for another is not its to trade.
 * @throws errors.InvalidRequest, the same whatever is wrong (RFC 8693 §2.2.2)
 */
async function subjectOf(ctx: Context, options: TokenExchange): Promise<Subject> {
  const { client, params } = ctx.oidc;
  const verification = await options.inspect(String(params['subject_token']));
  if (!verification.valid) throw unacceptable(verification.reason);
  const { claims } = verification;
  const audience = String([claims.aud].flat()[0]);
  const record = await options.findClient(client.clientId);
  if (record === undefined || !servesAudience(record, audience)) throw unacceptable('it is for another service');
  // tokens of end-users are remembered, and nothing else is: whoever has the shared secret can sign what looks like one
  const remembered = await options.artifacts.find(JWT_ACCESS_TOKEN, String(claims['jti']));
  const { accountId, grantId } = remembered ?? {};
  if (typeof accountId !== 'string' || accountId !== claims.sub) throw unacceptable('it is no token of an end-user');
  const account = await options.findAccount(ctx, accountId);
  if (account === undefined) throw unacceptable('its account is gone or disabled');
  if (chainLength(claims['act']) >= MAX_ACTORS) throw unacceptable('it was exchanged too often');
  ctx.oidc.entity('Account', account);
  return { claims, audience, accountId, ...(typeof grantId === 'string' && { grantId }) };
}

function unacceptable(reason: string): errors.InvalidRequest {
  return Object.assign(new errors.InvalidRequest('the subject token is not acceptable'), { error_detail: reason });
}

/**
 * Without `scope`, what the subject token has of what the target knows and the client was granted there. What the
 * client asks for must be granted to it, and must be in the subject token where that one's audience knows it too.
 * @throws errors.InvalidScope
 */
function narrowedScope(
  requested: unknown,
  sources: { granted: string | undefined; subject: unknown; known: string },
): string {
  const [granted, held, known] = [sources.granted, sources.subject, sources.known].map(
    (scope) =>
      new Set(
        String(scope ?? '')
          .split(' ')
          .filter(Boolean),
      ),
  ) as [Set<string>, Set<string>, Set<string>];
  if (typeof requested !== 'string') return [...granted].filter((name) => held.has(name)).join(' ');
  const asked = requested.split(' ').filter(Boolean);
  const refused = asked.filter((name) => !granted.has(name) || (known.has(name) && !held.has(name)));
  if (refused.length === 0) return asked.join(' ');
  throw new errors.InvalidScope(
    `the requested scope is not granted to this client for this end-user; granted: ${[...granted].join(' ') || 'none'}`,
    refused.join(' '),
  );
}

function actorOf(clientId: string, { act }: VerifiedClaims): Actor {
  return { sub: clientId, ...(isActor(act) && { act }) };
}

function isActor(act: unknown): act is Actor {
  return typeof act === 'object' && act !== null && 'sub' in act;
}

function chainLength(act: unknown): number {
  return isActor(act) ? 1 + chainLength(act.act) : 0;
}
