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
