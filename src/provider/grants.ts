// Consent: what a client may see of an end-user, kept as a Grant.
import type { Grant, KoaContextWithOIDC } from 'oidc-provider';

/** What an authorization request asks the end-user to agree to. */
export interface ConsentRequest {
  /** OpenID Connect scopes */
  scopes: string[];
  /** claims asked for by name (OpenID Connect Core §5.5) */
  claims: string[];
  /** resource indicator → scopes of that resource server */
  resources: Record<string, string[]>;
}

/** Claims about the sign-in itself, which every client learns. */
const PROTOCOL_CLAIMS = new Set(['sub', 'sid', 'auth_time', 'acr', 'amr', 'iss']);

/** Everything that this authorization request asks for, whether or not it was agreed to before. */
export function consentRequest({ oidc }: KoaContextWithOIDC): ConsentRequest {
  const resources = Object.entries(oidc.resourceServers ?? {}).map(([resource, server]) => [
    resource,
    [...oidc.requestParamScopes].filter((name) => server.scopes.has(name)),
  ]);
  return {
    scopes: [...oidc.requestParamOIDCScopes],
    claims: [...oidc.requestParamClaims].filter((name) => !PROTOCOL_CLAIMS.has(name)),
    resources: Object.fromEntries(resources),
  };
}

/** Adds what the end-user agreed to. The caller saves. */
export function addToGrant(grant: Grant, { scopes, claims, resources }: ConsentRequest): void {
  if (scopes.length > 0) grant.addOIDCScope(scopes.join(' '));
  if (claims.length > 0) grant.addOIDCClaims(claims);
  for (const [resource, names] of Object.entries(resources)) {
    if (names.length > 0) grant.addResourceScope(resource, names.join(' '));
  }
}

/**
 * The grant under which an authorization request runs: the one of this interaction or session, or, for a first-party
 * client, one with everything that was asked for, since nobody is asked for consent to their own platform.
 */
export async function loadExistingGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { provider, session, client, result } = ctx.oidc;
  if (!client || !session?.accountId) return undefined;
  const consent = result?.['consent'] as { grantId?: string } | undefined;
  const grantId = consent?.grantId ?? session.grantIdFor(client.clientId);
  const existing = grantId ? await provider.Grant.find(grantId) : undefined;
  const isTheirs = existing?.accountId === session.accountId && existing.clientId === client.clientId;
  const grant = isTheirs ? existing : undefined;
  if (client['first_party'] !== true) return grant;

  const request = consentRequest(ctx);
  if (grant && covers(grant, request)) return grant;
  const granted = grant ?? new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  addToGrant(granted, request);
  await granted.save();
  return granted;
}

function covers(grant: Grant, { scopes, claims, resources }: ConsentRequest): boolean {
  return (
    includesAll(grant.getOIDCScopeEncountered().split(' '), scopes) &&
    includesAll(grant.getOIDCClaimsEncountered(), claims) &&
    Object.entries(resources).every(([resource, names]) =>
      includesAll(grant.getResourceScopeEncountered(resource).split(' '), names),
    )
  );
}

function includesAll(present: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((name) => present.includes(name));
}
