// Mutual TLS (RFC 8705): clients that authenticate with a certificate, and tokens that are bound to one.
import type { X509Certificate } from 'node:crypto';
import { clientCertificate, isCertificateVerified } from '../http/client-certificate.ts';

/** The library's `features.mTLS`. */
export function mutualTls(enabled: boolean) {
  if (!enabled) return { enabled };
  return {
    enabled,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: true,
    getCertificate: clientCertificate,
    certificateAuthorized: isCertificateVerified,
    certificateSubjectMatches(
      ctx: Parameters<typeof clientCertificate>[0],
      property: string,
      expected: string,
    ): boolean {
      const certificate = clientCertificate(ctx);
      return certificate !== undefined && hasSubject(certificate, property, expected);
    },
  };
}

/** Alternative names as Node spells them. */
const ALTERNATIVES: Record<string, string> = {
  tls_client_auth_san_dns: 'DNS',
  tls_client_auth_san_uri: 'URI',
  tls_client_auth_san_ip: 'IP Address',
  tls_client_auth_san_email: 'email',
};

/**
 * Exact, without wildcards (RFC 8705 §2.1.2). A name that has to be quoted or escaped matches nothing: it could be made
 * to look like several.
 */
export function hasSubject({ subject, subjectAltName }: X509Certificate, property: string, expected: string): boolean {
  if (property === 'tls_client_auth_subject_dn') {
    // Node has one relative name a line, the outermost first; RFC 4514 begins with the innermost
    return !/["\\,+]/.test(subject) && subject.split('\n').reverse().join(',') === expected;
  }
  const kind = ALTERNATIVES[property];
  if (kind === undefined || subjectAltName === undefined || subjectAltName.includes('"')) return false;
  return subjectAltName.split(', ').includes(`${kind}:${expected}`);
}
