// The client certificate of a mutual TLS connection, as the proxy that ended it passes it on (RFC 8705).
import { X509Certificate } from 'node:crypto';
import type { Context } from 'koa';

/** URL-encoded PEM, as nginx has it in `$ssl_client_escaped_cert`. */
const CERTIFICATE = 'x-ssl-client-cert';
/** `SUCCESS` when a certificate authority that the proxy knows has issued it, as in nginx's `$ssl_client_verify`. */
const VERIFICATION = 'x-ssl-client-verify';

/** What only a listed proxy may say: the request gate takes it from everybody else. */
export const certificateHeaders: readonly string[] = [CERTIFICATE, VERIFICATION];

/** Undefined when there is none, or what is there is none. */
export function clientCertificate(ctx: Context): X509Certificate | undefined {
  const escaped = ctx.get(CERTIFICATE);
  if (escaped === '') return undefined;
  try {
    return new X509Certificate(decodeURIComponent(escaped));
  } catch {
    return undefined;
  }
}

/** Whether the proxy has verified the certificate up to an authority. */
export function isCertificateVerified(ctx: Context): boolean {
  return ctx.get(VERIFICATION) === 'SUCCESS';
}
