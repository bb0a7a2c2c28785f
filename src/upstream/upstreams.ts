// The upstreams of this installation, made from their settings.
import type { CustomFetch } from 'openid-client';
import type { UpstreamAccounts } from './accounts.ts';
import { createGithubUpstream } from './github.ts';
import { createOidcUpstream } from './oidc.ts';
import type { PendingSignIns } from './sign-ins.ts';
import type { Upstream } from './upstream.ts';

/** How this installation is registered there; the issuer only where it is not the preset's. */
export interface UpstreamSettings {
  readonly id: 'google' | 'microsoft' | 'github' | 'oidc';
  readonly label: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly issuer?: string;
}

/** All that signing in elsewhere needs, and how it leads to accounts here. */
export interface UpstreamParts {
  byId: ReadonlyMap<string, Upstream>;
  pending: PendingSignIns;
  accounts: UpstreamAccounts;
}

/** @param fetch makes their requests, where not the platform's */
export function createUpstreams(
  settings: readonly UpstreamSettings[],
  fetch?: typeof globalThis.fetch,
): ReadonlyMap<string, Upstream> {
  const send: CustomFetch | undefined = fetch && ((url, init) => fetch(url, init as RequestInit));
  return new Map(settings.map((one) => [one.id, createUpstream(one, send)]));
}

function createUpstream(
  { id, label, clientId, clientSecret, issuer }: UpstreamSettings,
  fetch?: CustomFetch,
): Upstream {
  const registered = { id, label, clientId, clientSecret, ...(fetch && { fetch }) };
  switch (id) {
    case 'github':
      return createGithubUpstream(registered);
    case 'google':
      // it knows no prompt `login`
      return createOidcUpstream({
        ...registered,
        issuer: 'https://accounts.google.com',
        vouchesForEmail: true,
        hasOneIssuer: true,
        anewPrompt: 'select_account',
      });
    case 'microsoft':
      // the owner of any tenant writes whatever address into its accounts: an address from there proves nothing
      return createOidcUpstream({ ...registered, issuer: issuer ?? '', vouchesForEmail: false });
    case 'oidc':
      return createOidcUpstream({ ...registered, issuer: issuer ?? '', vouchesForEmail: true });
  }
}
