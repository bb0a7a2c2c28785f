// Another provider at which end-users may sign in, whatever it speaks.

/** What the other provider says about whoever signed in there. */
export interface UpstreamIdentity {
  /** never reused there, whichever provider `there` is configured to be */
  subject: string;
  /** what its owner recognises it by: an e-mail address, else a name there */
  label: string;
  email?: string;
  /** whether the provider vouches that the address is theirs */
  emailVerified: boolean;
  name?: string;
}

/** What is remembered of a sign-in while the browser is away; the provider must answer to exactly this. */
export interface UpstreamChecks {
  state: string;
  nonce: string;
  codeVerifier: string;
  /** the end-user must show anew who they are: epoch seconds, since when */
  anewSince?: number;
}

export interface Upstream {
  /** our name for it, part of its redirect URI */
  readonly id: string;
  /** what people call it */
  readonly label: string;
  /** where the browser is sent, its scheme and host at least */
  readonly origin: string;
  /** @throws UpstreamFailed when the provider cannot be reached */
  begin(redirectUri: string, checks: UpstreamChecks): Promise<URL>;
  /**
   * Redeems what the browser brought back.
   * @param callback the redirect URI with the query that came with it
   * @throws UpstreamRefused, UpstreamFailed
   */
  complete(callback: URL, checks: UpstreamChecks): Promise<UpstreamIdentity>;
}

/** The end-user, or the provider for them, said no (RFC 6749 §4.1.2.1 `access_denied`). */
export class UpstreamRefused extends Error {
  override name = 'UpstreamRefused';
}

/** The sign-in there went wrong; the message and cause are for the operator. */
export class UpstreamFailed extends Error {
  override name = 'UpstreamFailed';
}
