// Claims that a client's registration adds to the access tokens that it gets for itself.

/** Claims that mean something to us, to the library or to a verifier (RFC 7519 §4.1, RFC 9068 §2.2, RFC 8693 §4). */
const reserved = new Set(
  (
    'iss sub aud exp nbf iat jti client_id azp scope cnf act may_act auth_time acr amr sid nonce at_hash c_hash s_hash ' +
    'events typ token_type token_use active username authorization_details __proto__ constructor prototype'
  ).split(' '),
);

const maxClaims = 20;
/** Bytes of all of them as JSON: a token has to fit in a header. */
const maxBytes = 2_048;

/** What is wrong with `access_token_claims` of a client's metadata, in words; undefined when nothing is. */
export function findStaticClaimsFault(claims: unknown): string | undefined {
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return 'must be an object of claims';
  const names = Object.keys(claims);
  if (names.length > maxClaims) return `must have at most ${maxClaims} claims`;
  for (const name of names) {
    if (!/^[\x21-\x7e]{1,128}$/.test(name)) return 'must have names of 1 to 128 visible ASCII characters';
    if (reserved.has(name)) return `must not set ${name}, which has a meaning of its own`;
  }
  if (Buffer.byteLength(JSON.stringify(claims)) > maxBytes) return `must have at most ${maxBytes} bytes as JSON`;
  return undefined;
}

/** The claims that this metadata adds to the client's own access tokens; what is damaged adds nothing. */
export function staticClaims(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const claims = metadata['access_token_claims'];
  if (claims === undefined || findStaticClaimsFault(claims) !== undefined) return {};
  return { ...(claims as Record<string, unknown>) };
}
