// The proof in a backup: a token of its time, which the keys that were restored must still verify.
import { randomUUID } from 'node:crypto';
import type { BackupProof } from '../../adapters/backup.ts';
import type { Keyring } from '../keys/keyring.ts';
import { accessTokenTimes, signAccessToken } from '../tokens/access-token.ts';
import { createVerifier } from '../tokens/verification.ts';
import { Failure } from './terminal.ts';

/** No resource server's name: the token is good for nothing else. */
const AUDIENCE = 'identity-backup';

/** Seconds; it is verified by the clock of the backup. */
const LIFETIME = 60;

/** @param now epoch seconds */
export async function signProof(keyring: Keyring, issuer: string, subject: string, now: number): Promise<BackupProof> {
  const claims = {
    iss: issuer,
    sub: subject,
    aud: AUDIENCE,
    client_id: subject,
    jti: randomUUID(),
    ...accessTokenTimes(now, LIFETIME),
  };
  return { issuer, token: await signAccessToken(claims, keyring.signingKey('ES256')) };
}

/**
 * Verifies the token as `/verify` would have at that time.
 * @param now epoch seconds, when it was signed
 * @throws Failure
 */
export async function verifyProof(keyring: Keyring, { issuer, token }: BackupProof, now: number): Promise<void> {
  const verifier = createVerifier({
    keyring,
    sharedSecrets: [],
    issuer,
    sharedSecretIssuer: issuer,
    clockSkew: LIFETIME,
    clock: () => now,
    findResourceServer: async (audience) => ({ audience, scope: '', alg: 'ES256', createdAt: now }),
    isRevoked: async () => false,
  });
  const verification = await verifier.verify(token, AUDIENCE);
  if (!verification.valid) {
    throw new Failure(`the token in the backup does not verify with the keys in it (${verification.reason})`);
  }
}
