// The other providers at which end-users may sign in: each is on when it has a client id and its secret.
import type { Environment, VariableName } from './variables.ts';

/** Those whose word about an e-mail address can be believed. */
export const VOUCHING_IDS = ['google', 'github', 'oidc'] as const;

/** How this installation is registered at another provider; `issuer` where the provider does not follow from `id`. */
export interface UpstreamRegistration {
  readonly id: 'google' | 'microsoft' | 'github' | 'oidc';
  readonly label: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly issuer?: string;
}

type Values = Readonly<Partial<Record<VariableName, unknown>>>;

const UPSTREAMS = [
  { id: 'google', label: 'Google', family: 'UPSTREAM_GOOGLE', needs: [] },
  { id: 'microsoft', label: 'Microsoft', family: 'UPSTREAM_MICROSOFT', needs: [] },
  { id: 'github', label: 'GitHub', family: 'UPSTREAM_GITHUB', needs: [] },
  { id: 'oidc', label: 'OpenID', family: 'UPSTREAM_OIDC', needs: ['UPSTREAM_OIDC_ISSUER'] },
] as const;

/** Half a registration is none. */
export function upstreamProblems(env: Environment): string[] {
  return UPSTREAMS.flatMap(({ family, needs }) => {
    const credentials = [`${family}_CLIENT_ID`, `${family}_CLIENT_SECRET`] as const;
    const given = credentials.find((name) => env[name]);
    if (given === undefined) return [];
    return [...credentials, ...needs]
      .filter((name) => !env[name])
      .map((name) => `${name}: must be set with ${given}, got nothing`);
  });
}

/** Those that are configured, in the order in which they are offered. */
export function upstreamsOf(values: Values): UpstreamRegistration[] {
  const text = (name: string) => {
    const value = values[name as VariableName];
    return typeof value === 'string' ? value : undefined;
  };
  return UPSTREAMS.flatMap(({ id, label, family }) => {
    const clientId = text(`${family}_CLIENT_ID`);
    const clientSecret = text(`${family}_CLIENT_SECRET`);
    if (clientId === undefined || clientSecret === undefined) return [];
    const issuer =
      id === 'microsoft'
        ? `https://login.microsoftonline.com/${text(`${family}_TENANT`) ?? 'common'}/v2.0`
        : text(`${family}_ISSUER`);
    return [{ id, label: text(`${family}_NAME`) ?? label, clientId, clientSecret, ...(issuer && { issuer }) }];
  });
}
