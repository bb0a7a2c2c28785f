// Where the issuer is on its host: what every rooted path of ours begins with.

/** The issuer's path without a slash at its end; empty at the root. */
export function issuerPath(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '');
}
