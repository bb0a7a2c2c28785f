// What a client may ask of a resource server.
import type { ClientRecord, ResourceServer } from '../store.ts';

/**
 * The scope that the client may ask of the resource server, space-delimited and perhaps empty: what it was granted of
 * what the resource server still knows. `undefined` when it was not granted that audience at all.
 */
export function grantedScope(client: ClientRecord, resourceServer: ResourceServer): string | undefined {
  if (!Object.hasOwn(client.audiences, resourceServer.audience)) return undefined;
  const granted = client.audiences[resourceServer.audience];
  if (granted === undefined || granted === null) return resourceServer.scope;
  const allowed = new Set(granted.split(' '));
  return resourceServer.scope
    .split(' ')
    .filter((scope) => allowed.has(scope))
    .join(' ');
}

/** The audience that the client is registered to mean when it names none. */
export function defaultAudience({ metadata, audiences }: ClientRecord): string | undefined {
  const named = metadata['default_audience'];
  return typeof named === 'string' && Object.hasOwn(audiences, named) ? named : undefined;
}

/** Whether the client is the resource server of that audience: by its name, or by its registration. */
export function servesAudience({ clientId, metadata }: ClientRecord, audience: string): boolean {
  const served = metadata['serves'];
  return clientId === audience || (Array.isArray(served) && served.includes(audience));
}

/** The audience of a client that has only this one. */
export function soleAudience({ audiences }: ClientRecord): string | undefined {
  const [sole, ...others] = Object.keys(audiences);
  return others.length === 0 ? sole : undefined;
}
