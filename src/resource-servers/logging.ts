// The built-in resource server: the platform's central log service.
import type { ResourceServer } from '../store.ts';

/** The central log service, which verifies tokens with the shared secret as it always did, until it is registered anew. */
export function loggingResourceServer(audience: string): ResourceServer {
  return { audience, scope: 'logs:write logs:read', alg: 'HS256', createdAt: 0 };
}
