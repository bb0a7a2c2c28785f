// Which grant an artifact lives and dies with.
import { type ArtifactPayload, sessionGrant } from '../src/store.ts';

/**
 * The id of that grant; a Grant's is its own, a session's is made of its uid. Undefined for what has none: an
 * interaction mentions a grant but is neither code nor token, and a sign-in goes on when an older grant is revoked.
 */
export function grantIdOf(model: string, id: string, payload: ArtifactPayload): string | undefined {
  const { accountId, grantId, uid } = payload;
  if (model === 'Grant') return id;
  // one that nobody is signed in to is written by every stranger, and never ended
  if (model === 'Session') return typeof uid === 'string' && accountId !== undefined ? sessionGrant(uid) : undefined;
  return model === 'Interaction' || typeof grantId !== 'string' ? undefined : grantId;
}
