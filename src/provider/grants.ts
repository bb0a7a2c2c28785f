// Consent: what a client may see of an end-user, kept as a Grant.
import type { Grant, KoaContextWithOIDC } from 'oidc-provider';

/**
 * The grant under which an authorization request runs: the one of this interaction or session, or, for a first-party
 * client, one with everything that was asked for, since nobody is asked for consent to their own platform.
 */
export async function loadExistingGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { oidc } = ctx;
  const { provider, session, client, result } = oidc;
  if (!client || !session?.accountId) return undefined;
  const consent = result?.['consent'] as { grantId?: string } | undefined;
  const grantId = consent?.grantId ?? session.grantIdFor(client.clientId);
  const existing = grantId ? await provider.Grant.find(grantId) : undefined;
  const grant = existing?.accountId === session.accountId ? existing : undefined;
  if (client['first_party'] !== true) return grant;

  const missing = missingFrom(ctx, grant);
  if (grant && !missing) return grant;
  const granted = grant ?? new provider.Grant({ accountId: session.accountId, clientId: client.clientId });
  addToGrant(granted, missing ?? {});
  await granted.save();
  return granted;
}

/** What a request asks for and its grant lacks, in the words of the library's consent prompt. */
export interface MissingConsent {
  missingOIDCScope?: string[];
  missingOIDCClaims?: string[];
  missingResourceScopes?: Record<string, string[]>;
}

/** Adds what the end-user agreed to. The caller saves. */
export function addToGrant(grant: Grant, consent: MissingConsent): void {
  if (consent.missingOIDCScope?.length) grant.addOIDCScope(consent.missingOIDCScope.join(' '));
  if (consent.missingOIDCClaims?.length) grant.addOIDCClaims(consent.missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(consent.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
}

function missingFrom(ctx: KoaContextWithOIDC, grant: Grant | undefined): MissingConsent | undefined {
  const { oidc } = ctx;
  const missing: MissingConsent = {};
  const scope = without(oidc.requestParamOIDCScopes, grant?.getOIDCScopeEncountered());
  if (scope.length > 0) missing.missingOIDCScope = scope;
  const claims = without(oidc.requestParamClaims, grant?.getOIDCClaimsEncountered().join(' '));
  if (claims.length > 0) missing.missingOIDCClaims = claims;
  for (const [resource, server] of Object.entries(oidc.resourceServers ?? {})) {
    const wanted = [...oidc.requestParamScopes].filter((name) => server.scopes.has(name));
    const lacking = without(wanted, grant?.getResourceScopeEncountered(resource));
    if (lacking.length > 0) missing.missingResourceScopes = { ...missing.missingResourceScopes, [resource]: lacking };
  }
  return Object.keys(missing).length > 0 ? missing : undefined;
}

function without(names: Iterable<string>, present = ''): string[] {
  const has = new Set(present.split(' '));
  return [...names].filter((name) => !has.has(name));
}
