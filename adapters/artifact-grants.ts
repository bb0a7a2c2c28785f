// Which grant an artifact lives and dies with.
import type { ArtifactPayload } from '../src/store.ts';

/** An interaction mentions a grant but is neither code nor token: a sign-in goes on when an older grant is revoked. */
const MODELS_BESIDE_GRANTS: ReadonlySet<string> = new Set(['Interaction', 'Session']);

/** The id of that grant; a Grant's is its own. Undefined for what has none. */
export function grantIdOf(model: string, id: string, payload: ArtifactPayload): string | undefined {
  if (model === 'Grant') return id;
  const grantId = payload['grantId'];
  return MODELS_BESIDE_GRANTS.has(model) || typeof grantId !== 'string' ? undefined : grantId;
}
