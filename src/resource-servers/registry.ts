// The registered resource servers: finding them by audience, adding and removing them.
import type { AccessTokenAlg, Clock, ResourceServer, ResourceServers } from '../store.ts';
import { isUriAudience } from './identifiers.ts';

/** The algorithms that a resource server can choose from, the default first (RFC 7518 §3.1). */
export const accessTokenAlgs: readonly AccessTokenAlg[] = ['ES256', 'EdDSA', 'RS256', 'PS256', 'HS256'];

/** A resource server that cannot be registered as it was given; the message says what is wrong. */
export class InvalidResourceServer extends Error {
  override name = 'InvalidResourceServer';
}

/** What is known of a resource server before it exists. */
export interface NewResourceServer {
  audience: string;
  /** space-delimited */
  scope?: string;
  alg?: AccessTokenAlg;
  /** lifetime of its access tokens in seconds, 1…86400 */
  expiresIn?: number;
}

/** The resource servers of the store, then those built in: registering an audience anew replaces the built-in one. */
export interface ResourceServerRegistry {
  find(audience: string): Promise<ResourceServer | undefined>;
  /** By audience. */
  list(): Promise<ResourceServer[]>;
  /** @throws InvalidResourceServer, Conflict('audience') */
  add(resourceServer: NewResourceServer): Promise<ResourceServer>;
  /** False when the store has none of that audience; a built-in one then stands again. */
  remove(audience: string): Promise<boolean>;
}

// RFC 6749 §3.3.
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Scopes that mean something to the OpenID Provider itself (OpenID Connect Core §5.4, §11). */
const reservedScopes = ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'];

function checkAudience(audience: string): void {
  if (!/^[\x21-\x7e]{1,255}$/.test(audience)) {
    throw new InvalidResourceServer('an audience must have 1 to 255 visible ASCII characters without spaces');
  }
  if (audience.startsWith('urn:audience:')) {
    throw new InvalidResourceServer('an audience must not begin with urn:audience:, which is how its name is written');
  }
  if (isUriAudience(audience) && audience.includes('#')) {
    throw new InvalidResourceServer('an audience that is a URI must not contain a fragment');
  }
}

function parseScope(scope: string): string {
  const scopes = new Set(scope.split(/\s+/).filter((name) => name !== ''));
  for (const name of scopes) {
    if (!scopeToken.test(name))
      throw new InvalidResourceServer(`scope ${JSON.stringify(name)} has a forbidden character`);
    if (reservedScopes.includes(name)) {
      throw new InvalidResourceServer(`scope ${name} belongs to the OpenID Provider itself`);
    }
  }
  return [...scopes].join(' ');
}

function checkExpiresIn(expiresIn: number): void {
  if (!Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > 86_400) {
    throw new InvalidResourceServer('the lifetime of access tokens must be 1 to 86400 seconds');
  }
}

/** The resource servers of a store, with the built-in ones behind them. */
export function createResourceServerRegistry(parts: {
  resourceServers: ResourceServers;
  builtIn: readonly ResourceServer[];
  clock: Clock;
}): ResourceServerRegistry {
  const { resourceServers, clock } = parts;
  const builtIn = new Map(parts.builtIn.map((resourceServer) => [resourceServer.audience, resourceServer]));

  return {
    find: async (audience) => (await resourceServers.find(audience)) ?? builtIn.get(audience),

    async list() {
      const stored = await resourceServers.list();
      const all = new Map([...builtIn, ...stored.map((known) => [known.audience, known] as const)]);
      return [...all.values()].sort((a, b) => (a.audience < b.audience ? -1 : 1));
    },

    async add({ audience, scope = '', alg = 'ES256', expiresIn }) {
      checkAudience(audience);
      if (!accessTokenAlgs.includes(alg)) {
        throw new InvalidResourceServer(`algorithm ${alg} is unknown; known are ${accessTokenAlgs.join(', ')}`);
      }
      if (expiresIn !== undefined) checkExpiresIn(expiresIn);
      const resourceServer = {
        audience,
        scope: parseScope(scope),
        alg,
        ...(expiresIn !== undefined && { expiresIn }),
        createdAt: clock(),
      };
      await resourceServers.insert(resourceServer);
      return resourceServer;
    },

    remove: (audience) => resourceServers.remove(audience),
  };
}
