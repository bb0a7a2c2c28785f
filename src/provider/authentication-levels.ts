// Levels of authentication (`acr`): which there are, what a sign-in reached, and what a request asks for.

/** What `acr` can be, the lowest first; each satisfies those before it. */
export const ACR_VALUES = ['aal1', 'aal2', 'phr'] as const;

/**
 * `aal1`: one factor (NIST SP 800-63B-4 §2.1). `aal2`: two of them (§2.2). `phr`: two factors, of which one is bound to
 * our name, so that it cannot be phished: a passkey (OpenID Connect EAP ACR Values 1.0 §2).
 */
export type Acr = (typeof ACR_VALUES)[number];

/** The level of a sign-in by these methods (`amr`: RFC 8176 §2); without `mfa` it was one factor, whatever else it was. */
export function acrOf(amr: readonly string[]): Acr {
  if (!amr.includes('mfa')) return 'aal1';
  return amr.includes('swk') || amr.includes('hwk') ? 'phr' : 'aal2';
}

/** Whether the one level is as good as the other. What is no level of ours satisfies nothing. */
export function satisfies(acr: unknown, wanted: Acr): boolean {
  return ACR_VALUES.indexOf(acr as Acr) >= ACR_VALUES.indexOf(wanted);
}

/** The higher of two levels. */
export function higher(one: Acr, other: Acr): Acr {
  return satisfies(one, other) ? one : other;
}

/** The `acr` that an authorization request asks for (OpenID Connect Core §5.5.1.1). */
export interface RequestedAcr {
  /** the lowest of ours that it would be content with; absent: none is asked for, or none that we have */
  level?: Acr;
  /** without it, the level is a wish: a lower one, truthfully told, is an answer too */
  essential: boolean;
  /** as they are asked for, ours or not */
  values: readonly string[];
}

/**
 * An essential claim comes before `acr_values`, which are never essential.
 * @param parameters of the authorization request, as the library has validated them
 */
export function requestedAcr(parameters: Readonly<Record<string, unknown>>): RequestedAcr {
  const claim = acrClaim(parameters['claims']);
  const listed = String(parameters['acr_values'] ?? '').split(' ');
  const essential = claim?.essential === true;
  const asked = essential || listed.join('') === '' ? [claim?.values ?? claim?.value].flat() : listed;
  const values = asked.filter((value) => typeof value === 'string');
  const level = ACR_VALUES.find((acr) => values.includes(acr));
  return { essential: essential && values.length > 0, values, ...(level && { level }) };
}

interface AcrClaim {
  essential?: unknown;
  value?: unknown;
  values?: unknown;
}

function acrClaim(claims: unknown): AcrClaim | undefined {
  const { id_token: idToken } = typeof claims === 'string' ? JSON.parse(claims) : {};
  return idToken?.acr ?? undefined;
}
