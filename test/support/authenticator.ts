// An authenticator made of node:crypto: makes passkeys and signs with them, truthfully or not.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { isoCBOR } from '@simplewebauthn/server/helpers';

/** What an authenticator and its browser say of one ceremony. */
export interface Claims {
  type: string;
  challenge: string;
  origin: string;
  rpId: string;
  userPresent: boolean;
  userVerified: boolean;
  /** whether the passkey can be on more than one device, and whether it is */
  backupEligible: boolean;
  backedUp: boolean;
  counter: number;
  aaguid: string;
  /** base64url; absent: the authenticator does not say */
  userHandle: string | undefined;
  /** attestation statement format and statement */
  attestation: readonly [string, Map<string, unknown>];
}

/** One passkey on a device that its owner has unlocked, unless said otherwise. */
export interface SoftPasskey {
  /** base64url */
  readonly id: string;
  /** The answer of `navigator.credentials.create()` as JSON. */
  create(options: PublicKeyCredentialCreationOptionsJSON, claims?: Partial<Claims>): string;
  /** The answer of `navigator.credentials.get()` as JSON, with a counter one higher than before. */
  get(options: PublicKeyCredentialRequestOptionsJSON, claims?: Partial<Claims>): string;
}

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest();

/** @param always what it says in every ceremony. @param kind of its key */
export function createSoftPasskey(
  origin: string,
  always: Partial<Claims> = {},
  kind: 'ES256' | 'EdDSA' | 'RS256' = 'ES256',
): SoftPasskey {
  const id = randomBytes(16);
  const { privateKey, cose } = newKey(kind);
  let counter = 0;
  let handle: string | undefined;

  function truth(type: string, challenge: string, rpId: string): Claims {
    return {
      type,
      challenge,
      origin,
      rpId,
      userPresent: true,
      userVerified: true,
      backupEligible: false,
      backedUp: false,
      counter,
      aaguid: '00000000-0000-0000-0000-000000000000',
      userHandle: handle,
      attestation: ['none', new Map()],
      ...always,
    };
  }

  return {
    id: base64url(id),
    create({ challenge, rp, user }, claims) {
      handle = user.id;
      const said = { ...truth('webauthn.create', challenge, rp.id ?? ''), ...claims };
      const length = Buffer.from([id.length >> 8, id.length & 255]);
      const aaguid = Buffer.from(said.aaguid.replaceAll('-', ''), 'hex');
      const authData = Buffer.concat([authenticatorData(said, 0x40), aaguid, length, id, isoCBOR.encode(cose)]);
      const [fmt, attStmt] = said.attestation;
      const attestationObject = isoCBOR.encode(
        new Map<string, unknown>([
          ['fmt', fmt],
          ['attStmt', attStmt],
          ['authData', new Uint8Array(authData)],
        ]) as never,
      );
      return credential(id, {
        clientDataJSON: base64url(clientData(said)),
        attestationObject: base64url(attestationObject),
        transports: ['internal'],
      });
    },
    get({ challenge, rpId }, claims) {
      counter += 1;
      const said = { ...truth('webauthn.get', challenge, rpId ?? ''), ...claims };
      const data = clientData(said);
      const authData = authenticatorData(said, 0);
      const signed = Buffer.concat([authData, sha256(data)]);
      const signature = sign(kind === 'EdDSA' ? null : 'sha256', signed, privateKey);
      return credential(id, {
        clientDataJSON: base64url(data),
        authenticatorData: base64url(authData),
        signature: base64url(signature),
        ...(said.userHandle !== undefined && { userHandle: said.userHandle }),
      });
    },
  };
}

function credential(id: Uint8Array, response: Record<string, unknown>): string {
  const rawId = base64url(id);
  return JSON.stringify({ id: rawId, rawId, type: 'public-key', clientExtensionResults: {}, response });
}

/** Web Authentication Level 3 §5.8.1. */
function clientData({ type, challenge, origin }: Claims): Buffer {
  return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
}

/** Web Authentication Level 3 §6.1. */
function authenticatorData(said: Claims, flags: number): Buffer {
  const bits = [said.userPresent, false, said.userVerified, said.backupEligible, said.backedUp];
  const head = Buffer.alloc(5);
  head.writeUInt8(
    bits.reduce((sum, bit, index) => sum + (bit ? 1 << index : 0), flags),
    0,
  );
  head.writeUInt32BE(said.counter, 1);
  return Buffer.concat([sha256(said.rpId), head]);
}

/** A key pair, the public key as COSE (RFC 9053, RFC 8230). */
function newKey(kind: 'ES256' | 'EdDSA' | 'RS256'): { privateKey: KeyObject; cose: never } {
  const bytes = (text: string | undefined) => new Uint8Array(Buffer.from(String(text), 'base64url'));
  if (kind === 'EdDSA') {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const { x } = publicKey.export({ format: 'jwk' });
    return {
      privateKey,
      cose: new Map<number, unknown>([
        [1, 1],
        [3, -8],
        [-1, 6],
        [-2, bytes(x)],
      ]) as never,
    };
  }
  if (kind === 'RS256') {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { n, e } = publicKey.export({ format: 'jwk' });
    return {
      privateKey,
      cose: new Map<number, unknown>([
        [1, 3],
        [3, -257],
        [-1, bytes(n)],
        [-2, bytes(e)],
      ]) as never,
    };
  }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y } = publicKey.export({ format: 'jwk' });
  return {
    privateKey,
    cose: new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, bytes(x)],
      [-3, bytes(y)],
    ]) as never,
  };
}
