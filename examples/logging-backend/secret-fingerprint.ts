// A fingerprint by which two services can see that they share a secret, without showing it.
import { createHmac } from 'node:crypto';

/** Part of the contract between services: whoever compares fingerprints must compute them under this very label. */
const label = 'identity-backend debug-env fingerprint v1';

/**
 * The first 8 hex digits of HMAC-SHA256 with the public label as key and the secret as message. 32 bits tell two secrets
 * apart and give nothing usable away about one that has at least 32 random bytes.
 */
export function secretFingerprint(secret: string): string {
  return createHmac('sha256', label).update(secret).digest('hex').slice(0, 8);
}
