// Passkeys (Web Authentication Level 3): enrolling them, and recognising an account by one.
import { hash } from 'node:crypto';
import { isIP } from 'node:net';
import type {
  AuthenticationResponseJSON,
  CredentialDeviceType,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { type Account, type Clock, Conflict, type Passkey, type Passkeys } from '../store.ts';
import type { ChallengeFault, PasskeyChallenges } from './passkey-challenges.ts';
import { suggestedPasskeyName } from './passkey-names.ts';
import { parseAssertion, parseAttestation } from './passkey-responses.ts';

/**
 * Why an answer is refused: it is no such answer (`malformed`), its challenge was used before (`replayed`), the passkey
 * is `unknown` or of another account (`foreign`), what is signed or the signature is wrong (`response`), the counter has
 * not grown, so that there may be a copy (`counter`), nobody was asked for a PIN or fingerprint (`unverified`), the
 * account is `disabled`, or the passkey is enrolled already (`taken`).
 */
export type PasskeyRefusal =
  | ChallengeFault
  | 'malformed'
  | 'replayed'
  | 'unknown'
  | 'foreign'
  | 'response'
  | 'counter'
  | 'unverified'
  | 'disabled'
  | 'taken';

/** What did not come about; `accountId` where it is certain whose passkey it was. */
export interface RefusedPasskey {
  refused: PasskeyRefusal;
  accountId?: string;
}

/** An account, recognised by its passkey, or by one that it has just got. */
export interface PasskeyProof {
  account: Account;
  passkey: Passkey;
  /**
   * RFC 8176 §2: `swk` where the key can be on more than one device, else `hwk` as far as an authenticator can be
   * believed; and `mfa` where it asked for a PIN or fingerprint, so that possession is not all that was shown.
   */
  amr: readonly string[];
}

export interface PasskeyCeremonies {
  /** False where the issuer's host is an IP address, which cannot have passkeys (§5.1.2, effective domain). */
  readonly isOffered: boolean;
  /** Options for `navigator.credentials.create()`. @param place what this page belongs to; its answer names the same */
  enrolmentOptions(account: Account, place: string): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /**
   * Adds a passkey, and says what that proves: its owner has it at hand, and by the registration's own UV flag (§6.1) was
   * asked for PIN or fingerprint. Without attestation that is believed as far as in every later use.
   * @param answer the new credential as JSON
   * @param browser gives it a name where nothing better does: what its owner calls it, or nothing
   */
  enrol(account: Account, place: string, answer: string, browser: string): Promise<PasskeyProof | RefusedPasskey>;
  /**
   * Options for `navigator.credentials.get()`: with the passkey of any account, in the place of name and password. The
   * authenticator has to make sure who is there.
   */
  signInOptions(place: string): PublicKeyCredentialRequestOptionsJSON;
  /** The same with a passkey of this account, as its second factor: possession is enough. */
  secondFactorOptions(place: string, accountId: string): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /**
   * Whom the answer proves. Of two with the same answer, one is told.
   * @param answer the credential as JSON
   * @param accountId as for the options; absent: anybody signs in
   */
  prove(place: string, answer: string, accountId?: string): Promise<PasskeyProof | RefusedPasskey>;
}

/** EdDSA, ES256, RS256 (RFC 9053, RFC 8812): what authenticators have. */
const ALGORITHMS = [-8, -7, -257];
const TIMEOUT_MS = 5 * 60 * 1000;

/** 27 MB with its ASN.1 and certificates: only where there are passkeys. */
const library = () => import('@simplewebauthn/server');

/** @param options.accounts finds disabled ones too */
export function createPasskeyCeremonies(options: {
  passkeys: Passkeys;
  accounts: { find(id: string): Promise<Account | undefined> };
  challenges: PasskeyChallenges;
  issuer: string;
  /** what the browser calls us */
  name: string;
  clock: Clock;
}): PasskeyCeremonies {
  const { passkeys, accounts, challenges, name, clock } = options;
  const { hostname, origin } = new URL(options.issuer);
  const relyingParty = { expectedOrigin: origin, expectedRPID: hostname };
  const descriptorsOf = async (accountId: string) =>
    (await passkeys.listOf(accountId)).map(({ id, transports }) => ({
      id,
      type: 'public-key' as const,
      transports: [...transports],
    }));
  const requestOptions = (
    place: string,
    userVerification: 'required' | 'discouraged',
    allowCredentials: NonNullable<PublicKeyCredentialRequestOptionsJSON['allowCredentials']>,
  ): PublicKeyCredentialRequestOptionsJSON => ({
    rpId: hostname,
    challenge: challenges.issue(place).toString('base64url'),
    timeout: TIMEOUT_MS,
    userVerification,
    allowCredentials,
  });

  return {
    isOffered: isIP(hostname.replace(/^\[|\]$/g, '')) === 0,

    async enrolmentOptions(account, place) {
      const { generateRegistrationOptions } = await library();
      return generateRegistrationOptions({
        rpName: name,
        rpID: hostname,
        userID: userHandleOf(account.id),
        userName: account.username,
        userDisplayName: account.claims.name ?? account.username,
        challenge: challenges.issue(enrolmentPlace(place, account.id)),
        timeout: TIMEOUT_MS,
        attestationType: 'none',
        excludeCredentials: await descriptorsOf(account.id),
        authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
        supportedAlgorithmIDs: ALGORITHMS,
      });
    },

    async enrol(account, place, answer, browser) {
      const read = await parseAttestation(answer);
      if (read === undefined) return { refused: 'malformed', accountId: account.id };
      const fault = challenges.faultOf(read.challenge, enrolmentPlace(place, account.id));
      if (fault) return { refused: fault, accountId: account.id };
      const { verifyRegistrationResponse } = await library();
      const { registrationInfo: made } = await verifyRegistrationResponse({
        ...relyingParty,
        response: read.response,
        expectedChallenge: read.challenge,
        requireUserVerification: false,
        supportedAlgorithmIDs: ALGORITHMS,
      }).catch(() => ({ registrationInfo: undefined }));
      if (made === undefined) return { refused: 'response', accountId: account.id };
      if (!(await challenges.use(read.challenge))) return { refused: 'replayed', accountId: account.id };
      const passkey: Passkey = {
        id: made.credential.id,
        accountId: account.id,
        publicKey: Buffer.from(made.credential.publicKey).toString('base64url'),
        counter: made.credential.counter,
        transports: made.credential.transports ?? [],
        backedUp: made.credentialBackedUp,
        name: suggestedPasskeyName(made.aaguid, browser),
        createdAt: clock(),
      };
      if (!(await insert(passkeys, passkey))) return { refused: 'taken', accountId: account.id };
      return { account, passkey, amr: amrOf(made) };
    },

    signInOptions: (place) => requestOptions(proofPlace(place), 'required', []),

    async secondFactorOptions(place, accountId) {
      return requestOptions(proofPlace(place, accountId), 'discouraged', await descriptorsOf(accountId));
    },

    async prove(place, answer, accountId) {
      const read = parseAssertion(answer);
      if (read === undefined) return { refused: 'malformed' };
      const fault = challenges.faultOf(read.challenge, proofPlace(place, accountId));
      if (fault) return { refused: fault };
      const passkey = await passkeys.find(read.response.id);
      if (passkey === undefined) return { refused: 'unknown' };
      if (!isOf(passkey, read.response, accountId)) return { refused: 'foreign' };
      const { verifyAuthenticationResponse } = await library();
      const { verified, authenticationInfo: used } = await verifyAuthenticationResponse({
        ...relyingParty,
        response: read.response,
        expectedChallenge: read.challenge,
        requireUserVerification: false,
        // the counter is compared where it is recorded, and only of what has the right signature
        credential: { id: passkey.id, publicKey: Buffer.from(passkey.publicKey, 'base64url'), counter: 0 },
      }).catch(() => ({ verified: false, authenticationInfo: undefined }));
      if (!verified || used === undefined) return { refused: 'response' };

      const whose = { accountId: passkey.accountId };
      if (!(await challenges.use(read.challenge))) return { refused: 'replayed', ...whose };
      if (accountId === undefined && !used.userVerified) return { refused: 'unverified', ...whose };
      const use = { counter: used.newCounter, backedUp: used.credentialBackedUp, at: clock() };
      if (!(await passkeys.recordUse(passkey.id, use))) return { refused: 'counter', ...whose };
      const account = await accounts.find(passkey.accountId);
      if (account === undefined || account.disabledAt !== undefined) return { refused: 'disabled', ...whose };
      return { account, passkey, amr: amrOf(used) };
    },
  };
}

function amrOf(shown: { credentialDeviceType: CredentialDeviceType; userVerified: boolean }): string[] {
  const key = shown.credentialDeviceType === 'multiDevice' ? 'swk' : 'hwk';
  return shown.userVerified ? [key, 'user', 'mfa'] : [key, 'user'];
}

const enrolmentPlace = (place: string, accountId: string) => `enrolment ${place} ${accountId}`;
const proofPlace = (place: string, accountId = '') => `proof ${place} ${accountId}`;

/** What authenticators keep of the account (§14.6.1): the same for all its passkeys, and told to nobody else. */
function userHandleOf(accountId: string): Buffer<ArrayBuffer> {
  return Buffer.from(hash('sha256', `passkeys of ${accountId}`, 'base64url'), 'base64url');
}

/** §7.2 step 6: without an account the user handle has to say whose it is; where there is one, it must be right. */
function isOf(passkey: Passkey, { response }: AuthenticationResponseJSON, accountId: string | undefined): boolean {
  if (accountId !== undefined && passkey.accountId !== accountId) return false;
  const handle = response.userHandle || undefined;
  if (handle === undefined) return accountId !== undefined;
  return handle === userHandleOf(passkey.accountId).toString('base64url');
}

async function insert(passkeys: Passkeys, passkey: Passkey): Promise<boolean> {
  try {
    await passkeys.insert(passkey);
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
}
